package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// A change is unheard from when a sweep finds it until an event of the bucket comes.
func TestSeen(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2026, 9, 13, 18, minutes, 0, 0, time.UTC) }
	var r ledger.Record
	for _, step := range []struct {
		name string
		look ledger.Look
		want ledger.Seen
	}{
		{"the first look", ledger.Look{Policy: "a", At: at(0)}, ledger.Seen{Policy: "a", First: at(0), Since: at(0)}},
		{"nothing new", ledger.Look{Policy: "a", At: at(1)}, ledger.Seen{Policy: "a", First: at(0), Since: at(0)}},
		{"an event tells", ledger.Look{Policy: "b", At: at(2), Heard: true}, ledger.Seen{Policy: "b", First: at(0), Since: at(2)}},
		{"a sweep finds", ledger.Look{Policy: "c", At: at(3)}, ledger.Seen{Policy: "c", First: at(0), Since: at(3), Unheard: true}},
		{"and once more", ledger.Look{Policy: "c", At: at(4)}, ledger.Seen{Policy: "c", First: at(0), Since: at(3), Unheard: true}},
		{
			"a repair settles nothing",
			ledger.Look{Policy: "a", At: at(5), Replaced: "c"},
			ledger.Seen{Policy: "a", First: at(0), Since: at(3), Unheard: true},
		},
		{"an event comes", ledger.Look{Policy: "a", At: at(6), Heard: true}, ledger.Seen{Policy: "a", First: at(0), Since: at(3)}},
		{
			"a repair of what was heard",
			ledger.Look{Policy: "d", At: at(7), Heard: true, Replaced: "e"},
			ledger.Seen{Policy: "d", First: at(0), Since: at(7)},
		},
		{"a repair that a trail asks for", ledger.Look{Policy: "f", At: at(8), Replaced: "d"}, ledger.Seen{Policy: "f", First: at(0), Since: at(7)}},
		{
			"a repair of what a sweep finds",
			ledger.Look{Policy: "f", At: at(9), Replaced: "g"},
			ledger.Seen{Policy: "f", First: at(0), Since: at(9), Unheard: true},
		},
		{"an event, and what was read may be older", ledger.Look{Policy: "f", Unsure: true, At: at(10), Heard: true}, ledger.Seen{Policy: "f", Unsure: true, First: at(0), Since: at(9)}},
		{"what is seen after that", ledger.Look{Policy: "", At: at(11)}, ledger.Seen{First: at(0), Since: at(9)}},
		{"a policy where there was none", ledger.Look{Policy: "h", At: at(12)}, ledger.Seen{Policy: "h", First: at(0), Since: at(12), Unheard: true}},
	} {
		step.look.Exact, step.look.Region = step.look.Policy, "eu-west-1"
		step.want.Exact, step.want.Region = step.want.Policy, "eu-west-1"
		r = r.See(step.look)
		if diff := cmp.Diff(&step.want, r.Seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// A role that is deleted changes the text of the policy, and no call of S3 does.
func TestCalledPolicy(t *testing.T) {
	policy := func(principal, effect string) []byte {
		return []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":{"AWS":` + principal + `},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`)
	}
	role := ledger.CalledPolicy(policy(`"arn:aws:iam::111122223333:role/reader"`, "Allow"))
	for _, same := range []string{`"AROAEXAMPLE6B76735E29"`, `["AIDAEXAMPLE6B76735E29"]`, `"arn:aws:sts::111122223333:assumed-role/reader/me"`} {
		if ledger.CalledPolicy(policy(same, "Allow")) != role {
			t.Errorf("%s is another policy", same)
		}
	}
	for name, other := range map[string][]byte{
		"another effect": policy(`"arn:aws:iam::111122223333:role/reader"`, "Deny"), "everybody": policy(`"*"`, "Allow"), "nothing": nil,
	} {
		if ledger.CalledPolicy(other) == role {
			t.Errorf("%s is the same policy", name)
		}
	}
}
