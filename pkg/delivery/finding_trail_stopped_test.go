package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestTrailStopped(t *testing.T) {
	testStatuses(t, []statusTest{
		{
			"stopped", fine,
			trail.Status{ARN: mainARN, StoppedLoggingAt: deliveredAt()},
			[]string{"trail-stopped"},
			[]string{"2026-10-31T08:00:00Z", "start-logging --name " + mainARN},
		},
	})
}
