package repair

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// patcher changes statements that serve CloudTrail alone.
//
// A patch adds values and nothing else: what a statement granted, it still
// grants. So no trail is cut off that cannot be seen from here, and a value
// that turns out to be nobody's does no harm. The one exception is a statement
// under a documented Sid whose conditions CloudTrail cannot meet: it grants
// nothing, and is set back to what AWS documents.
type patcher struct {
	documented *documented
	visible    visibility
	budget     *policy.Budget
}

// patch patches statements for the needs, each for as many as it can serve, and
// returns the needs that no patch meets.
func (m patcher) patch(before revision, needs []need) (edits []edit, unmet []need) {
	grants := make([]grant, before.doc.Len())
	for i := range grants {
		grants[i] = grantAt(before.doc, i)
	}
	serves := make([][]Purpose, len(grants))
	reasons := make([][]string, len(grants)) // of a statement's patches
	for _, n := range needs {
		i, patched, reason := m.cheapest(grants, n)
		if i < 0 {
			unmet = append(unmet, n)
			continue
		}
		grants[i] = patched
		reasons[i] = append(reasons[i], reason)
		serves[i] = append(serves[i], n.purposes()...)
	}
	for i, g := range grants {
		if len(reasons[i]) > 0 {
			edits = append(edits, edit{i, g.text, Change{
				Action: "mend", Statement: before.doc.Label(i), Reason: inShort(reasons[i]),
				Edits: before.edited(i), Serves: serves[i],
			}})
		}
	}
	return edits, unmet
}

// inShort joins the reasons of a statement's patches: the first ones of many.
func inShort(reasons []string) string {
	const most = 3
	if more := len(reasons) - most; more > 0 {
		reasons = append(slices.Clone(reasons[:most]), fmt.Sprintf("%d more requirements are met so.", more))
	}
	return strings.Join(reasons, " ")
}

// cheapest returns the patch that meets the need at the least cost, the first
// of several, with its statement's index and its reason. The index is -1 if
// there is none.
//
// Patches are written first, which is cheap, and then read and tried in the
// order of their costs until one does.
func (m patcher) cheapest(grants []grant, n need) (index int, patched grant, reason string) {
	type draft struct {
		index, cost int
		text        []byte
		reason      string
	}
	var drafts []draft
	for i, g := range grants {
		if !g.forCloudTrail() {
			continue
		}
		if text, cost := m.extended(g, n); text != nil {
			drafts = append(drafts, draft{i, cost, text, "It now also lets CloudTrail " + n.purpose() + "."})
		} else if text := m.reset(g, n); text != nil {
			drafts = append(drafts, draft{i, 1, text, "CloudTrail could not meet its conditions, so that it granted nothing; " +
				"it reads as AWS documents it again, and lets CloudTrail " + n.purpose() + "."})
		}
	}
	slices.SortStableFunc(drafts, func(a, b draft) int { return cmp.Compare(a.cost, b.cost) })
	for _, d := range drafts {
		if doc, err := alone(d.text); err == nil && n.metBy(doc, m.budget) {
			return d.index, grantAt(doc, 0), d.reason
		}
	}
	return -1, grant{}, ""
}

