package repair

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// binding is a condition, StringEquals, that binds a grant to those for whom
// CloudTrail may act under it.
type binding struct {
	key    string
	values []string
	// assumed is what has to be true for nobody to be cut off, in one sentence.
	assumed string
	// effect is whom it binds the grant to, as the end of "It is bound to".
	effect string
	trails []trail.Trail // those of the bucket that the grant serves
}

// maxBoundTrails is how many trails a grant is bound to by their ARNs. A policy
// has 20 KB, and an ARN takes up to 200 bytes of them: more trails are bound by
// their accounts.
const maxBoundTrails = trail.MaxSourceARNs

// binding returns how a grant is to be bound so that it serves all that it
// serves now, or why there is no way of which that is certain, as the end of a
// sentence. A grant that lets CloudTrail read the bucket's ACL serves everybody
// who writes, another one those whose folders it names.
func (p *planner) binding(doc *policy.Document, g grant) (binding, error) {
	b := binding{trails: p.needing(g)}
	whole := g.st.CoversAction(trail.ACLStatement.Action())
	served := audienceOf(g.st)
	if whole {
		served = p.writers(doc)
	}
	for _, t := range b.trails {
		served.accounts = union(served.accounts, []string{t.Account()})
	}
	if why, ok := p.seenAll(served); ok {
		return b.byTrails(why)
	}
	if len(served.members) > 0 {
		// What is bound to an organization needs no other bound, so it is the ACL.
		return b, fmt.Errorf("it serves every account of organization %s, and AWS does not say whether CloudTrail names the organization "+
			"when it reads the ACL; %s", strings.Join(served.members, " and "), onlyGiven)
	}
	if served.anyone {
		return b.byOrganization(p, doc, whole)
	}
	own := func(organization string) bool { return organization == p.environment.Organization.ID }
	if len(served.organizations) == 1 && every(served.organizations, own) && !whole && every(served.accounts, p.isMember) {
		return b.inOrganization(served.organizations[0]), nil
	}
	for _, o := range served.organizations {
		owner := p.managementAccount(o)
		if owner == "" && !p.environment.Organization.Known {
			return b, fmt.Errorf("it serves the organization trails of %s; give --organization-id to say that it is yours", o)
		}
		if owner == "" {
			return b, fmt.Errorf("it serves the organization trails of %s, whose management account is not known; %s", o, onlyGiven)
		}
		served.accounts = union(served.accounts, []string{owner})
	}
	if len(served.accounts) == 0 {
		return b, errors.New("nothing in the policy lets CloudTrail write, so that it cannot be told whom it serves")
	}
	assumed := "It is taken to serve trails of %s only, since it names no other folder."
	if whole {
		assumed = "It is taken to serve trails of %s only, since the policy lets CloudTrail write for no other."
	}
	return b.byAccounts(served.accounts, assumed), nil
}

// onlyGiven is what helps where it cannot be told whom a grant serves.
const onlyGiven = "if all trails that deliver here are given, --all-trails binds it to them"

// seenAll reports whether the trails that are given are all that may use the
// grant, and on what that rests.
func (p *planner) seenAll(a audience) (assumed string, ok bool) {
	if p.options.AllTrails {
		return "The trails that were given are taken to be all that deliver here: any other is cut off.", true
	}
	if a.anyone || len(a.members) > 0 || len(a.accounts)+len(a.organizations) == 0 {
		return "", false
	}
	accounts := a.accounts
	for _, o := range a.organizations {
		accounts = union(accounts, []string{cmp.Or(p.managementAccount(o), o)})
	}
	if !every(accounts, func(id string) bool { return slices.Contains(p.options.ReadAccounts, id) }) {
		return "", false
	}
	return "All trails of " + accountsNamed(accounts) + " were read; a new one has to be added.", true
}

