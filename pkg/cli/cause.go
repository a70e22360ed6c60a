package cli

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// cause is one thing to change, with all findings that it would end. One Deny on
// s3:* is four findings for each trail of each bucket that has it, and one text to
// read.
type cause struct {
	delivery.Finding // the worst of them, as the example
	Types            []causeType
	Places           []causePlace
	// Differs says that the remedies differ in the names of bucket and trail: what
	// is shown is that of the first place.
	Differs bool
}

// causeType is a type of finding among those of a cause.
type causeType struct {
	ID       string
	Severity delivery.Severity
}

// causePlace is a bucket, and those of its trails that are concerned.
type causePlace struct {
	Bucket string
	Trails []string // ARNs; none: the bucket as a whole
}

// causesOf returns the causes of all findings of some buckets, the worst first, and
// of those the one with the most places.
func causesOf(buckets []bucketOverview) []cause {
	index := map[string]int{}
	var out []cause
	for i := range buckets {
		b := &buckets[i]
		for _, f := range b.Report.Findings {
			key := causeKey(b.Bucket.Name, f)
			at, known := index[key]
			if !known {
				at = len(out)
				index[key] = at
				out = append(out, cause{Finding: f})
			}
			out[at].add(b.Bucket.Name, f)
		}
	}
	for i := range out {
		types := out[i].Types
		slices.SortStableFunc(types, func(a, b causeType) int { return a.Severity.Rank() - b.Severity.Rank() })
	}
	slices.SortStableFunc(out, func(a, b cause) int {
		return cmp.Or(a.Severity.Rank()-b.Severity.Rank(), len(b.Places)-len(a.Places))
	})
	return out
}

// causeKey is equal for findings that one text can tell how to mend: they differ at
// most in the names of bucket and trail.
func causeKey(bucket string, f delivery.Finding) string {
	trailARN := regexp.MustCompile(`arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:trail/[A-Za-z0-9._-]+`)
	remedy := trailARN.ReplaceAllString(f.Remedy+"\x00"+f.Edit, "\x01trail")
	remedy = strings.ReplaceAll(remedy, bucket, "\x01bucket")
	family := string(f.Kind)
	if t, ok := delivery.LookupType(f.ID); ok {
		// Denied and undetermined ones have causes that they share with others of
		// their family; any other finding is a cause of its own.
		family = t.Family
	}
	return strings.Join(append([]string{family, remedy}, f.Statements...), "\x00")
}

func (c *cause) add(bucket string, f delivery.Finding) {
	if f.Severity.Rank() < c.Severity.Rank() {
		c.Finding = f
	}
	c.Differs = c.Differs || f.Remedy != c.Remedy || f.Edit != c.Edit
	if kind := (causeType{f.ID, f.Severity}); !slices.Contains(c.Types, kind) {
		c.Types = append(c.Types, kind)
	}
	// Findings come bucket by bucket.
	last := len(c.Places) - 1
	if last < 0 || c.Places[last].Bucket != bucket {
		c.Places, last = append(c.Places, causePlace{Bucket: bucket}), last+1
	}
	if place := &c.Places[last]; f.Trail != "" && !slices.Contains(place.Trails, f.Trail) {
		place.Trails = append(place.Trails, f.Trail)
	}
}

// mostPlaces is how many buckets of a cause are named in text.
const mostPlaces = 50

// String names the bucket, and its trails where they are more than one.
func (p causePlace) String() string {
	if len(p.Trails) < 2 {
		return p.Bucket
	}
	var names []string
	for _, t := range p.Trails {
		names = append(names, trailName(t))
	}
	return p.Bucket + " (" + strings.Join(names, ", ") + ")"
}

// Controls are the controls of standards that its findings touch.
func (c cause) Controls() []string {
	var ids []string
	for _, kind := range c.Types {
		ids = append(ids, kind.ID)
	}
	return delivery.Controls(ids)
}

// trailName is the name in a trail's ARN.
func trailName(trailARN string) string {
	return strings.TrimPrefix(arn.Split(trailARN).Resource, "trail/")
}

// writeCauses prints what is wrong, each cause once. Several says that the buckets
// are to be named.
func writeCauses(s screen, causes []cause, several bool) {
	// A statement blocks several things, and each has its own remedy for it.
	shown := map[string]bool{}
	for _, c := range causes {
		s.printf("\n")
		for _, severity := range []delivery.Severity{
			delivery.Critical, delivery.High, delivery.Medium, delivery.Low, delivery.Informational,
		} {
			var ids []string
			for _, t := range c.Types {
				if t.Severity == severity {
					ids = append(ids, t.ID)
				}
			}
			if len(ids) > 0 {
				for _, line := range wrap(string(severity)+" "+clean(strings.Join(ids, ", ")), s.width) {
					s.printf("%s\n", s.paint(severityTone(severity), line))
				}
			}
		}
		if several {
			var places []string
			for _, p := range c.Places[:min(len(c.Places), mostPlaces)] {
				places = append(places, p.String())
			}
			if more := len(c.Places) - len(places); more > 0 {
				places = append(places, fmt.Sprintf("and %d buckets more, which --format json and html name", more))
			}
			s.hanging(2, "at     ", clean(strings.Join(places, ", ")))
		} else {
			label := "trail  "
			for _, t := range c.Places[0].Trails {
				s.hanging(2, label, clean(t))
				label = "       "
			}
		}
		if len(c.Statements) > 0 {
			s.hanging(2, "by     ", statementNames(c.Statements))
		}
		s.hanging(2, "what   ", clean(c.Message))
		if several && c.Differs {
			s.hanging(2, "remedy ", clean("With the names of each bucket and trail; here those of "+c.Places[0].Bucket+": "+c.Remedy))
		} else {
			s.hanging(2, "remedy ", clean(c.Remedy))
		}
		if c.Edit != "" && !shown[c.Edit] {
			shown[c.Edit] = true
			s.printf("  the statement as it would have to read:\n")
			s.block(4, c.Edit)
		}
	}
}
