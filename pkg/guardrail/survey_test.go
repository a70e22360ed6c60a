package guardrail_test

import (
	"context"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const forwarding = "222222222222"

func forwardedTrail() trail.Trail {
	return trail.Trail{
		Name: "theirs", ARN: "arn:aws:cloudtrail:us-east-1:222222222222:trail/theirs",
		HomeRegion: region, Bucket: bucket, MultiRegion: true,
	}
}

// elsewhere answers for another account too, as a role there does.
type elsewhere struct {
	port guardrail.Trails

	trails []trail.Trail
	err    error
}

func (e *elsewhere) Trails(ctx context.Context, a, r string) ([]trail.Trail, error) {
	if a == forwarding {
		return e.trails, e.err
	}
	return e.port.Trails(ctx, a, r)
}

func (e *elsewhere) Status(ctx context.Context, a string, t trail.Trail) (trail.Trail, trail.Status, error) {
	if a == forwarding {
		return t, trail.Status{ARN: t.ARN, Logging: true}, nil
	}
	return e.port.Status(ctx, a, t)
}

// TestSweepOverForwardedTrails sweeps after an event of another account told of
// a trail that the guard's own account does not see.
func TestSweepOverForwardedTrails(t *testing.T) {
	w := newWorld(t, listOnly)
	other := &elsewhere{port: w.Account, trails: []trail.Trail{forwardedTrail()}}
	w.ports.Trails = other
	w.config.Owners = map[string]string{bucket: account}
	w.rebuild()
	r := w.event("CreateTrail")
	r.Account, r.Bucket, r.Trail = forwarding, bucket, other.trails[0].ARN
	w.reconcile(t, r)
	w.wantKinds(t, "opened")
	w.sweep(t)
	w.wantKinds(t, "opened")
}

// TestSweepOverForwardedTrailThatCannotBeRead says nothing of a bucket whose
// trails are not known for now, and fails.
func TestSweepOverForwardedTrailThatCannotBeRead(t *testing.T) {
	w := newWorld(t, listOnly)
	other := &elsewhere{port: w.Account, trails: []trail.Trail{forwardedTrail()}}
	w.ports.Trails = other
	w.config.Owners = map[string]string{bucket: account}
	w.rebuild()
	r := w.event("CreateTrail")
	r.Account, r.Bucket, r.Trail = forwarding, bucket, other.trails[0].ARN
	w.reconcile(t, r)
	for _, class := range []guardrail.Class{guardrail.Transient, guardrail.Denied} {
		other.trails, other.err = nil, &guardrail.PortError{Op: "sts:AssumeRole", Class: class, Err: errFault}
		if _, err := w.guard.Sweep(t.Context(), account, region); err == nil {
			t.Errorf("%s: the sweep did not fail", class)
		}
		w.wantKinds(t, "opened")
	}
	other.err = nil
	w.sweep(t)
	if w.kinds() == "opened" {
		t.Error("it was not told that the trail is gone")
	}
}
