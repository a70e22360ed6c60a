package repair_test

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// planned is a generated case and what is planned for it.
type planned struct {
	world
	plan  repair.Plan
	after *policy.Document // nil: still no policy
}

func genPlanned(t *rapid.T, o repair.Options) planned { return genWorld(t).planned(t, o) }

// planned plans for the world.
func (w world) planned(t failer, o repair.Options) planned {
	t.Helper()
	p := planned{world: w}
	p.plan = judgeAndPlan(p.bucket, p.trails, p.setting, o)
	p.after = p.bucket.Policy
	if p.plan.Changed {
		doc, err := policy.Parse(p.plan.Policy)
		if err != nil {
			t.Fatalf("planned policy: %v", err)
		}
		p.after = doc
	}
	return p
}

// with returns the bucket with another policy.
func (p planned) with(doc *policy.Document) delivery.Bucket {
	b := p.bucket
	if doc != nil {
		b.State, b.Policy = delivery.PolicyRead, doc
	}
	return b
}

// A plan meets every requirement that no Deny blocks, changes nothing when it
// is made again, keeps every foreign statement and every other decision, and
// holds to S3's limits.
func TestPlanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := genPlanned(t, repair.Options{})
		p.restores(t)
		p.settles(t, repair.Options{})
		p.keeps(t)
		p.changesNothingElse(t)
		p.refusesCleanly(t)
	})
}

// restores: every requirement that no Deny blocks is allowed.
func (p planned) restores(t *rapid.T) {
	report := delivery.Judge(p.with(p.after), p.trails, p.setting)
	for _, tr := range report.Trails {
		for _, rr := range tr.Requirements {
			if rr.Decision == policy.Allowed || len(rr.Denying) > 0 || p.unknowable(tr.ARN, rr) {
				continue
			}
			t.Fatalf("%s of %s is %s after the plan: %s\nrefused: %v\nbefore: %s\nafter: %s",
				rr.ID, tr.ARN, rr.Decision, rr.Why, p.plan.Refused, text(p.bucket.Policy), text(p.after))
		}
	}
}

// unknowable reports whether no policy that AWS documents can be written for
// the requirement, or the one that is there may be right: the organization's id
// is not known.
func (p planned) unknowable(arn string, rr delivery.RequirementReport) bool {
	asked := slices.ContainsFunc(p.plan.Refused, func(r repair.Refusal) bool {
		return r.Trail == arn && strings.HasPrefix(r.Finding, string(rr.ID)) && strings.Contains(r.Reason, "give --organization-id")
	})
	return asked || p.setting.Organization.ID == "" && rr.ID != trail.BucketACL && rr.ID != trail.ManagementAccountFiles &&
		slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.ARN == arn && t.Organization })
}

// settles: the plan of the result is empty, also once S3 has written the
// policy its own way; and a policy that S3 has written its own way gets a
// plan if and only if the original does.
func (p planned) settles(t *rapid.T, o repair.Options) {
	if p.after == nil {
		return
	}
	again := func(doc *policy.Document) repair.Plan { return judgeAndPlan(p.with(doc), p.trails, p.setting, o) }
	switch doc := p.after; rapid.IntRange(0, 3).Draw(t, "again") {
	case 0:
		doc = reserialized(t, doc, p.partition())
		fallthrough
	case 1:
		if plan := again(doc); !plan.Empty() {
			t.Fatalf("planned again: %+v\n%s\nbefore: %s", plan.Changes, plan.Diff, text(p.bucket.Policy))
		}
	case 2:
		if p.bucket.Policy == nil {
			return
		}
		before := reserialized(t, p.bucket.Policy, p.partition())
		if plan := again(before); plan.Changed != p.plan.Changed {
			t.Fatalf("planned otherwise for what S3 gives back: %+v\n%s\nnot %+v", plan.Changes, text(before), p.plan.Changes)
		}
	default:
		before := reserialized(t, p.after, p.partition())
		if got, want := verdicts(p, before), verdicts(p, p.after); got != want {
			t.Fatalf("judged otherwise for what S3 gives back: %s, not %s\n%s", got, want, text(before))
		}
	}
}

func verdicts(p planned, doc *policy.Document) string {
	var out []string
	for _, tr := range delivery.Judge(p.with(doc), p.trails, p.setting).Trails {
		for _, rr := range tr.Requirements {
			out = append(out, tr.ARN+" "+string(rr.ID)+" "+string(rr.Decision))
		}
	}
	return strings.Join(out, "\n")
}

