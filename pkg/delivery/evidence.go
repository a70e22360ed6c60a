package delivery

import (
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Evidence is what is known beside the statuses of trails, by which it is told whether files
// must have arrived. Of the zero value nothing follows.
type Evidence struct {
	// Now is the time for which is judged; zero: not known.
	Now time.Time
	// Changed is when what the deliveries of a trail hang on was last known to have changed, by the
	// trail's ARN; zero: it is not known to have. What arrived before says nothing of how it is now.
	Changed map[string]time.Time
	// Asked is the account that gave the status of a trail, by the trail's ARN.
	Asked map[string]string
	// Calls are calls to CloudTrail that are known to have been made. Each is a management
	// read event of the account and region.
	Calls []AccountCall
}

// AccountCall is a call that an account made in a region, by itself or through a role of it.
type AccountCall struct {
	Account, Region string
	At              time.Time
}

// ofOwner reports whether the status of a trail is that of its owner, whom alone CloudTrail tells
// of its deliveries.
func (e Evidence) ofOwner(t trail.Trail) bool {
	return t.Account() != "" && e.Asked[t.ARN] == t.Account()
}

// call returns the last call from before the time that the trail has recorded in its home region:
// a status is that of the region which was asked, and is asked for there.
func (e Evidence) call(t trail.Trail, before time.Time) (last AccountCall, ok bool) {
	unlogged, known := t.ManagementEvents()
	if !known || unlogged.Reads || unlogged.LeavesOut(cloudTrailSource) {
		return AccountCall{}, false
	}
	for _, c := range e.Calls {
		if c.Account == t.Account() && c.Region == t.HomeRegion && !c.At.After(before) && c.At.After(last.At) {
			last, ok = c, true
		}
	}
	return last, ok
}

// cloudTrailSource is the event source of CloudTrail's own API.
const cloudTrailSource = "cloudtrail.amazonaws.com"

// latest returns the last of the times.
func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}
