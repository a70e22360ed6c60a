package delivery_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/costly"
)

// family returns a family of costly policies.
func family(t *testing.T, name string) costly.Family {
	t.Helper()
	all := costly.Families()
	i := slices.IndexFunc(all, func(c costly.Family) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no family %s", name)
	}
	return all[i]
}

func TestPolicyTooComplex(t *testing.T) {
	c := family(t, "question marks after stars")
	b, trails, env := inputsOf(t, c)
	r := delivery.JudgeWithin(policy.NewBudget(200_000), b, trails, env)
	f := finding(t, r, delivery.PolicyTooComplexID)
	if r.Verdict != delivery.Undetermined || f.Kind != delivery.Unknown || f.Severity != delivery.High || f.Trail != "" || f.Restorable {
		t.Errorf("%s, %+v", r.Verdict, f)
	}
	if len(f.Statements) == 0 || len(f.Statements) > 5 {
		t.Errorf("it names %v", f.Statements)
	}
	if !strings.Contains(f.Message, "whether CloudTrail can write the log files of trail main of account 111111111111 to bucket logs-b and ") ||
		!strings.Contains(f.Message, "Most of the work went into statements ") {
		t.Error(f.Message)
	}
	for _, f := range r.Findings {
		if strings.HasSuffix(f.ID, "-undetermined") && strings.Contains(f.Message, "too complex") {
			t.Errorf("told twice: %+v", f)
		}
	}
	if again := delivery.JudgeWithin(policy.NewBudget(200_000), b, trails, env); show(again) != show(r) {
		t.Errorf("judged again: %s\nbefore: %s", show(again), show(r))
	}
	plan := repair.For(b, trails, env, r, repair.Options{Budget: policy.NewBudget(0)})
	if !plan.Empty() || !slices.ContainsFunc(plan.Refused, func(r repair.Refusal) bool { return r.Finding == delivery.PolicyTooComplexID }) {
		t.Errorf("plan %+v", plan)
	}
}

// Whoever has no time left ends a judgement, which then says so.
func TestStoppedJudgement(t *testing.T) {
	b, trails, env := inputsOf(t, family(t, "question marks after stars"))
	budget := delivery.NewBudget(b, trails)
	budget.Stop()
	r := delivery.JudgeWithin(budget, b, trails, env)
	plan := repair.For(b, trails, env, r, repair.Options{Budget: budget})
	if !budget.Stopped() || !budget.Exhausted() || budget.Used() > 200_000 {
		t.Errorf("%d steps", budget.Used())
	}
	if r.Verdict != delivery.Undetermined || !r.TooComplex() || !plan.Empty() {
		t.Errorf("%s, plan %+v", show(r), plan)
	}
}

// What is certain before the bound stays: the denial is told beside the finding.
func TestDenialsOfComplexPolicies(t *testing.T) {
	c := family(t, "question marks after stars").WithFirst(map[string]any{
		"Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs-b/AWSLogs/*/us-east-1/*",
	})
	b, trails, env := inputsOf(t, c)
	for _, steps := range []int{0, 10_000, 200_000} {
		r := delivery.JudgeWithin(policy.NewBudget(steps), b, trails, env)
		if r.Verdict != delivery.Blocked || decision(r, trail.LogFiles) != "denied" || !r.TooComplex() {
			t.Errorf("%d steps: %s", steps, show(r))
		}
		f := finding(t, r, "log-files-denied")
		if steps == 0 && (f.Edit != "" || !strings.Contains(f.Remedy, "was not worked out, since the policy is too complex")) {
			t.Errorf("without steps: remedy %q, edit %q", f.Remedy, f.Edit)
		}
	}
}