// keeps: every foreign statement is there byte for byte, in order, and the
// policy is within the limit and no less acceptable to S3.
func (p planned) keeps(t *rapid.T) {
	if p.after == nil || p.bucket.Policy == nil {
		return
	}
	at := 0
	for _, foreign := range p.foreign {
		for at < p.after.Len() && string(p.after.StatementText(at)) != foreign {
			at++
		}
		if at == p.after.Len() {
			t.Fatalf("statement was not kept: %s\nbefore: %s\nafter: %s", foreign, text(p.bucket.Policy), text(p.after))
		}
		at++
	}
	if p.plan.Changed && len(p.plan.Policy) > repair.MaxPolicySize {
		t.Fatalf("planned %d bytes", len(p.plan.Policy))
	}
	arn := "arn:" + p.partition() + ":s3:::" + testBucket
	if was, is := p.bucket.Policy.Faults(arn), p.after.Faults(arn); len(is) > len(was) {
		t.Fatalf("S3 would refuse the planned policy: %v\nbefore: %v\n%s", is, was, text(p.after))
	}
}

// refusesCleanly: what is not changed has its bytes, and every refusal says
// why.
func (p planned) refusesCleanly(t *rapid.T) {
	if !p.plan.Changed && p.bucket.Policy != nil && !bytes.Equal(p.plan.Policy, p.bucket.Policy.Text()) {
		t.Fatalf("the plan changes nothing and has another policy: %s", p.plan.Policy)
	}
	if p.plan.Changed != (len(p.plan.Changes) > 0) || p.plan.Changed != (p.plan.Diff != "") {
		t.Fatalf("changed is %v with changes %v and diff %q", p.plan.Changed, p.plan.Changes, p.plan.Diff)
	}
	for _, r := range p.plan.Refused {
		if r.Finding == "" || r.Reason == "" {
			t.Fatalf("refusal without a reason: %+v", r)
		}
	}
}

// changesNothingElse: no decision changes, except those that the documented
// statements grant to CloudTrail for the trails of the bucket, and those come
// nearer to allowed.
func (p planned) changesNothingElse(t *rapid.T) {
	if !p.plan.Changed {
		return
	}
	documented := p.documented(t)
	writes := make([]trail.RequestSet, len(p.trails))
	for i, one := range p.trails {
		for _, q := range trail.ServiceRequirements(one, p.setting) {
			if q.ID == trail.LogFiles {
				writes[i] = q.Sets[0]
			}
		}
	}
	before := p.bucket.Policy
	if before == nil {
		before = parse(t, `{"Version":"2012-10-17","Statement":[]}`)
	}
	for range 20 {
		r := p.genRequest(t, writes)
		was, is := before.Decide(&r).Outcome, p.after.Decide(&r).Outcome
		if was == is {
			continue
		}
		widened := nearness(is) > nearness(was)
		if widened && documented.Decide(&r).Outcome != policy.Allowed || !widened && !neverMade(r) {
			t.Fatalf("%s of %v on %s was %s and is %s\nbefore: %s\nafter: %s", r.Action, r.Caller.Principal, r.Resource, was, is, text(before), text(p.after))
		}
	}
}

// neverMade reports whether CloudTrail makes no such request. A statement that
// is written anew because CloudTrail cannot meet its conditions may have
// allowed it.
func neverMade(r policy.Request) bool {
	acl := r.Context.Lookup("s3:x-amz-acl")
	return r.Caller.Value == trail.ServicePrincipal && slices.Contains(acl.Values, "private")
}

func nearness(o policy.Outcome) int {
	return slices.Index([]policy.Outcome{policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined, policy.Allowed}, o)
}

// documented is the policy that AWS documents for the trails.
func (p planned) documented(t *rapid.T) *policy.Document {
	trails := slices.Clone(p.trails)
	for i := range trails {
		trails[i].Organization = trails[i].Organization && p.setting.Organization.ID != ""
	}
	text, err := trail.DocumentedPolicy(trails, p.setting)
	if err != nil {
		t.Fatalf("documented: %v", err)
	}
	return parse(t, string(text))
}

// Hardening keeps every requirement as near to allowed as it was, keeps the
// foreign statements, and is done once.
func TestHardenProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := genPlanned(t, repair.Options{Harden: true})
		p.restores(t)
		p.settles(t, repair.Options{Harden: true})
		p.harmless(t, repair.Options{Harden: true})
		p.refusesCleanly(t)
	})
}