// byTrails binds to the trails themselves; to their accounts if they are many.
func (b binding) byTrails(assumed string) (binding, error) {
	if len(b.trails) == 0 {
		return b, errors.New("no trail that delivers here needs it; it can be removed if nothing else does")
	}
	if len(b.trails) > maxBoundTrails {
		var accounts []string
		for _, t := range b.trails {
			accounts = union(accounts, []string{t.Account()})
		}
		return b.byAccounts(accounts, assumed), nil
	}
	b.key, b.assumed, b.effect = sourceARN, assumed, names(b.trails)
	for _, t := range b.trails {
		b.values = append(b.values, t.ARN)
	}
	return b, nil
}

// byAccounts binds to accounts. The assumption may name them with "%s".
func (b binding) byAccounts(accounts []string, assumed string) binding {
	b.key, b.values, b.effect = sourceAccount, accounts, accountsNamed(accounts)
	b.assumed = strings.ReplaceAll(assumed, "%s", b.effect)
	return b
}

// byOrganization binds a grant that serves anyone to the organization, if it is
// known and nobody else is seen to be served.
func (b binding) byOrganization(p *planner, doc *policy.Document, whole bool) (binding, error) {
	const anyone = "it may serve a trail of any account"
	id := p.environment.Organization.ID
	switch {
	case !whole && id == "" && !p.environment.Organization.Known:
		return b, errors.New(anyone + "; give --organization-id, or --all-trails if all trails that deliver here are given")
	case whole, id == "":
		return b, errors.New(anyone + "; " + onlyGiven)
	}
	for _, account := range p.writers(doc).accounts {
		if !p.isMember(account) {
			return b, fmt.Errorf("%s, and account %s, which the policy names, is not known to be in organization %s", anyone, account, id)
		}
	}
	for _, account := range p.options.Seen {
		if !p.isMember(account) {
			return b, fmt.Errorf("%s, and the bucket has a folder of account %s, which is not known to be in organization %s; %s", anyone, account, id, onlyGiven)
		}
	}
	return b.inOrganization(id), nil
}

// inOrganization binds to the accounts of an organization.
func (b binding) inOrganization(id string) binding {
	b.key, b.values, b.effect = "aws:SourceOrgID", []string{id}, "organization "+id
	b.assumed = fmt.Sprintf("It is taken to serve accounts of organization %s only: a trail of another account is cut off.", id)
	return b
}

// needing are the trails of the bucket that the grant may serve.
func (p *planner) needing(g grant) []trail.Trail {
	var out []trail.Trail
	for _, t := range p.documented.trails {
		if mayNeed(p.documented.alone[t.ARN], g) {
			out = append(out, t)
		}
	}
	return out
}

// managementAccount is the account that owns the organization's trails, or
// empty: not known.
func (p *planner) managementAccount(organization string) string {
	o := p.environment.Organization
	if o.ID != organization {
		return ""
	}
	if o.ManagementAccount != "" {
		return o.ManagementAccount
	}
	for _, t := range p.known {
		if t.Organization {
			return t.Account()
		}
	}
	return ""
}

// isMember reports whether an account is in the organization: it is listed, or
// nobody is and a trail of the bucket is its. The organization is that of the
// trails' accounts.
func (p *planner) isMember(account string) bool {
	o := p.environment.Organization
	if account == p.managementAccount(o.ID) || slices.Contains(o.Members, account) {
		return true
	}
	return len(o.Members) == 0 &&
		slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.Account() == account })
}

// mayNeed reports whether the statement may grant something of what AWS
// documents for a trail.
func mayNeed(documented []trail.Statement, g grant) bool {
	return slices.ContainsFunc(documented, func(st trail.Statement) bool {
		return g.st.CoversAction(st.Action) && slices.ContainsFunc(st.Resources, func(r string) bool {
			return g.st.Resources.Not || slices.ContainsFunc(g.st.Resources.List, func(have string) bool { return overlap(r, have) })
		})
	})
}

// overlap reports whether two patterns may match one text.
func overlap(a, b string) bool {
	a, aIsPattern := cutPattern(a)
	b, bIsPattern := cutPattern(b)
	return aIsPattern && strings.HasPrefix(b, a) || bIsPattern && strings.HasPrefix(a, b) || a == b
}

func cutPattern(p string) (literal string, pattern bool) {
	if i := strings.IndexAny(p, "*?$"); i >= 0 {
		return p[:i], true
	}
	return p, false
}
