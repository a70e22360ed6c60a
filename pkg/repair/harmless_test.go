package repair_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// failer is a test, generated or not.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// harmless: carrying out the plan changes no decision for anybody but
// CloudTrail, and denies nothing to a trail that was allowed it, of those that
// the policy served, unless the plan says so.
func (p planned) harmless(t failer, o repair.Options) {
	t.Helper()
	if !p.plan.Changed || p.bucket.Policy == nil {
		return
	}
	for r := range p.othersRequests() {
		if was, is := p.bucket.Policy.Decide(&r).Outcome, p.after.Decide(&r).Outcome; was != is {
			t.Fatalf("%s of %v on %s was %s and is %s\nchanges: %+v\nbefore: %s\nafter: %s",
				r.Action, r.Caller.Principal, r.Resource, was, is, p.plan.Changes, text(p.bucket.Policy), text(p.after))
		}
	}
	for _, one := range p.anyTrails() {
		if p.mayBeCutOff(one, o) {
			continue
		}
		p.keepsServing(t, one)
	}
}

// keepsServing: what the trail was allowed, it is allowed still, if it could
// write at all.
func (p planned) keepsServing(t failer, one trail.Trail) {
	t.Helper()
	served := false
	requirements := trail.ServiceRequirements(one, p.setting)
	slices.Reverse(requirements) // the bucket's ACL last
	for _, r := range requirements {
		for _, set := range r.Sets {
			request := policy.Request{Caller: set.Caller, Action: r.Action, Context: set.Context}
			for _, resource := range p.witnesses(set, request) {
				request.Resource = resource
				was, is := p.bucket.Policy.Decide(&request).Outcome, p.after.Decide(&request).Outcome
				served = served || was == policy.Allowed && r.ID != trail.BucketACL
				if served && was == policy.Allowed && is != policy.Allowed {
					t.Fatalf("%s of %s on %s was %s and is %s\nchanges: %+v\nbefore: %s\nafter: %s",
						r.ID, one.ARN, resource, was, is, p.plan.Changes, text(p.bucket.Policy), text(p.after))
				}
			}
		}
	}
}

// witnesses are a resource for each class that one of the two policies tells
// apart.
func (p planned) witnesses(set trail.RequestSet, request policy.Request) []string {
	var out []string
	for _, doc := range []*policy.Document{p.bucket.Policy, p.after} {
		for _, s := range doc.Prepare(&request, policy.NewBudget(policy.DecisionSteps)).Samples(set.Resources).List {
			out = append(out, s.Text)
		}
	}
	return out
}

// mayBeCutOff reports whether the plan rests on there being no such trail, and
// says so.
func (p planned) mayBeCutOff(one trail.Trail, o repair.Options) bool {
	given := slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.ARN == one.ARN })
	if given {
		return false
	}
	says := func(what string) bool {
		return slices.ContainsFunc(p.plan.Changes, func(c repair.Change) bool { return strings.Contains(c.Reason, what) })
	}
	in := p.setting.Organization
	member := one.Account() == in.ManagementAccount || slices.Contains(in.Members, one.Account()) ||
		len(in.Members) == 0 && slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.Account() == one.Account() })
	return o.AllTrails && says("any other is cut off") ||
		slices.Contains(o.ReadAccounts, one.Account()) && says("a new one has to be added") ||
		!member && says("a trail of another account is cut off")
}

// anyTrails are the trails that are given and others that may be there: of the
// same accounts in another region, of accounts that the policy names, and with
// prefixes that it names.
func (p planned) anyTrails() []trail.Trail {
	out := slices.Clone(p.trails)
	accounts, prefixes := p.named()
	partition := p.trails[0].Partition()
	region := map[arn.Partition]string{"aws": "eu-central-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-east-1"}[partition]
	for _, account := range accounts {
		for _, prefix := range prefixes {
			one := trail.Trail{
				Name: "unseen", ARN: fmt.Sprintf("arn:%s:cloudtrail:%s:%s:trail/unseen", partition, region, account),
				HomeRegion: region, Bucket: p.bucket.Name, Prefix: prefix, LogFileValidation: true,
			}
			out = append(out, one)
			if account == p.setting.Organization.ManagementAccount {
				one.Organization, one.MultiRegion = true, true
				out = append(out, one)
			}
		}
	}
	return out
}

