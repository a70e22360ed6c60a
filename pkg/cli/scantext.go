package cli

import (
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// writeScan prints for people what a change does.
func (c *scanCommand) writeScan(s screen, all []scanned) {
	for i, source := range all {
		if i > 0 {
			s.printf("\n")
		}
		c.writeSource(s, source)
	}
}

func (c *scanCommand) writeSource(s screen, source scanned) {
	name := clean(source.name())
	if len(source.buckets) == 0 {
		s.printf("%s: %s.\n", name, source.nothing())
	}
	changes := map[iac.Change]int{}
	for i, b := range source.buckets {
		changes[b.Change]++
		if !c.shows(b) {
			continue
		}
		if i > 0 {
			s.printf("\n")
		}
		c.writeBucketChange(s, b)
	}
	if source.partial != "" {
		s.printf("\n")
		s.indented(0, "It is not complete: "+clean(source.partial)+".")
	}
	if len(source.assumed) > 0 && len(source.buckets) > 0 {
		s.printf("\n")
		s.indented(0, "Assumed: "+clean(strings.Join(source.assumed, ", "))+".")
	}
	if len(source.buckets) > 0 {
		s.printf("\n%s: %s\n", name, summaryOf(changes))
	}
}

// nothing says that no bucket of a trail changes, as far as the source tells.
func (s scanned) nothing() string {
	if s.partial != "" {
		return "nothing about trails and their buckets is in what it tells"
	}
	return "nothing about trails and their buckets changes"
}

// shows reports whether there is something to tell of a bucket: it changes, or something new is
// found of it, or all is to be told.
func (c *scanCommand) shows(b scannedBucket) bool {
	return c.All || b.Change != iac.Unchanged || b.News || b.After != delivery.Delivering
}

// summaryOf counts the changes: "1 broken, 2 unchanged".
func summaryOf(changes map[iac.Change]int) string {
	var parts []string
	total := 0
	for _, change := range []iac.Change{iac.Broken, iac.Removed, iac.Uncertain, iac.StillBroken, iac.New, iac.Mended, iac.Unchanged} {
		if n := changes[change]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, change))
			total += n
		}
	}
	return fmt.Sprintf("%s: %s.", count(total, "trail bucket", "trail buckets"), strings.Join(parts, ", "))
}

func changeTone(c iac.Change) tone {
	switch c {
	case iac.Broken, iac.Removed, iac.StillBroken:
		return bad
	case iac.Uncertain:
		return mild
	case iac.Mended:
		return good
	case iac.New, iac.Unchanged:
		return plain
	}
	return mild
}

func (c *scanCommand) writeBucketChange(s screen, b scannedBucket) {
	s.printf("%s: %s (%s)\n", s.paint(bold, clean(b.Label)), s.paint(changeTone(b.Change), string(b.Change)), verdicts(b.Before, b.After))
	if b.Address != "" {
		s.hanging(2, "at     ", clean(b.Address)+place(b.Origin))
	}
	for _, t := range b.Trails {
		name := t.ARN
		if t.Address != "" && !strings.Contains(name, t.Address) {
			name += " (" + t.Address + ")"
		}
		if t.Admitted {
			name += " (elsewhere; the policy admitted it before)"
		}
		s.hanging(2, "trail  ", clean(name)+": "+verdicts(t.Before, t.After))
		if t.Notification != "" {
			before := t.NotificationBefore
			if before == "" {
				before = iac.NotThere
			}
			s.hanging(9, "", "notifications: "+verdicts(before, t.Notification))
		}
		if len(t.NotLookedAt) > 0 {
			s.hanging(9, "", "not looked at: "+strings.Join(unseenPolicies(t.NotLookedAt), ", "))
		}
	}
	if writeFaults(s, delivery.Report{Bucket: b.Label, Faults: b.Faults}) {
		return
	}
	if len(b.Findings) > 0 {
		writeFindings(s, delivery.Report{Findings: b.Findings})
	}
	writeProposals(s, b.proposals)
	writeAccepted(s, []bucketOverview{*b.overview()})
	writeMaybeFaults(s, b.MaybeFaults)
}

// unseenPolicies names what of a trail is not looked at.
func unseenPolicies(what []string) []string {
	var out []string
	for _, w := range what {
		switch w {
		case delivery.NotTopicKey:
			w = "its topic's key"
		default:
			w = "its " + w
		}
		out = append(out, "the policy of "+w)
	}
	return out
}

func verdicts(before, after delivery.Verdict) string {
	switch {
	case before == after:
		return string(after) + ", as before"
	case before == iac.NotThere:
		return string(after)
	case after == iac.NotThere:
		return string(before) + ", then deleted"
	}
	return string(before) + ", then " + string(after)
}

func place(o iac.Origin) string {
	if o.File == "" {
		return ""
	}
	return fmt.Sprintf(", %s:%d", o.File, o.Line)
}
