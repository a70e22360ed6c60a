package repair

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// audience is the owners of the trails that CloudTrail may act for under a
// grant, as far as the policy tells. It may be more than there are and never
// less: a grant that is bound to its audience cuts nobody off.
type audience struct {
	accounts []string
	// organizations are those whose organization trails are served. They belong
	// to the management account.
	organizations []string
	// members are organizations of which every account is served.
	members []string
	anyone  bool
}

// join returns the owners of both.
func (a audience) join(b audience) audience {
	return audience{
		accounts:      union(a.accounts, b.accounts),
		organizations: union(a.organizations, b.organizations),
		members:       union(a.members, b.members),
		anyone:        a.anyone || b.anyone,
	}
}

// narrowed returns the owners that a condition on the source leaves of those
// that have a folder.
func (a audience) narrowed(source audience) audience {
	switch {
	case len(source.accounts) > 0 && (a.anyone || len(a.organizations) > 0):
		return audience{accounts: source.accounts}
	case len(source.accounts) > 0:
		a.accounts = slices.DeleteFunc(slices.Clone(a.accounts), func(id string) bool { return !slices.Contains(source.accounts, id) })
	case len(source.members) > 0 && a.anyone:
		return audience{members: source.members}
	}
	return a
}

// union returns the texts of both lists, each once, sorted.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// audienceOf returns for whom CloudTrail may write by a statement: the owners
// of the folders that it names, as far as a condition on the source lets them.
func audienceOf(st *policy.Statement) audience {
	var a audience
	folders := foldersOf(st)
	if st.Resources.Not {
		folders = []folder{{any: true}}
	}
	for _, f := range folders {
		switch {
		case f.account != "":
			a.accounts = union(a.accounts, []string{f.account})
		case f.organization != "":
			a.organizations = union(a.organizations, []string{f.organization})
		default:
			a.anyone = true
		}
	}
	for _, c := range st.Conditions {
		if source, ok := sourceOf(c); ok {
			a = a.narrowed(source)
		}
	}
	return a
}

// sourceOf returns for whom CloudTrail has to be at work by a condition, and
// false if the condition does not say, or lets through what cannot be listed.
func sourceOf(c policy.Condition) (source audience, ok bool) {
	operator := strings.ToLower(strings.TrimSuffix(c.Operator, "IfExists"))
	always := operator == strings.ToLower(c.Operator) // there is no IfExists
	like := operator == "stringlike" || operator == "arnlike" || operator == "arnequals"
	if !like && operator != "stringequals" && operator != "foranyvalue:stringequals" && operator != "foranyvalue:stringlike" {
		return audience{}, false
	}
	for _, value := range c.Values {
		switch strings.ToLower(c.Key) {
		case "aws:sourcearn":
			// A wildcard in the account is one under StringEquals too, for all that
			// matters here: it then matches nothing.
			account, _ := accountOf(value)
			source.accounts = append(source.accounts, account)
		case "aws:sourceaccount":
			source.accounts = append(source.accounts, value)
		case "aws:sourceorgid":
			source.members = append(source.members, value)
		case "aws:sourceorgpaths":
			id, _, _ := strings.Cut(value, "/")
			source.members = append(source.members, id)
		default:
			return audience{}, false
		}
	}
	isAccount := func(id string) bool { return arn.Account(id).Valid() }
	isOrganization := func(id string) bool { return strings.HasPrefix(id, "o-") && !strings.ContainsAny(id, "*?$") }
	// CloudTrail always says for which account it acts, and not always for which
	// organization.
	ok = len(c.Values) > 0 && every(source.accounts, isAccount) && every(source.members, isOrganization) &&
		(always || len(source.members) == 0)
	return source, ok
}

func every(list []string, is func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !is(s) })
}

// writers returns for whom CloudTrail may write by the policy. Denies are not
// looked at: they make it fewer.
func (p *planner) writers(doc *policy.Document) audience {
	var a audience
	for i, st := range doc.All() {
		if st.Effect == policy.Allow && mayServe(st) && p.canBeMet(doc, i) {
			a = a.join(audienceOf(st))
		}
	}
	return a
}

// canBeMet reports whether some write of CloudTrail may meet the conditions of
// a statement, whatever the trail and its organization are.
func (p *planner) canBeMet(doc *policy.Document, index int) bool {
	if len(p.documented.trails) == 0 {
		return true
	}
	for _, q := range trail.ServiceRequirements(p.documented.trails[0], p.environment) {
		if q.Action == trail.WriteStatement.Action() {
			set := q.Sets[0]
			request := policy.Request{Caller: set.Caller, Action: q.Action, Context: ofAnyTrail(set.Context)}
			d := doc.Prepare(&request, p.options.Budget).Decide(q.Resource)
			return d.Matches[index].Condition != policy.No
		}
	}
	return true
}

// ofAnyTrail returns the context of a request as it may be for any trail: of
// another account or organization, its files encrypted otherwise.
func ofAnyTrail(c policy.Context) policy.Context {
	unknown := policy.Value{State: policy.Either}
	for _, key := range []string{
		sourceARN, "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths",
		"s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
	} {
		c = c.With(key, unknown)
	}
	return c
}