// named are accounts that the trails and the policy name, one that they do not,
// and prefixes.
func (p planned) named() (accounts, prefixes []string) {
	accounts, prefixes = []string{unseenAccount}, []string{""}
	for _, t := range p.trails {
		accounts, prefixes = append(accounts, t.Account()), append(prefixes, t.Prefix)
	}
	accounts = append(accounts, p.setting.Organization.Members...)
	for _, st := range p.bucket.Policy.All() {
		for _, r := range st.Resources.List {
			_, key, _ := strings.Cut(r, "/")
			prefix, rest, ok := strings.Cut(key, "AWSLogs/")
			if !ok {
				continue
			}
			if len(rest) >= 12 && arn.Account(rest[:12]).Valid() {
				accounts = append(accounts, rest[:12])
			}
			if !strings.ContainsAny(prefix, "*?$") && strings.HasSuffix(prefix, "/") {
				prefixes = append(prefixes, strings.TrimSuffix(prefix, "/"))
			}
		}
	}
	slices.Sort(accounts)
	slices.Sort(prefixes)
	accounts, prefixes = slices.Compact(accounts), slices.Compact(prefixes)
	return accounts[:min(len(accounts), 6)], prefixes[:min(len(prefixes), 3)]
}

// othersRequests are requests of callers that are not CloudTrail: roles, other
// accounts, and services, among them some that act for the account of a trail.
func (p planned) othersRequests() iter.Seq[policy.Request] {
	partition := string(p.trails[0].Partition())
	own := p.trails[0].Account()
	bucket := "arn:" + partition + ":s3:::" + p.bucket.Name
	resources := []string{
		bucket + "/AWSLogs/" + own + "/CloudTrail/us-east-1/2026/11/01/f.json.gz",
		bucket + "/AWSLogs/" + own + "/Config/us-east-1/f.json.gz",
		bucket + "/AWSLogs/" + unseenAccount + "/f", bucket + "/" + p.trails[0].Prefix + "/AWSLogs/" + own + "/f", bucket + "/upload/f",
	}
	actions := []string{"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl"}
	return func(yield func(policy.Request) bool) {
		for _, caller := range p.others(partition, own) {
			r := caller
			for _, r.Action = range []string{"s3:GetBucketAcl", "s3:ListBucket", "s3:GetBucketLocation", "s3:PutBucketPolicy"} {
				if r.Resource = bucket; !yield(r) {
					return
				}
			}
			for _, r.Action = range actions {
				for _, r.Resource = range resources {
					if !yield(r) {
						return
					}
				}
			}
		}
	}
}

// others are the callers, as requests without action and resource.
func (p planned) others(partition, own string) []policy.Request {
	var out []policy.Request
	base := policy.NewContext(policy.Value{}).With("aws:SecureTransport", policy.Is("true")).
		With("s3:x-amz-acl", policy.Is("bucket-owner-full-control")).With("s3:x-amz-server-side-encryption", policy.Is("AES256"))
	for _, who := range []string{
		"arn:" + partition + ":iam::" + own + ":role/admin", "arn:" + partition + ":iam::555555555555:role/reader",
		"arn:" + partition + ":iam::" + unseenAccount + ":root", "arn:" + partition + ":iam::" + own + ":user/u",
	} {
		out = append(out, policy.Request{
			Caller: policy.Caller{Principal: policy.Principal{Type: policy.AWS, Value: who}},
			Context: base.With("aws:PrincipalArn", policy.Is(who)).With("aws:PrincipalAccount", policy.Is(strings.Split(who, ":")[4])).
				With("aws:PrincipalOrgID", policy.Is(testOrganization)).With("aws:PrincipalIsAWSService", policy.Is("false")),
		})
	}
	out = append(out, policy.Request{Caller: policy.Caller{Principal: policy.Principal{Type: policy.Anyone, Value: "*"}}, Context: base})
	for _, service := range []string{
		"config.amazonaws.com", "delivery.logs.amazonaws.com", "logging.s3.amazonaws.com", "ssm.amazonaws.com", "guardduty.amazonaws.com",
	} {
		for _, account := range []string{own, "555555555555", unseenAccount} {
			source := "arn:" + partition + ":" + strings.Split(service, ".")[0] + ":us-east-1:" + account + ":thing/x"
			if service == "ssm.amazonaws.com" && account == own {
				source = p.trails[0].ARN // nothing keeps a service from naming one
			}
			out = append(out, policy.Request{
				Caller: policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: service}},
				Context: base.With("aws:SourceAccount", policy.Is(account)).With("aws:SourceArn", policy.Is(source)).
					With("aws:SourceOrgID", policy.Is(testOrganization)).With("aws:PrincipalIsAWSService", policy.Is("true")).
					With("aws:PrincipalServiceName", policy.Is(service)),
			})
		}
	}
	return out
}