// extended returns the text of a statement with what it lacks for the need, and
// what that costs: two for each value that is added, and one if the statement's
// Sid speaks of something else. It returns nil if the statement lacks nothing
// or cannot be extended, which is where that might serve a trail that is not
// known, or would grant what AWS does not document for the trails.
func (m patcher) extended(g grant, n need) (text []byte, cost int) {
	bound, ok := g.binding()
	if !ok || m.visible.mayServeUnseen(bound) {
		return nil, 0
	}
	// What it lacks. An action is added only under a Sid that AWS documents for
	// it: elsewhere it is not the statement's purpose.
	named := namedAfter(n.statement.Kind, g.st.Sid)
	var actions, arns, resources, accounts []string
	if !g.lists(n.statement.Action) {
		if !named {
			return nil, 0
		}
		actions = []string{n.statement.Action}
	}
	if !slices.Contains(bound.Values, n.trail.ARN) {
		arns = []string{n.trail.ARN}
	}
	for _, r := range n.statement.Resources {
		if !g.reaches(r) {
			resources = append(resources, r)
		}
	}
	ofAccounts, ok := g.accountCondition()
	if ok && !slices.Contains(ofAccounts.Values, n.trail.Account()) {
		accounts = []string{n.trail.Account()}
	}
	lacking := len(actions) + len(arns) + len(resources) + len(accounts)
	if lacking == 0 {
		return nil, 0
	}
	// Adding one value grants every combination of it with the others. Each that
	// is new has to be documented, and files only with the ACL that AWS asks for.
	for _, action := range slices.Concat(g.st.Actions.List, actions) {
		for _, arn := range slices.Concat(bound.Values, arns) {
			for _, resource := range slices.Concat(g.st.Resources.List, resources) {
				isNew := len(accounts) > 0 || slices.Contains(actions, action) || slices.Contains(arns, arn) || slices.Contains(resources, resource)
				if !isNew || noSuchRequest(action, resource) {
					continue
				}
				isACL := strings.EqualFold(action, trail.ACLStatement.Action())
				if !m.documented.grants(action, arn, resource) || !isACL && !g.asksACL() {
					return nil, 0
				}
			}
		}
	}
	text = g.text
	for _, add := range []struct {
		have, more []string
		path       []string
	}{
		{g.st.Actions.List, actions, []string{"Action"}},
		{g.st.Resources.List, resources, []string{"Resource"}},
		{bound.Values, arns, []string{"Condition", bound.Operator, bound.Key}},
		{ofAccounts.Values, accounts, []string{"Condition", ofAccounts.Operator, ofAccounts.Key}},
	} {
		if len(add.more) == 0 {
			continue
		}
		var err error
		if text, err = policy.SetMember(text, slices.Concat(add.have, add.more), add.path...); err != nil {
			return nil, 0
		}
	}
	cost = 2 * lacking
	if !named {
		cost++
	}
	return text, cost
}

// reset returns a statement under a documented Sid anew, as AWS documents it
// for the need and for the trails of the bucket that it names. It returns nil
// unless CloudTrail cannot meet the statement's conditions and it names
// nobody else's account.
func (m patcher) reset(g grant, n need) []byte {
	if !namedAfter(n.statement.Kind, g.st.Sid) || m.visible.namesStranger(g) || !n.neverMatchedBy(g, m.budget) {
		return nil
	}
	trails := m.trailsOf(g)
	if !slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.ARN == n.trail.ARN }) {
		trails = append(trails, n.trail)
	}
	if n.statement.Kind == trail.OrganizationStatement {
		trails = slices.DeleteFunc(trails, func(t trail.Trail) bool { return !t.Organization })
	}
	st, err := m.documented.statement(n.statement.Kind, trails)
	if err != nil {
		return nil
	}
	st.Sid = g.st.Sid
	return st.Text()
}

// trailsOf are the trails of the bucket that the statement is bound to.
func (m patcher) trailsOf(g grant) []trail.Trail {
	bound, _ := g.binding()
	var out []trail.Trail
	for _, arn := range bound.Values {
		if t, ok := m.documented.trail(arn); ok {
			out = append(out, t)
		}
	}
	return out
}

// neverMatchedBy reports whether no request that CloudTrail makes for the
// needed action meets the statement's conditions, whatever the trail and its
// organization are and however its files are encrypted.
func (n need) neverMatchedBy(g grant, budget *policy.Budget) bool {
	doc, err := alone(g.text)
	if err != nil {
		return false
	}
	for _, r := range n.requirements {
		if r.Action != n.statement.Action {
			continue
		}
		place := r.Sets[0]
		request := policy.Request{Caller: place.Caller, Action: r.Action, Context: ofAnyTrail(place.Context)}
		d := doc.Prepare(&request, budget).Decide(n.statement.Resources[0])
		if d.Matches[0].Condition != policy.No {
			return false
		}
	}
	return true
}

// metBy reports whether a policy allows what is unmet, tried on one request of
// every kind that it tells apart.
func (n need) metBy(doc *policy.Document, budget *policy.Budget) bool {
	for _, r := range n.requirements {
		if !slices.Contains(n.unmet, r.ID) {
			continue
		}
		for _, place := range r.Sets {
			request := policy.Request{Caller: place.Caller, Action: r.Action, Context: place.Context}
			samples := doc.Prepare(&request, budget).Samples(place.Resources)
			if !samples.Complete || slices.ContainsFunc(samples.List, func(s policy.Sample) bool { return s.Decision.Outcome != policy.Allowed }) {
				return false
			}
		}
	}
	return true
}
