package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// mender widens statements that serve CloudTrail alone until they meet a need.
//
// A mend adds values and nothing else: what a statement granted, it still
// grants. So no trail is cut off that cannot be seen from here, and a value
// that turns out to be nobody's does no harm. The one exception is a statement
// under a documented Sid whose conditions CloudTrail cannot meet: it grants
// nothing, and is set back to what AWS documents.
type mender struct {
	library *library
	visible visibility
}

// mended is a statement as it would have to read, and what that costs.
type mended struct {
	grant
	cost int
}

// best returns the mend of a statement that meets the need at the least cost.
func (m *mender) best(grants []grant, n need) (int, grant, bool) {
	at, found := -1, mended{}
	for i, g := range grants {
		if !forCloudTrail(g.st) {
			continue
		}
		c, ok := m.extend(g, n)
		if !ok {
			c, ok = m.reset(g, n)
		}
		if ok && (at < 0 || c.cost < found.cost) && m.meets(c.grant, n) {
			at, found = i, c
		}
	}
	return at, found.grant, at >= 0
}

// extension is what a statement lacks for a need.
type extension struct {
	actions, arns, accounts, resources []string
}

func (e extension) size() int {
	return len(e.actions) + len(e.arns) + len(e.accounts) + len(e.resources)
}

// extend adds to a statement what it lacks for the need, if that grants
// nothing that AWS does not document for the trails.
func (m *mender) extend(g grant, n need) (mended, bool) {
	bound, ok := g.binding()
	if !ok || m.visible.unseen(bound) {
		return mended{}, false
	}
	e, ok := lack(g, bound, n)
	if !ok || e.size() == 0 || !m.documents(g, bound, e) {
		return mended{}, false
	}
	wide, err := e.apply(g, bound)
	if err != nil {
		return mended{}, false
	}
	wide.action = "mend"
	wide.reasons = append(wide.reasons, "It now also lets CloudTrail "+n.purpose()+".")
	cost := 2 * e.size()
	if !namedAfter(n.statement.Kind, g.st.Sid) {
		cost++
	}
	return mended{wide, cost}, true
}

// lack works out what a statement lacks. An action is added only under the Sid
// that AWS documents for it: elsewhere it is not the statement's purpose.
func lack(g grant, bound policy.Condition, n need) (extension, bool) {
	var e extension
	if !g.does(n.statement.Action) {
		if !namedAfter(n.statement.Kind, g.st.Sid) {
			return e, false
		}
		e.actions = []string{n.statement.Action}
	}
	if !slices.Contains(bound.Values, n.trail.ARN) {
		e.arns = []string{n.trail.ARN}
	}
	for _, r := range n.statement.Resources {
		if !g.reaches(r) {
			e.resources = append(e.resources, r)
		}
	}
	if c, ok := g.accounts(); ok && !slices.Contains(c.Values, n.trail.Account()) {
		e.accounts = []string{n.trail.Account()}
	}
	return e, true
}

// accounts returns the condition that lists accounts of trails, if there is
// one beside the list of trails.
func (g grant) accounts() (policy.Condition, bool) {
	i := slices.IndexFunc(g.st.Conditions, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, "aws:SourceAccount")
	})
	if i < 0 {
		return policy.Condition{}, false
	}
	return g.st.Conditions[i], true
}

// documents reports whether all that the extension adds to the statement is
// documented for the trails: every new combination of an action, a trail and
// a resource, and files only with the ACL that AWS documents.
func (m *mender) documents(g grant, bound policy.Condition, e extension) bool {
	for _, action := range slices.Concat(g.st.Actions.List, e.actions) {
		for _, arn := range slices.Concat(bound.Values, e.arns) {
			for _, resource := range slices.Concat(g.st.Resources.List, e.resources) {
				if e.leaves(action, arn, resource) || void(action, resource) {
					continue
				}
				if !m.library.grants(action, arn, resource) || !strings.EqualFold(action, trail.ACLStatement.Action()) && !g.asksACL() {
					return false
				}
			}
		}
	}
	return true
}

// leaves reports whether the combination was granted before, or not, as it is
// with the extension.
func (e extension) leaves(action, arn, resource string) bool {
	return len(e.accounts) == 0 && !slices.Contains(e.actions, action) &&
		!slices.Contains(e.arns, arn) && !slices.Contains(e.resources, resource)
}

