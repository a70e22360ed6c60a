package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// maxFacts is how many lines one labelled fact may have before the rest is only
// counted, so that what to do is never far down.
const maxFacts = 8

// writeFacts writes the labelled lines that carry the story.
func (d *view) writeFacts(p *page) {
	if strings.HasPrefix(d.Report.Bucket, "arn:") {
		p.fact("Trail", d.place())
	} else {
		p.fact("Bucket", d.place())
		p.fact("Verdict", d.verdict())
	}
	if len(d.trails) > 0 {
		p.fact("Trails", some(d.trailLines(), d.left.trails, "trail")...)
		p.fact("Accounts", d.accounts())
	}
	p.fact("Since", d.since())
	p.fact("Changed by", d.changeLines()...)
	if texts := reasons(d.trails); len(texts) > 0 {
		p.fact("Statement", some(texts, 0, "statement")...)
	} else if texts := reasons(d.former); len(texts) > 0 {
		p.fact("Before", some(texts, 0, "statement")...)
	}
	p.fact("Done", some(d.done(), 0, "change")...)
	if d.Blind {
		p.fact("Blind", "No trail of the account is logging, so AWS sends no events of changes any more. Until one "+
			"logs again, only the scheduled sweep sees what happens.")
	}
}

// some returns the first texts and counts the rest, and those left out before.
func some(texts []string, left int, noun string) []string {
	if left += max(len(texts)-maxFacts, 0); left == 0 {
		return texts
	}
	return append(slices.Clone(first(texts, maxFacts)), more(left, noun))
}

func (d *view) place() string {
	parts := []string{}
	if d.Account != "" {
		parts = append(parts, "account "+d.Account)
	}
	if d.Region != "" {
		parts = append(parts, d.Region)
	}
	name := d.Report.Bucket
	if name == "" {
		name = "not known"
	}
	if len(parts) == 0 {
		return name
	}
	return name + " (" + strings.Join(parts, ", ") + ")"
}

func (d *view) verdict() string {
	now := string(d.Report.Verdict)
	switch {
	case d.Before != nil:
		return fmt.Sprintf("%s before, %s now", d.before, now)
	case d.Report.Verdict == delivery.Delivering && d.state.rank() > weak.rank():
		return now + ", as far as the policy decides it; the findings say what is wrong"
	}
	return now
}

func (d *view) trailLines() []string {
	var texts []string
	for _, t := range d.trails {
		text := t.name
		if t.account != "" {
			text += " of account " + t.account
		}
		if t.region != "" {
			text += ", " + t.region
		}
		if t.organization {
			text += " (organization trail)"
		}
		text += ": " + string(t.verdict)
		if names := unmetNames(t.unmet); names != "" {
			text += " (" + names + ")"
		}
		texts = append(texts, text)
	}
	return texts
}

func unmetNames(unmet []delivery.RequirementReport) string {
	var names []string
	for _, r := range unmet {
		names = append(names, string(r.ID))
	}
	return strings.Join(names, ", ")
}

