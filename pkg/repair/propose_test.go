package repair_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// chainRow is a row of the corpora of keys and topics of package delivery.
type chainRow struct {
	ID, Resource  string
	Policy, Trail json.RawMessage
	Setting       struct {
		Owner        string `json:"bucket_owner"`
		Region       string `json:"bucket_region"`
		Organization string `json:"organization_id"`
		BucketKey    *bool  `json:"bucket_key"`
		Key          *chainKey
		Topic        *struct {
			ARN string
			Key *chainKey `json:"kms_key"`
		}
	}
}

type chainKey struct {
	ARN, State, Spec, Usage, Manager string
	Policy                           json.RawMessage
}

func (k chainKey) observed(t *testing.T, text []byte) *delivery.Key {
	t.Helper()
	out := &delivery.Key{Key: trail.Key{ARN: k.ARN, State: k.State, Spec: k.Spec, Usage: k.Usage, Manager: k.Manager}}
	if len(text) > 0 && string(text) != "null" {
		out.Policy = read(t, policy.KMS(), text)
	}
	return out
}

func read(t *testing.T, d policy.Dialect, text []byte) *policy.Document {
	t.Helper()
	doc, err := d.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestProposals: of every row of the corpora, what a statement can mend is mended by the
// proposals, and what none can is refused. The statements read as AWS's, and their Sids are new.
func TestProposals(t *testing.T) {
	proposed := 0
	for _, file := range []string{"checks.jsonl", "more.jsonl"} {
		for _, c := range corpus.Rows[chainRow](t, "../delivery/testdata/chain/"+file) {
			t.Run(c.ID, func(t *testing.T) { proposed += checkProposals(t, c) })
		}
	}
	if proposed < 30 {
		t.Errorf("%d statements are proposed", proposed)
	}
}

func checkProposals(t *testing.T, c chainRow) int {
	t.Helper()
	trails, err := trail.Parse(c.Trail)
	if err != nil {
		t.Fatal(err)
	}
	env := trail.Environment{
		Now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), BucketOwner: c.Setting.Owner, BucketRegion: c.Setting.Region,
		Organization: trail.Organization{Known: c.Setting.Organization != "", ID: c.Setting.Organization},
	}
	b := delivery.Bucket{Name: trails[0].Bucket}
	chain := delivery.Chain{BucketKeys: trail.Off}
	if c.Setting.BucketKey != nil && *c.Setting.BucketKey {
		chain.BucketKeys = trail.On
	}
	if c.Setting.Key != nil {
		chain.Keys = []delivery.Key{*c.Setting.Key.observed(t, c.Policy)}
	}
	if topic := c.Setting.Topic; topic != nil {
		observed := delivery.Topic{Topic: trail.Topic{ARN: topic.ARN}, Document: read(t, policy.SNS(), c.Policy)}
		if topic.Key != nil {
			observed.KMSKeyID, observed.Key = topic.Key.ARN, topic.Key.observed(t, topic.Key.Policy)
		}
		chain.Topics = []delivery.Topic{observed}
	}
	budget := policy.NewBudget(policy.DecisionSteps)
	judge := func(chain delivery.Chain) delivery.Report {
		r := delivery.Report{Trails: []delivery.TrailReport{{ARN: trails[0].ARN, Verdict: delivery.Delivering}}}
		return delivery.JudgeChain(budget, r, b, trails, env, chain)
	}
	report := judge(chain)
	proposals, refused := repair.Propose(budget, b, trails, env, chain, report)
	for _, p := range proposals {
		var st struct {
			Sid, Effect string
			Principal   map[string]string
			Condition   map[string]any
		}
		if err := json.Unmarshal(p.Statement, &st); err != nil || st.Effect != "Allow" || st.Principal["Service"] != trail.ServicePrincipal || len(st.Condition) == 0 {
			t.Errorf("%v: %s", err, p.Statement)
		}
		add := func(doc **policy.Document) {
			if *doc, err = (*doc).With(nil, p.Statement); err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, other := range (*doc).All() {
				if other.Sid == st.Sid {
					count++
				}
			}
			if count != 1 {
				t.Errorf("%d statements have the Sid %q", count, st.Sid)
			}
		}
		for i := range chain.Keys {
			if p.ARN == chain.Keys[i].ARN {
				add(&chain.Keys[i].Policy)
			}
		}
		for i := range chain.Topics {
			switch topic := &chain.Topics[i]; {
			case p.ARN == topic.ARN && p.Target == trail.OfTopic:
				add(&topic.Document)
			case topic.Key != nil && p.ARN == topic.Key.ARN:
				add(&topic.Key.Policy)
			}
		}
	}
	after := judge(chain)
	for _, f := range after.Findings {
		known, _ := delivery.LookupType(f.ID)
		isRefused := slices.ContainsFunc(refused, func(r repair.Refusal) bool { return r.Finding == f.ID && r.Trail == f.Trail })
		if ofChain := known.Source == delivery.SourceKey || known.Source == delivery.SourceTopic; ofChain != isRefused {
			t.Errorf("left over: %s, refused: %t", f.ID, isRefused)
		}
	}
	if len(proposals) == 0 && len(after.Findings) != len(report.Findings) || len(refused) > len(after.Findings) {
		t.Errorf("before %v, after %v, refused %v", report.Findings, after.Findings, refused)
	}
	return len(proposals)
}