// void reports whether there is no request of the action for anything that
// the resource names: a bucket's ACL is not asked of an object.
func void(action, resource string) bool {
	bucket, _, isObject := strings.Cut(resource, "/")
	if strings.EqualFold(action, trail.ACLStatement.Action()) {
		return isObject && !strings.ContainsAny(bucket, "*?$")
	}
	return strings.EqualFold(action, trail.WriteStatement.Action()) && !isObject && !strings.ContainsAny(bucket, "*?$")
}

func (e extension) apply(g grant, bound policy.Condition) (grant, error) {
	var err error
	add := func(have, more []string, path ...string) {
		if err == nil && len(more) > 0 {
			g, err = g.with(slices.Concat(have, more), path...)
		}
	}
	resources, actions := g.st.Resources.List, g.st.Actions.List
	accounts, _ := g.accounts()
	add(actions, e.actions, "Action")
	add(resources, e.resources, "Resource")
	add(bound.Values, e.arns, "Condition", bound.Operator, bound.Key)
	add(accounts.Values, e.accounts, "Condition", accounts.Operator, accounts.Key)
	return g, err
}

// reset writes a statement under a documented Sid anew, as AWS documents it,
// if CloudTrail cannot meet its conditions and it names nobody else's account.
func (m *mender) reset(g grant, n need) (mended, bool) {
	trails := m.named(g)
	if !namedAfter(n.statement.Kind, g.st.Sid) || m.visible.stranger(g) || !m.dead(g, n) {
		return mended{}, false
	}
	if !slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.ARN == n.trail.ARN }) {
		trails = append(trails, n.trail)
	}
	if n.statement.Kind == trail.OrganizationStatement {
		trails = slices.DeleteFunc(trails, func(t trail.Trail) bool { return !t.Organization })
	}
	st, ok, err := m.library.statement(n.statement.Kind, trails)
	if err != nil || !ok {
		return mended{}, false
	}
	st.Sid = g.st.Sid
	fresh, err := g.rewritten(st.Text())
	if err != nil {
		return mended{}, false
	}
	fresh.action = "mend"
	fresh.reasons = append(fresh.reasons, fmt.Sprintf(
		"CloudTrail could not meet its conditions, so that it granted nothing; it reads as AWS documents it again, and lets CloudTrail %s.", n.purpose()))
	return mended{fresh, 1}, true
}

// named are the trails of the bucket that the statement names.
func (m *mender) named(g grant) []trail.Trail {
	bound, _ := g.binding()
	var out []trail.Trail
	for _, arn := range bound.Values {
		if t, ok := m.library.trail(arn); ok {
			out = append(out, t)
		}
	}
	return out
}

// dead reports whether no request that CloudTrail makes meets the statement's
// conditions, whatever the trail.
func (m *mender) dead(g grant, n need) bool {
	doc, err := alone(g.text)
	if err != nil {
		return false
	}
	unknown := policy.Value{State: policy.Either}
	for _, r := range m.library.requirements(n.trail) {
		if r.Action != n.statement.Action {
			continue
		}
		place := r.Places[0]
		anyTrail := place.Context
		for _, key := range []string{
			sourceARN, "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths",
			"s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
		} {
			anyTrail = anyTrail.With(key, unknown)
		}
		d := doc.Decide(&policy.Request{Caller: place.Caller, Action: r.Action, Resource: n.statement.Resources[0], Context: anyTrail})
		if d.Matches[0].Condition != policy.No {
			return false
		}
	}
	return true
}

// meets reports whether a statement, on its own, allows what is needed, tried
// on one request of every kind.
func (m *mender) meets(g grant, n need) bool {
	doc, err := alone(g.text)
	if err != nil {
		return false
	}
	for _, r := range m.library.requirements(n.trail) {
		if !slices.Contains(n.requirements, r.ID) {
			continue
		}
		for _, place := range r.Places {
			request := policy.Request{Caller: place.Caller, Action: r.Action, Context: place.Context}
			witnesses, _ := doc.Witnesses(place.Resources, &request)
			for _, w := range witnesses {
				request.Resource = w.Text
				if doc.Decide(&request).Outcome != policy.Allowed {
					return false
				}
			}
		}
	}
	return true
}

// purpose is what the statement is needed for, as the end of a sentence.
func (n need) purpose() string {
	if n.statement.Kind == trail.ACLStatement {
		return "read the bucket's ACL for trail " + n.trail.ARN
	}
	return "write " + strings.Join(n.statement.Resources, " and ") + " for trail " + n.trail.ARN
}
