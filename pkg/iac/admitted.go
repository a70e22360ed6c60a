package iac

import (
	"regexp"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A log archive's repository has the bucket and never the trails. They are told by the policy as
// it was before: it names them in aws:SourceArn, or admits any trail of an account. What such
// a trail writes is not known. It is taken for the most that the policy lets it write
// before, so that the change is judged by what it takes away. What the policy lets nobody write
// cannot be taken away.

// admitted are the trails that the policy of a bucket admits before a change.
type admitted struct {
	trails []trail.Trail
	// organization is the one whose folder the policy names, if that is one.
	organization trail.Organization
	// madeUp are trails that stand for all that a pattern of the policy admits.
	madeUp []replacement
}

// maxAdmitted bounds how many trails of a policy are looked at.
const maxAdmitted = 50

// admittedBefore finds the trails of buckets that no known trail uses. Known are the ARNs of all
// trails that are.
func admittedBefore(in Input, set setting, before, after world) map[string]admitted {
	out := map[string]admitted{}
	if in.OnlyAfter {
		return out
	}
	for _, s := range in.Before {
		for _, g := range s.groups() {
			if len(g.trails) > 0 || !g.isNamed() || before.has(g.key) || after.has(g.key) {
				continue
			}
			for _, w := range g.policyWays() {
				if w.policy == nil || len(w.unknown) > 0 || w.policy.Text.Sensitive {
					continue
				}
				a := admittedBy(w.policy.Text.Text, g.name.Text, set.Organization)
				a.trails = slices.DeleteFunc(a.trails, func(t trail.Trail) bool { return before.knows(t.ARN) || after.knows(t.ARN) })
				var found []trail.Trail
				for _, t := range a.trails {
					if t, ok := g.most(w, t, a, set); ok {
						found = append(found, t)
					}
				}
				if a.trails = found; len(found) > 0 {
					out[g.name.Text] = a
				}
			}
		}
	}
	return out
}

// isNamed reports whether the bucket's name is known throughout.
func (g group) isNamed() bool {
	_, settled := g.name.Settled()
	return settled
}

// admits reports whether a policy of the bucket speaks of CloudTrail.
func (g group) admits() bool {
	return slices.ContainsFunc(g.policies, func(p Policy) bool { return len(grants(p.Text.Text)) > 0 })
}

// grants are the statements that allow CloudTrail something.
func grants(text string) []*policy.Statement {
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		return nil
	}
	var out []*policy.Statement
	for _, s := range doc.All() {
		isCloudTrail := func(p policy.Principal) bool { return p.Type == policy.Service && p.Value == trail.ServicePrincipal }
		if s.Effect == policy.Allow && !s.Principals.Not && slices.ContainsFunc(s.Principals.Entries, isCloudTrail) {
			out = append(out, s)
		}
	}
	return out
}

// admittedBy are the trails that a policy names, or else one for each account that it names.
func admittedBy(text, bucket string, organization trail.Organization) admitted {
	a := admitted{organization: organization}
	var accounts, organizations, patterns []string
	for _, s := range grants(text) {
		for _, r := range s.Resources.List {
			accounts = append(accounts, group1(accountFolder, r)...)
			organizations = append(organizations, group1(organizationFolder, r)...)
		}
		for _, c := range s.Conditions {
			switch key := strings.ToLower(c.Key); {
			case strings.Contains(c.Operator, "Not"):
			case key == "aws:sourcearn":
				patterns = append(patterns, c.Values...)
			case key == "aws:sourceaccount":
				accounts = append(accounts, c.Values...)
			}
		}
	}
	slices.Sort(organizations)
	if organizations = slices.Compact(organizations); !organization.Known && len(organizations) == 1 {
		a.organization = trail.Organization{Known: true, ID: organizations[0]}
	}
	add := func(t arn.Trail) {
		if !slices.ContainsFunc(a.trails, func(o trail.Trail) bool { return o.ARN == t.String() }) && len(a.trails) < maxAdmitted {
			a.trails = append(a.trails, trail.Trail{ARN: t.String(), Name: string(t.Name), HomeRegion: string(t.Region), Bucket: bucket})
		}
	}
	for _, p := range patterns {
		if t, err := arn.ParseTrail(p); err == nil {
			add(t)
		}
	}
	if len(a.trails) > 0 {
		return a
	}
	standIn := func(region, account, name string) {
		t := arn.TrailIn(arn.Region(region), arn.Account(account), arn.TrailName(name))
		if !arn.IsTrail(t.String()) {
			return
		}
		add(t)
		a.madeUp = append(a.madeUp, replacement{t.String(), "<any trail of account " + account + " that the policy admits>"})
	}
	for _, p := range patterns {
		t := arn.Split(p)
		region, name := string(t.Region), strings.TrimPrefix(t.Resource, "trail/")
		if region == "*" {
			region = "us-east-1"
		}
		for _, account := range append([]string{string(t.Account)}, accounts...) {
			standIn(region, account, strings.NewReplacer("*", "any", "?", "x").Replace(name))
		}
	}
	if len(patterns) == 0 {
		for _, account := range accounts {
			standIn("us-east-1", account, "any")
		}
	}
	return a
}

var (
	accountFolder      = regexp.MustCompile(`AWSLogs/([0-9]{12})/`)
	organizationFolder = regexp.MustCompile(`AWSLogs/(o-[a-z0-9]{10,32})/`)
)

// group1 are the texts of the first group of all matches.
func group1(e *regexp.Regexp, text string) []string {
	var out []string
	for _, m := range e.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// most is the trail with the most that the policy lets it write.
func (g group) most(w way, t trail.Trail, a admitted, set setting) (trail.Trail, bool) {
	for _, organization := range []bool{true, false} {
		for _, multi := range []bool{true, false} {
			for _, validation := range []bool{true, false} {
				for _, prefix := range prefixesOf(w.policy.Text.Text, t.Bucket) {
					t.Organization, t.MultiRegion, t.LogFileValidation, t.Prefix = organization, multi, validation, prefix
					alone := set
					alone.Trails = nil
					alone.admitted = map[string]admitted{t.Bucket: {trails: []trail.Trail{t}, organization: a.organization}}
					if g.judgeWay(w, "", alone).Verdict == delivery.Delivering {
						return t, true
					}
				}
			}
		}
	}
	return t, false
}

// prefixesOf are the prefixes before "AWSLogs" in the resources of a policy.
func prefixesOf(text, bucket string) []string {
	var out []string
	for _, s := range grants(text) {
		for _, r := range s.Resources.List {
			key, ok := strings.CutPrefix(arn.Split(r).Resource, bucket+"/")
			prefix, _, logs := strings.Cut(key, "AWSLogs/")
			prefix = strings.TrimSuffix(prefix, "/")
			if ok && logs && !strings.ContainsAny(prefix, "*?$") && !slices.Contains(out, prefix) {
				out = append(out, prefix)
			}
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}
