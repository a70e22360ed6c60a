package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestTrailNotStarted(t *testing.T) {
	testStatuses(t, []statusTest{
		{
			"made minutes ago", fine,
			trail.Status{ARN: mainARN, New: true},
			[]string{"trail-not-started"},
			[]string{"minutes ago", "start-logging --name " + mainARN},
		},
		{"made some time ago", fine, trail.Status{ARN: mainARN}, []string{"trail-stopped"}, nil},
		{"made, started and stopped minutes ago", fine, trail.Status{ARN: mainARN, New: true, StartedLoggingAt: deliveredAt(), StoppedLoggingAt: deliveredAt()}, []string{"trail-stopped"}, nil},
		{"made and started minutes ago", fine, trail.Status{ARN: mainARN, New: true, Logging: true, StartedLoggingAt: deliveredAt()}, []string{}, nil},
	})
}
