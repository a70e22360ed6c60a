package delivery_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// rcpRow is a row of the corpus of resource control policies: those of the bucket's account, and a
// trail whose bucket and key have the policies that AWS documents.
type rcpRow struct {
	ID, Why, Source string
	Trail           json.RawMessage
	Setting         struct {
		Owner        string   `json:"bucket_owner"`
		Organization string   `json:"organization_id"`
		Management   string   `json:"management_account"`
		Members      []string `json:"members"`
	}
	RCPs []struct {
		ID, Name string
		Content  json.RawMessage
	}
	Unread      string
	Expect      delivery.Verdict
	Findings    []string
	Statements  []string
	Decisions   map[trail.RequirementID]policy.Outcome
	Target      trail.Target
	NotLookedAt []string
}

// rcpCase is what a row comes to.
type rcpCase struct {
	bucket delivery.Bucket
	trails []trail.Trail
	env    trail.Environment
	chain  delivery.Chain
	rcps   delivery.RCPs
}

func (c rcpRow) read(t *testing.T) rcpCase {
	t.Helper()
	trails, err := trail.Parse(c.Trail)
	if err != nil {
		t.Fatal(err)
	}
	out := rcpCase{trails: trails, env: trail.Environment{
		Now: now(), Bucket: trails[0].Bucket, BucketOwner: c.Setting.Owner, BucketRegion: "us-east-1",
		Organization: trail.Organization{
			Known: c.Setting.Organization != "", ID: strings.TrimPrefix(c.Setting.Organization, "none"),
			ManagementAccount: c.Setting.Management, Members: c.Setting.Members,
		},
	}}
	documented, err := trail.DocumentedPolicy(trails, out.env)
	if err != nil {
		t.Fatal(err)
	}
	out.bucket = delivery.Bucket{
		Name: trails[0].Bucket, Owner: c.Setting.Owner, Region: "us-east-1",
		State: delivery.PolicyRead, Policy: parse(t, string(documented)),
	}
	if key := trails[0].KMSKeyID; key != "" {
		var texts [][]byte
		for _, st := range trail.KeyStatements(trails, trail.Off) {
			texts = append(texts, st.Text())
		}
		empty := parseIn(t, policy.KMS(), []byte(`{"Version":"2012-10-17","Statement":[]}`))
		doc, err := empty.With(nil, texts...)
		if err != nil {
			t.Fatal(err)
		}
		out.chain = delivery.Chain{BucketKeys: trail.Off, Keys: []delivery.Key{{Key: trail.Key{ARN: key, State: "Enabled"}, Policy: doc}}}
	}
	out.rcps = delivery.RCPs{Account: c.Setting.Owner, Unread: c.Unread}
	for _, p := range c.RCPs {
		out.rcps.Policies = append(out.rcps.Policies, rcpOf(t, p.ID, p.Name, p.Content))
	}
	return out
}

func rcpOf(t *testing.T, id, name string, text []byte) policy.RCP {
	t.Helper()
	p, err := policy.ParseRCP(id, name, text)
	if err != nil {
		t.Fatal(err)
	}
	if faults := p.Faults(); len(faults) > 0 {
		t.Fatalf("%s: %v", id, faults)
	}
	return p
}

// without is the judgement by the policies of bucket and key alone.
func (c rcpCase) without(budget *policy.Budget) delivery.Report {
	r := delivery.JudgeWithin(budget, c.bucket, c.trails, c.env)
	return delivery.JudgeChain(budget, r, c.bucket, c.trails, c.env, c.chain)
}

func (c rcpCase) judge(given ...delivery.RCPs) delivery.Report {
	budget := delivery.NewBudget(c.bucket, c.trails)
	return delivery.JudgeRCPs(budget, c.without(budget), c.bucket, c.trails, c.env, c.chain, given...)
}

