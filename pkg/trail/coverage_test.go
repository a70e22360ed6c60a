package trail_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

const auditKey = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555"

// full is a trail that covers all that a trail can.
func full(change func(*trail.Trail)) trail.Trail {
	t := mainOf(func(t *trail.Trail) {
		t.Organization, t.MultiRegion, t.GlobalEvents, t.LogFileValidation, t.KMSKeyID = true, true, true, true, auditKey
	})
	if change != nil {
		change(&t)
	}
	return t
}

func TestCoverageLess(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		now  trail.Trail
		want []trail.Part
	}{
		"the same":            {full(nil), nil},
		"members":             {full(func(t *trail.Trail) { t.Organization = false }), []trail.Part{trail.PartMembers}},
		"regions":             {full(func(t *trail.Trail) { t.MultiRegion = false }), []trail.Part{trail.PartRegions}},
		"regions and global":  {full(func(t *trail.Trail) { t.MultiRegion, t.GlobalEvents = false, false }), []trail.Part{trail.PartRegions, trail.PartGlobal}},
		"validation":          {full(func(t *trail.Trail) { t.LogFileValidation = false }), []trail.Part{trail.PartValidation}},
		"key":                 {full(func(t *trail.Trail) { t.KMSKeyID = "" }), []trail.Part{trail.PartKey}},
		"another key":         {full(func(t *trail.Trail) { t.KMSKeyID += "0" }), nil},
		"another bucket":      {full(func(t *trail.Trail) { t.Bucket, t.Prefix = "elsewhere", "p" }), nil},
		"selectors not known": {full(func(t *trail.Trail) { t.CustomSelectors = true }), nil},
		"writes": {
			full(func(t *trail.Trail) { t.SelectorsKnown, t.Unlogged = true, trail.Unlogged{Writes: true} }),
			[]trail.Part{trail.PartManagement},
		},
		"the calls of KMS": {
			full(func(t *trail.Trail) {
				t.SelectorsKnown, t.Unlogged = true, trail.Unlogged{Sources: "kms.amazonaws.com"}
			}),
			[]trail.Part{trail.PartManagement},
		},
	} {
		if got := tt.now.Coverage().Less(full(nil).Coverage()); !slices.Equal(got, tt.want) {
			t.Errorf("%s: lost %v, want %v", name, got, tt.want)
		}
		if got := full(nil).Coverage().Less(tt.now.Coverage()); len(got) != 0 {
			t.Errorf("%s: the other way round %v is lost", name, got)
		}
	}
}

func coverages() *rapid.Generator[trail.Coverage] {
	return rapid.Custom(func(t *rapid.T) trail.Coverage {
		flag := rapid.Bool()
		c := trail.Coverage{
			Organization: flag.Draw(t, "organization"), MultiRegion: flag.Draw(t, "multiRegion"), GlobalEvents: flag.Draw(t, "global"),
			SelectorsKnown: flag.Draw(t, "known"), Validation: flag.Draw(t, "validation"),
			KMSKeyID: rapid.SampledFrom([]string{"", auditKey, auditKey + "0"}).Draw(t, "key"),
		}
		if c.SelectorsKnown {
			c.Unlogged = trail.Unlogged{
				Reads: flag.Draw(t, "reads"), Writes: flag.Draw(t, "writes"),
				Sources: rapid.SampledFrom([]string{"", "kms.amazonaws.com", "kms.amazonaws.com, rdsdata.amazonaws.com"}).Draw(t, "sources"),
			}
			if c.Unlogged.Reads && c.Unlogged.Writes {
				c.Unlogged.Sources = ""
			}
		}
		return c
	})
}

// What either covers is no less than each, and what was accepted as lost is not
// lost any more.
func TestCoverageProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := coverages().Draw(t, "a"), coverages().Draw(t, "b")
		if lost := a.Less(a); len(lost) > 0 {
			t.Fatalf("it covers less than itself: %v", lost)
		}
		either := a.With(b)
		for _, c := range []trail.Coverage{a, b} {
			if lost := either.Less(c); len(lost) > 0 {
				t.Fatalf("%+v covers less than %+v: %v", either, c, lost)
			}
		}
		if lost := b.Less(a.Without(b.Less(a), b)); len(lost) > 0 {
			t.Fatalf("accepted, and yet lost: %v", lost)
		}
	})
}

// An error says nothing of a bucket that was changed since.
func TestFailedBefore(t *testing.T) {
	t.Parallel()
	changed := time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)
	minutes := func(n int) time.Time { return changed.Add(time.Duration(n) * time.Minute) }
	for name, tt := range map[string]struct {
		status trail.Status
		now    time.Time
		want   bool
	}{
		"no error":                             {trail.Status{}, minutes(1), false},
		"tried before":                         {trail.Status{DeliveryError: "AccessDenied", DeliveryAttempt: minutes(-1)}, minutes(600), true},
		"tried since":                          {trail.Status{DeliveryError: "AccessDenied", DeliveryAttempt: minutes(1)}, minutes(2), false},
		"not known, minutes later":             {trail.Status{DeliveryError: "AccessDenied", DeliveredAt: minutes(-5)}, minutes(14), true},
		"not known, later":                     {trail.Status{DeliveryError: "AccessDenied", DeliveredAt: minutes(-5)}, minutes(15), false},
		"not known, never delivered, later":    {trail.Status{DeliveryError: "AccessDenied"}, minutes(16), false},
		"not known, delivered since":           {trail.Status{DeliveryError: "AccessDenied", DeliveredAt: minutes(1)}, minutes(2), false},
		"digest, not known, minutes later":     {trail.Status{DigestError: "AccessDenied", DeliveredAt: minutes(1)}, minutes(16), true},
		"digest, not known, more than an hour": {trail.Status{DigestError: "AccessDenied", DeliveredAt: minutes(1)}, minutes(76), false},
		"digest, not known, delivered since":   {trail.Status{DigestError: "AccessDenied", DigestDeliveredAt: minutes(1)}, minutes(2), false},
	} {
		if got := tt.status.FailedBefore(changed, tt.now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (trail.Status{DeliveryError: "AccessDenied"}).FailedBefore(time.Time{}, changed) {
		t.Error("nothing was changed, and yet the error is taken for an old one")
	}
}