// accounts names the accounts whose events are concerned.
func (d *view) accounts() string {
	var names []string
	for _, t := range d.affected() {
		name := t.account
		if t.organization {
			name += " and the members of its organization"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(some(names, 0, "account"), "; ")
}

func (d *view) since() string {
	if d.Since.IsZero() {
		return "not known"
	}
	text := stamp(d.Since)
	if !d.At.IsZero() {
		if long := lasting(d.Since, d.At); long != "" {
			text += ", " + long + " before this message"
		}
	}
	return text
}

func (d *view) changeLines() []string {
	if len(d.Changes) == 0 {
		return []string{"not known: no event told of the change"}
	}
	var texts []string
	for _, c := range first(d.Changes, maxFacts) {
		texts = append(texts, actorText(c), changeText(c))
	}
	if n := d.left.changes + max(len(d.Changes)-maxFacts, 0); n > 0 {
		texts = append(texts, more(n, "change"))
	}
	return texts
}

func actorText(c delivery.Change) string {
	if c.Actor == "" {
		return "someone not named"
	}
	return c.Actor
}

// changeText says what was called, when and from where.
func changeText(c delivery.Change) string {
	text := c.Event
	if c.ErrorCode != "" {
		text = "failed call of " + c.Event + " (" + c.ErrorCode + ")"
	}
	if c.Trail != "" {
		text += " on " + trailName(c.Trail)
	}
	if !c.Time.IsZero() {
		text += ", " + stamp(c.Time)
	}
	if c.SourceIP != "" {
		text += ", from " + c.SourceIP
	}
	if c.Region != "" {
		text += ", in " + c.Region
	}
	if c.EventID != "" {
		text += ", event " + c.EventID
	}
	if c.UserAgent != "" {
		text += ", with " + c.UserAgent
	}
	return text
}

// reasons says which statements decide, each with what it refuses.
func reasons(trails []hit) []string {
	var order []string
	refused := map[string][]string{}
	for _, t := range trails {
		for _, r := range t.unmet {
			for _, who := range deciders(r) {
				if _, seen := refused[who]; !seen {
					order = append(order, who)
				}
				if id := string(r.ID); !slices.Contains(refused[who], id) {
					refused[who] = append(refused[who], id)
				}
			}
		}
	}
	var texts []string
	for _, who := range order {
		texts = append(texts, who+" "+strings.Join(refused[who], ", "))
	}
	return texts
}

func deciders(r delivery.RequirementReport) []string {
	verb := "leaves open"
	switch r.Decision {
	case policy.ImplicitDeny:
		return []string{"no statement allows"}
	case policy.ExplicitDeny:
		verb = "denies"
	case policy.Allowed, policy.Undetermined, policy.Invalid:
	}
	if len(r.Statements) == 0 {
		return []string{"the policy " + verb}
	}
	var who []string
	for _, s := range r.Statements {
		who = append(who, s+" "+verb)
	}
	return who
}

// done says what Trailwarden did, and why not more.
func (d *view) done() []string {
	var texts []string
	switch d.Kind {
	case Restored:
		texts = append(texts, "The bucket was restored, read back and judged again.")
		texts = append(texts, d.planned()...)
	case RestoreFailed:
		texts = append(texts, "Restoring was tried.")
	case Fight:
		texts = append(texts, "Nothing more is written for now: "+d.repairs()+".")
	case Resolved:
		texts = append(texts, "Nothing by Trailwarden: someone else set it right.")
	case Opened, Changed, Reminder:
		texts = append(texts, d.idle())
	default:
		texts = append(texts, d.idle())
	}
	if d.Failure != "" {
		texts = append(texts, "It failed: "+d.Failure)
	}
	if d.Held != "" {
		texts = append(texts, "Repairs are on hold: "+d.Held)
	}
	if len(d.theirs) > 0 {
		texts = append(texts, "The policy of another writer was replaced by it: see \"Changed by\". Both versions are below.")
	}
	return texts
}

// idle says why nothing was written.
func (d *view) idle() string {
	switch {
	case d.state == stopped:
		return "Nothing was written: Trailwarden neither starts nor creates trails."
	case !d.OptedIn:
		return "Nothing was written: the bucket is not listed for restoring."
	case d.Held != "":
		return "Nothing was written."
	case d.Plan.Empty() && len(d.Plan.Refused) > 0:
		return "Nothing was written: what is wrong cannot be restored safely. The reasons are under \"Not restored\"."
	}
	return "Nothing was written."
}

func (d *view) repairs() string {
	text := plural(d.Repairs, "repair") + " of this bucket"
	if d.Window > 0 {
		text += " within " + lasting(d.At, d.At.Add(d.Window))
	}
	return text
}

// planned says what the plan changes.
func (d *view) planned() []string {
	var texts []string
	for _, c := range d.Plan.Changes {
		text := actionText(c.Action)
		if c.Statement != "" {
			text += " " + c.Statement
		}
		texts = append(texts, text+": "+c.Reason)
	}
	if d.left.planned > 0 {
		texts = append(texts, more(d.left.planned, "change"))
	}
	return texts
}

// actionText returns what was done to a statement in plain words.
func actionText(action string) string {
	switch action {
	case "add":
		return "Added"
	case "mend":
		return "Mended"
	case "merge":
		return "Merged"
	case "harden":
		return "Hardened"
	case "reset-payer":
		return "The bucket's owner pays for requests again"
	}
	return action
}
