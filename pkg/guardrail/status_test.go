package guardrail_test

import (
	"context"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// closedTrails may not be asked for selectors, or for nothing at all.
type closedTrails struct {
	open   guardrail.Trails
	status trail.Status
}

func (c closedTrails) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	return c.open.Trails(ctx, account, region)
}

func (c closedTrails) Status(_ context.Context, _ string, t trail.Trail) (trail.Trail, trail.Status, error) {
	return t, c.status, &guardrail.PortError{Op: "cloudtrail:GetEventSelectors", Class: guardrail.Denied, Code: "AccessDeniedException", Err: errFault}
}

// A status that may not be read says nothing; one whose trail's selectors may
// not be read says all that it says.
func TestStatusThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status trail.Status
		want   string
	}{
		"nothing readable": {trail.Status{}, ""},
		"logging":          {trail.Status{ARN: mainTrail().ARN, Logging: true}, ""},
		"stopped":          {trail.Status{ARN: mainTrail().ARN}, "opened"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ports.Trails = closedTrails{w.Account, test.status}
			w.rebuild()
			w.sweep(t)
			w.wantKinds(t, test.want)
		})
	}
}

// What S3 does not let the guard write is refused with what to do about it.
func TestWriteThatIsDenied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ words, want string }{
		"no permission":       {"Access Denied", "allow s3:PutBucketPolicy"},
		"public access block": {"public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access", "Block Public Access is on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ports.Buckets = refusing{w.Account, test.words}
			w.rebuild()
			w.reconcile(t, w.put(t, readerOnly()))
			w.wantKinds(t, "restore-failed")
			if told := strings.Join(strings.Fields(w.lastAlert(t)), " "); !strings.Contains(told, test.want) {
				t.Errorf("the alert lacks %q:\n%s", test.want, w.lastAlert(t))
			}
		})
	}
}
