package guardrail

import "testing"

// A DeleteTrail event may give the trail's name only. Its ARN is that of the
// region's partition.
func TestARNOf(t *testing.T) {
	for _, test := range []struct{ region, name, want string }{
		{"eu-central-1", "management-events", "arn:aws:cloudtrail:eu-central-1:111111111111:trail/management-events"},
		{"cn-north-1", "management-events", "arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/management-events"},
		{"us-gov-west-1", "management-events", "arn:aws-us-gov:cloudtrail:us-gov-west-1:111111111111:trail/management-events"},
		{"eusc-de-east-1", "management-events", "arn:aws-eusc:cloudtrail:eusc-de-east-1:111111111111:trail/management-events"},
		{"us-east-1", "arn:aws:cloudtrail:eu-west-1:222222222222:trail/org", "arn:aws:cloudtrail:eu-west-1:222222222222:trail/org"},
	} {
		if got := arnOf(Request{Account: "111111111111", Region: test.region, Trail: test.name}); got != test.want {
			t.Errorf("%s in %s: %s, want %s", test.name, test.region, got, test.want)
		}
	}
}