// The repair that cannot be proved is refused, and says why.
func TestRepairThatIsNotProved(t *testing.T) {
	b, trails, env := inputsOf(t, family(t, "bits of the random part"))
	r := delivery.Judge(b, trails, env)
	if r.Verdict != delivery.Blocked {
		t.Fatal(show(r))
	}
	plan := repair.For(b, trails, env, r, repair.Options{Budget: policy.NewBudget(1_000)})
	if plan.Changed {
		t.Errorf("changed without a proof: %+v", plan.Changes)
	}
	for _, refusal := range plan.Refused {
		if strings.HasSuffix(refusal.Finding, "-denied") && !strings.Contains(refusal.Reason, "too complex to prove") {
			t.Errorf("%+v", refusal)
		}
	}
}

// With little work nothing is claimed of accounts, or of organizations, that were
// not looked at: one that is denied may be none of the trail's.
func TestLittleWorkClaimsNothing(t *testing.T) {
	tr := mainTrail()
	tr.Organization = true
	allow := `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],` +
		`"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]}`
	deny := func(resource string) string {
		return `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/` + resource + `"}`
	}
	known := trail.Environment{Now: now(), Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
	for _, test := range []struct {
		name, deny string
		env        trail.Environment
	}{
		{"a member that need not be one", deny("AWSLogs/o-exampleorg1/000000000000/*"), known},
		{"members that need not be", deny("AWSLogs/o-exampleorg1/0*"), known},
		{"an organization that need not be ours", deny("AWSLogs/o-0000000000/*"), trail.Environment{Now: now()}},
		{"organizations that need not be ours", deny("AWSLogs/o-0*") + deny("AWSLogs/o-a*"), trail.Environment{Now: now()}},
	} {
		b := delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: parse(t, `{"Version":"2012-10-17","Statement":[`+allow+test.deny+`]}`)}
		for _, steps := range []int{0, 100, 300, 1_000, 3_000, 10_000, 100_000} {
			r := delivery.JudgeWithin(policy.NewBudget(steps), b, []trail.Trail{tr}, test.env)
			if got := decision(r, trail.LogFiles); got != string(policy.Undetermined) {
				t.Errorf("%s, %d steps: %s", test.name, steps, got)
			}
		}
	}
}

// Within small budgets the answers of the corpus are the same, or open, and said to
// be.
func TestStarvedBudgets(t *testing.T) {
	for i, c := range checks(t) {
		t.Run(c.ID+" "+c.Why, func(t *testing.T) {
			b, trails, env := c.inputs(t)
			checkStarved(t, delivery.Judge(b, trails, env), b, trails, env, 0, 100<<(i%8))
		})
	}
}

// Trails of one layout that the policy does not tell apart are judged once, and each
// as it would be alone.
func TestTrailsOfOneLayout(t *testing.T) {
	c := family(t, "72 months, one open key")
	b, one, env := inputsOf(t, c)
	var open struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal(b.Policy.Text(), &open); err != nil {
		t.Fatal(err)
	}
	for _, s := range open.Statement[:2] {
		delete(s, "Condition")
	}
	text, err := json.Marshal(open)
	if err != nil {
		t.Fatal(err)
	}
	b.Policy = parse(t, string(text))
	one[0].LogFileValidation = false // the names of digest files have the trail's in them
	var trails []trail.Trail
	for _, name := range []string{"main", "second", "third", "fourth"} {
		tr := one[0]
		tr.Name, tr.ARN = name, strings.Replace(tr.ARN, "/main", "/"+name, 1)
		trails = append(trails, tr)
	}
	steps := func(trails []trail.Trail) (delivery.Report, int) {
		budget := delivery.NewBudget(b, trails)
		return delivery.JudgeWithin(budget, b, trails, env), budget.Used()
	}
	all, together := steps(trails)
	_, alone := steps(one)
	if together > 2*alone {
		t.Errorf("%d steps for four trails, %d for one", together, alone)
	}
	for i, tr := range trails {
		r, _ := steps([]trail.Trail{tr})
		if got, want := show(delivery.Report{Trails: all.Trails[i : i+1]}), show(delivery.Report{Trails: r.Trails}); got != want {
			t.Errorf("%s: %s\nalone: %s", tr.Name, got, want)
		}
	}
}