func (p planned) genRequest(t *rapid.T, writes []trail.RequestSet) policy.Request {
	which := rapid.IntRange(0, len(p.trails)-1).Draw(t, "for")
	one := p.trails[which]
	arn := rapid.SampledFrom([]string{
		one.ARN, one.ARN, one.ARN + "x",
		"arn:" + p.partition() + ":cloudtrail:us-east-1:" + unseenAccount + ":trail/theirs",
		"arn:" + p.partition() + ":cloudtrail:us-east-1:111111111111:trail/old",
	}).Draw(t, "source")
	account := strings.Split(arn, ":")[4]
	bucket := "arn:" + p.partition() + ":s3:::" + testBucket
	folder := rapid.SampledFrom([]string{account, "111111111111", "222222222222", unseenAccount, testOrganization + "/222222222222"}).Draw(t, "folder")
	prefix := rapid.SampledFrom([]string{"", one.Prefix + "/", "other/", "upload/"}).Draw(t, "prefix")
	object := bucket + "/" + strings.TrimPrefix(prefix, "/") + "AWSLogs/" + folder +
		rapid.SampledFrom([]string{"/CloudTrail/us-east-1/2026/11/01/f.json.gz", "/CloudTrail-Digest/", "/Config/f", "x"}).Draw(t, "file")
	r := policy.Request{
		Action: rapid.SampledFrom([]string{"s3:PutObject", "s3:PutObject", "s3:GetBucketAcl", "s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:ListBucket", "s3:PutBucketPolicy"}).Draw(t, "asked"),
	}
	r.Resource = object
	if strings.Contains(r.Action, "Bucket") {
		r.Resource = bucket
	}
	r.Caller, r.Context = p.genCaller(t, writes[which], arn)
	if r.Action == "s3:PutObject" {
		r.Context = r.Context.With("s3:x-amz-acl", policy.Is(rapid.SampledFrom([]string{"bucket-owner-full-control", "private"}).Draw(t, "acl")))
	}
	return r
}

// genCaller returns CloudTrail at work for a trail, or somebody else.
func (p planned) genCaller(t *rapid.T, write trail.RequestSet, arn string) (policy.Caller, policy.Context) {
	account := strings.Split(arn, ":")[4]
	if rapid.Bool().Draw(t, "CloudTrail") {
		c := write.Context.With("aws:SourceArn", policy.Is(arn)).With("aws:SourceAccount", policy.Is(account))
		return write.Caller, c
	}
	context := policy.NewContext(policy.Value{}).
		With("aws:SecureTransport", policy.Is("true")).
		With("aws:SourceIp", policy.Is(rapid.SampledFrom([]string{"10.1.2.3", "203.0.113.9"}).Draw(t, "address"))).
		With("aws:SourceArn", policy.Is(arn)).With("aws:SourceAccount", policy.Is(account))
	principal := rapid.SampledFrom([]policy.Principal{
		{Type: policy.Service, Value: "config.amazonaws.com"},
		{Type: policy.Service, Value: "logging.s3.amazonaws.com"},
		{Type: policy.AWS, Value: "arn:" + p.partition() + ":iam::555555555555:root"},
		{Type: policy.AWS, Value: "arn:" + p.partition() + ":iam::111111111111:role/admin"},
		{Type: policy.Anyone, Value: "*"},
	}).Draw(t, "caller")
	return policy.Caller{Principal: principal}, context
}

// A refusal changes nothing: not a byte of the policy, nor the payer.
func TestRefusalChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := genWorld(t)
		w.bucket.Payer = "Requester"
		w.bucket.State = rapid.SampledFrom([]delivery.BucketState{delivery.Unreadable, delivery.BucketMissing, delivery.OtherOwner}).Draw(t, "state")
		w.bucket.Policy = nil
		plan := judgeAndPlan(w.bucket, w.trails, w.setting, repair.Options{Harden: true})
		if !plan.Empty() || len(plan.Policy) > 0 || len(plan.Changes) > 0 || len(plan.Refused) == 0 {
			t.Fatalf("planned %+v", plan)
		}
	})
}

func parse(t *rapid.T, text string) *policy.Document {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return doc
}

func text(doc *policy.Document) string {
	if doc == nil {
		return "(none)"
	}
	return string(doc.Text())
}

// texts are the statements of the policy after the plan.
func (p planned) texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; p.after != nil && i < p.after.Len(); i++ {
			if !yield(string(p.after.StatementText(i))) {
				return
			}
		}
	}
}
