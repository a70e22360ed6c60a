package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestDeliveryFailing(t *testing.T) {
	testStatuses(t, []statusTest{
		{
			"denied though the policy allows", fine,
			trail.Status{ARN: mainARN, Logging: true, DeliveryError: "AccessDenied", DeliveredAt: deliveredAt()},
			[]string{"delivery-failing"},
			[]string{"AccessDenied for log files", "resource control polic", "KMS key", "2026-10-31T08:00:00Z"},
		},
		{
			"denied as the policy says", broken,
			trail.Status{ARN: mainARN, Logging: true, DeliveryError: "AccessDenied"},
			[]string{"policy-missing", "delivery-failing"},
			[]string{"the bucket's policy denies it as well", "no delivery is known to have worked"},
		},
		{
			"no bucket", fine,
			trail.Status{ARN: mainARN, Logging: true, DeliveryError: "NoSuchBucket"},
			[]string{"delivery-failing"},
			[]string{"the bucket does not exist"},
		},
		{
			"key", fine,
			trail.Status{ARN: mainARN, Logging: true, DigestError: "KMS.DisabledException"},
			[]string{"delivery-failing"},
			[]string{"KMS.DisabledException for digest files", "key policy"},
		},
		{
			"both", fine,
			trail.Status{ARN: mainARN, Logging: true, DeliveryError: "SlowDown", DigestError: "AccessDenied"},
			[]string{"delivery-failing"},
			[]string{"SlowDown for log files and AccessDenied for digest files"},
		},
	})
}