func rcpRows(t *testing.T) []rcpRow {
	t.Helper()
	rows := corpus.Rows[rcpRow](t, "testdata/rcp/checks.jsonl")
	if len(rows) < 26 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

// TestRCPCorpus judges every row. Each bucket would be delivering without resource control policies.
func TestRCPCorpus(t *testing.T) {
	for _, row := range rcpRows(t) {
		t.Run(row.ID+" "+row.Why, func(t *testing.T) {
			c := row.read(t)
			r := c.judge(c.rcps)
			if r.Verdict != row.Expect || !slices.Equal(ids(r.Findings), row.Findings) {
				t.Errorf("%s with %v, want %s with %v\n%s", r.Verdict, ids(r.Findings), row.Expect, row.Findings, show(r))
			}
			for _, f := range r.Findings {
				if !slices.Equal(f.Statements, row.Statements) || f.Restorable || f.Target != row.Target {
					t.Errorf("finding %s by %v of %q, restorable %v; want %v of %q", f.ID, f.Statements, f.Target, f.Restorable, row.Statements, row.Target)
				}
			}
			for id, want := range row.Decisions {
				if got := requirement(t, r, id); got.Decision != want {
					t.Errorf("%s: %s, want %s", id, got.Decision, want)
				}
			}
			if !slices.Equal(r.NotLookedAt, row.NotLookedAt) {
				t.Errorf("not looked at: %v, want %v", r.NotLookedAt, row.NotLookedAt)
			}
			if text := show(r); strings.Contains(text, " .") || strings.Contains(text, "%!") {
				t.Errorf("a sentence lacks a word:\n%s", text)
			}
			checkReport(t, r)
			if before := c.judge(); before.Verdict != delivery.Delivering {
				t.Errorf("without them: %s\n%s", before.Verdict, show(before))
			}
		})
	}
}

// requirement is the judgement on a requirement of the first trail.
func requirement(t *testing.T, r delivery.Report, id trail.RequirementID) delivery.RequirementReport {
	t.Helper()
	for _, q := range r.Trails[0].Requirements {
		if q.ID == id {
			return q
		}
	}
	t.Fatalf("no requirement %s", id)
	return delivery.RequirementReport{}
}

// Where nothing is known of resource control policies, the answer and its price are as before.
func TestWithoutRCPs(t *testing.T) {
	for _, row := range rcpRows(t) {
		c := row.read(t)
		budget := delivery.NewBudget(c.bucket, c.trails)
		before := c.without(budget)
		used := budget.Used()
		after := delivery.JudgeRCPs(budget, before, c.bucket, c.trails, c.env, c.chain)
		if !reflect.DeepEqual(before, after) || budget.Used() != used {
			t.Errorf("%s: %d steps more, and\n%s", row.ID, budget.Used()-used, show(after))
		}
	}
}

// What the edit shows lets CloudTrail through. It is put in by hand here, as a person would.
func TestEditOfRCPLetsThrough(t *testing.T) {
	edited := 0
	for _, row := range rcpRows(t) {
		c := row.read(t)
		r := c.judge(c.rcps)
		if len(r.Findings) != 1 || r.Findings[0].Edit == "" || len(r.Findings[0].Statements) != 1 {
			continue
		}
		edited++
		f := r.Findings[0]
		id, sid, _ := strings.Cut(strings.TrimPrefix(f.Statements[0], "rcp:"), "/")
		for i, p := range c.rcps.Policies {
			if p.ID != id {
				continue
			}
			doc := parse(t, string(p.Text()))
			for at, st := range doc.All() {
				if st.Sid == sid {
					after, err := doc.With(map[int][]byte{at: []byte(f.Edit)})
					if err != nil {
						t.Fatal(err)
					}
					c.rcps.Policies[i] = rcpOf(t, p.ID, p.Name, after.Text())
				}
			}
		}
		if r := c.judge(c.rcps); r.Verdict != delivery.Delivering {
			t.Errorf("%s: with the edit %s\n%s", row.ID, r.Verdict, show(r))
		}
	}
	if edited < 8 {
		t.Errorf("%d edits", edited)
	}
}

// What the bucket's policy denies stays told beside what a resource control policy denies, and
// is restored all the same.
func TestRCPBesidePolicy(t *testing.T) {
	c := rcpRows(t)[0].read(t)
	c.bucket.State, c.bucket.Policy = delivery.PolicyMissing, nil
	r := c.judge(c.rcps)
	if !slices.Contains(ids(r.Findings), delivery.PolicyMissingID) || !slices.Contains(ids(r.Findings), delivery.RCPDeniedID) {
		t.Errorf("findings %v", ids(r.Findings))
	}
	q := requirement(t, r, trail.LogFiles)
	if q.Decision != policy.ExplicitDeny || !strings.Contains(q.Why, "Besides: The bucket has no policy") {
		t.Errorf("%s: %s", q.Decision, q.Why)
	}
	c.bucket.State = delivery.BucketMissing
	if r := c.judge(c.rcps); slices.Contains(ids(r.Findings), delivery.RCPDeniedID) {
		t.Errorf("no policy speaks of a bucket that is not there: %v", ids(r.Findings))
	}
}

// The largest policies that can be attached, one for each of seven levels and five at each, made
// to take long, stay within the budget of the judgement, and what is not settled is said.
func TestCostlyRCPsAreBounded(t *testing.T) {
	c := rcpRows(t)[2].read(t)
	c.rcps.Policies = nil
	for range 35 {
		var statements []string
		for len(strings.Join(statements, ",")) < 4500 {
			statements = append(statements, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::*a*b*c*`+
				strings.Repeat("?", len(statements)%17)+`*","Condition":{"StringLike":{"aws:UserAgent":"*a*b*c*`+strings.Repeat("?", len(statements))+`*"}}}`)
		}
		c.rcps.Policies = append(c.rcps.Policies, rcpOf(t, "p-costly", "", []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)))
	}
	budget := delivery.NewBudget(c.bucket, c.trails)
	before := c.without(budget)
	used := budget.Used()
	r := delivery.JudgeRCPs(budget, before, c.bucket, c.trails, c.env, c.chain, c.rcps)
	if steps := budget.Used() - used; steps > 2_500_000 {
		t.Errorf("%d steps", steps)
	}
	if r.Verdict == delivery.Delivering {
		t.Errorf("what was not settled is fine: %s", show(r))
	}
}

// The explanation has the statements of resource control policies that name the action.
func TestExplainRCPs(t *testing.T) {
	c := rcpRows(t)[9].read(t)
	plain := delivery.Explain(c.bucket, c.trails, c.env)
	if same := delivery.ExplainRCPs(plain, c.bucket, c.trails, c.env, c.chain); !reflect.DeepEqual(same, plain) {
		t.Error("an explanation without resource control policies has changed")
	}
	for _, q := range delivery.ExplainRCPs(plain, c.bucket, c.trails, c.env, c.chain, c.rcps)[0].Requirements {
		var labels []string
		for _, st := range q.Statements {
			if strings.HasPrefix(st.Label(), "rcp:") {
				labels = append(labels, st.Label()+" "+map[policy.Truth]string{policy.Yes: "yes", policy.No: "no", policy.Maybe: "maybe"}[st.Match])
			}
		}
		want := []string{"rcp:p-exampleidp1/EnforceOrgIdentities no", "rcp:p-exampleidp1/EnforceConfusedDeputyProtection maybe"}
		if !slices.Equal(labels, want) || q.Decision != policy.Undetermined {
			t.Errorf("%s, %s: %v", q.ID, q.Decision, labels)
		}
	}
}
