package iac

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Change says what a plan does to a trail, or to a bucket: the worst of what it does to
// its trails.
type Change string

// The changes, from bad to good.
const (
	Broken      Change = "broken"       // it was not blocked, and is after
	Removed     Change = "removed"      // the trail is deleted, and records nothing more
	Uncertain   Change = "unknown"      // it is not known any more whether it can be delivered
	StillBroken Change = "still-broken" // it is blocked before and after
	New         Change = "new"          // there was no such trail
	Mended      Change = "mended"       // it was blocked, and is delivered after
	Unchanged   Change = "unchanged"
)

// NotThere is the verdict on what there is not.
const NotThere delivery.Verdict = "absent"

// changeOf is the change from one verdict to another. Same says that what was
// judged is the same.
func changeOf(before, after delivery.Verdict, same bool) Change {
	switch {
	case before == NotThere:
		return New
	case after == NotThere:
		return Removed
	case after == delivery.Blocked && before == delivery.Blocked:
		return StillBroken
	case after == delivery.Blocked:
		return Broken
	case after == delivery.Undetermined && (before != delivery.Undetermined || !same):
		return Uncertain
	case after == delivery.Delivering && before == delivery.Blocked:
		return Mended
	}
	return Unchanged
}

// rank orders changes from bad to good.
func (c Change) rank() int {
	return slices.Index([]Change{Broken, Removed, Uncertain, StillBroken, New, Mended, Unchanged}, c)
}

// BucketReport is what a plan does to a bucket of trails.
type BucketReport struct {
	// Bucket is the bucket's name, empty if it is not known or not to be shown.
	Bucket string
	// Label is what to call it: its name, or the address of its resource.
	Label string
	// Origin is where its policy is written, or else the bucket, or a trail.
	Origin
	Before, After delivery.Verdict
	Change        Change
	Trails        []TrailChange
	// Findings are those on what is after. News says that some of them are new.
	News                bool
	Findings            []delivery.Finding
	Faults, MaybeFaults []string
	Gaps                []Gap
	// Subject is what was judged after; its bucket's name is empty if there is none.
	Subject   Subject
	Sensitive bool

	madeUp      []replacement
	chainPlaces map[string]Origin // of the policies of keys and topics, by ARN as it is shown
}

// TrailChange is what a plan does to a trail.
type TrailChange struct {
	delivery.TrailReport

	// Address is empty for a trail that is not in the plan. Admitted says that it is one that
	// the policy admitted before.
	Address  string
	Admitted bool
	// NotificationBefore is what Notification was, empty if it had no topic, or was not there.
	NotificationBefore delivery.Verdict
	// NotLookedAt is what else hangs on something, and was not judged: "key", "topic", "topic-key".
	NotLookedAt   []string
	Before, After delivery.Verdict
	Change        Change
}
