package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// The finding names the statement, the policy and what is denied besides, and how far it goes.
func TestRCPDenied(t *testing.T) {
	rows := map[string]rcpRow{}
	for _, row := range rcpRows(t) {
		rows[row.ID] = row
	}
	for id, want := range map[string]struct {
		severity delivery.Severity
		words    []string
	}{
		"R01": {delivery.Critical, []string{
			"CloudTrail cannot write the log files of trail main of account 555555555555 to bucket central-logs, whatever the policy of the bucket says",
			`the resource control policy "Identity perimeter" (p-exampledep1)`, "Denied besides: bucket-acl and preflight-marker.", "aws:SourceOrgID is absent",
		}},
		"R21": {delivery.High, []string{"CloudTrail cannot check the ACL"}},
		"R22": {delivery.Critical, []string{"It stands in a resource control policy, not in the policy of the bucket."}},
		"R23": {delivery.Critical, []string{"CloudTrail cannot encrypt the files of trail main", "whatever the policy of the key says"}},
	} {
		c := rows[id].read(t)
		f := finding(t, c.judge(c.rcps), delivery.RCPDeniedID)
		for _, words := range want.words {
			if !strings.Contains(f.Message, words) {
				t.Errorf("%s lacks %q: %s", id, words, f.Message)
			}
		}
		if f.Severity != want.severity || f.Kind != delivery.Outage || !strings.Contains(f.Remedy, "management account") {
			t.Errorf("%s: %+v", id, f)
		}
		known, _ := delivery.LookupType(f.ID)
		if reason := known.Refusal(f); !strings.HasPrefix(reason, "A resource control policy is never edited") {
			t.Errorf("%s: %s", id, reason)
		}
	}
}
