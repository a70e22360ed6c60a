package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A key that could not be read is never fine.
func TestKeyUnreadable(t *testing.T) {
	tr := mainTrail()
	tr.KMSKeyID = "arn:aws:kms:us-east-1:222222222222:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
	b, s := documented(t, []trail.Trail{tr}, trail.Environment{}), trail.Environment{}
	budget := delivery.NewBudget(b, []trail.Trail{tr})
	before := delivery.JudgeWithin(budget, b, []trail.Trail{tr}, s)
	k := delivery.Key{Key: trail.Key{ARN: tr.KMSKeyID}, Reason: "AccessDeniedException."}
	r := delivery.JudgeChain(budget, before, b, []trail.Trail{tr}, s, delivery.Chain{Keys: []delivery.Key{k}})
	f := finding(t, r, "key-unreadable")
	if before.Verdict != delivery.Delivering || r.Verdict != delivery.Undetermined || !strings.Contains(f.Message, "(AccessDeniedException)") {
		t.Errorf("before %s, then %s: %+v", before.Verdict, r.Verdict, f)
	}
	checkReport(t, r)
	// Nobody looked: the verdict is that of the rest, and says so.
	r = delivery.JudgeChain(budget, before, b, []trail.Trail{tr}, s, delivery.Chain{})
	if r.Verdict != delivery.Delivering || !slices.Equal(r.NotLookedAt, []string{"key"}) {
		t.Errorf("%s, not looked at %v", r.Verdict, r.NotLookedAt)
	}
}
