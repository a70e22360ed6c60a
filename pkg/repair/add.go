package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// add returns the documented statements for the needs, under Sids that are not
// taken. Trails share a statement, as AWS documents it for several accounts.
func (d *documented) add(before *policy.Document, needs []need) ([]edit, error) {
	var out []edit
	taken := sidsOf(before, nil)
	for _, k := range []trail.StatementKind{trail.ACLStatement, trail.WriteStatement, trail.OrganizationStatement} {
		var trails []trail.Trail
		var serves []Purpose
		for _, n := range needs {
			if n.statement.Kind == k {
				trails = append(trails, n.trail)
				serves = append(serves, n.purposes()...)
			}
		}
		if len(trails) == 0 {
			continue
		}
		st, err := d.statement(k, trails)
		if err != nil {
			return nil, err
		}
		out = append(out, addedStatement(st, taken, Change{Action: "add", Serves: serves, Reason: fmt.Sprintf(
			"No statement was certain to let CloudTrail %s; AWS documents this one for %s.%s", purpose(k), names(trails), literalStar(before, k))}))
	}
	return out, nil
}

// literalStar says so if a grant to CloudTrail is bound to a pattern by an
// operator that knows no patterns.
func literalStar(doc *policy.Document, k trail.StatementKind) string {
	for i, st := range doc.All() {
		if g := grantAt(doc, i); !g.forCloudTrail() || !st.CoversAction(k.Action()) {
			continue
		}
		for _, c := range st.Conditions {
			if c.Operator == "StringEquals" && strings.EqualFold(c.Key, sourceARN) && strings.Contains(strings.Join(c.Values, ""), "*") {
				return fmt.Sprintf(" In statement %s the * of %s is a literal character, since the operator is StringEquals.", delivery.Shown(doc.Label(i)), c.Key)
			}
		}
	}
	return ""
}

// addedStatement is the edit that adds a statement. Its Sid is made one that is
// not taken, and taken; the change is told of it.
func addedStatement(st trail.Statement, taken map[string]bool, c Change) edit {
	st.Sid = freeSid(st.Sid, taken)
	c.Statement = st.Sid
	return edit{atEnd, st.Text(), c}
}

// siblingMark stands between a documented Sid that something else has taken
// and a number. S3 takes letters and digits in Sids.
const siblingMark = "n"

// namedAfter reports whether a Sid is one that AWS documents for the kind, or a
// numbered sibling of it.
func namedAfter(k trail.StatementKind, sid string) bool {
	return slices.ContainsFunc(k.Sids(), func(base string) bool {
		rest, ok := strings.CutPrefix(sid, base)
		return ok && (rest == "" || strings.HasPrefix(rest, siblingMark))
	})
}

// sidsOf returns the Sids of the statements that are not left out.
func sidsOf(doc *policy.Document, without []int) map[string]bool {
	taken := map[string]bool{}
	for i, st := range doc.All() {
		if !slices.Contains(without, i) {
			taken[st.Sid] = true
		}
	}
	return taken
}

// merge replaces the statements that grant nothing but what AWS documents for
// the trails by the documented ones that they share. It is for policies that
// have come to the limit of their size.
func (m patcher) merge(before revision, needs []need) ([]edit, error) {
	var old []int
	var trails []trail.Trail
	include := func(t trail.Trail) {
		if !slices.ContainsFunc(trails, func(o trail.Trail) bool { return o.ARN == t.ARN }) {
			trails = append(trails, t)
		}
	}
	for i := range before.doc.Len() {
		if g := grantAt(before.doc, i); m.redundant(g) {
			old = append(old, i)
			for _, t := range m.trailsOf(g) {
				include(t)
			}
		}
	}
	for _, n := range needs {
		include(n.trail)
	}
	shared, err := m.documented.statements(trails)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for _, i := range old {
		edits = append(edits, edit{index: i})
	}
	taken := sidsOf(before.doc, old)
	for _, st := range shared {
		c := Change{Action: "merge", Reason: fmt.Sprintf("S3 takes no policy over %d bytes, "+
			"so that the statements of %s are written as one, as AWS documents it for several.", MaxPolicySize, names(trails))}
		for _, i := range old {
			if grantAt(before.doc, i).lists(st.Action) {
				c.Edits = append(c.Edits, before.edited(i)...)
			}
		}
		for _, n := range needs {
			if n.statement.Kind == st.Kind {
				c.Serves = append(c.Serves, n.purposes()...)
			}
		}
		edits = append(edits, addedStatement(st, taken, c))
	}
	return edits, nil
}

// redundant reports whether all that a statement grants is documented for the
// trails, in the documented form.
func (m patcher) redundant(g grant) bool {
	bound, ok := g.binding()
	if !ok || !g.forCloudTrail() || bound.Operator != "StringEquals" {
		return false
	}
	writes := false
	for _, action := range g.st.Actions.List {
		for _, arn := range bound.Values {
			for _, resource := range g.st.Resources.List {
				if noSuchRequest(action, resource) {
					continue
				}
				if !m.documented.grants(action, arn, resource) {
					return false
				}
				writes = writes || strings.EqualFold(action, trail.WriteStatement.Action())
			}
		}
	}
	if !writes {
		return len(g.st.Conditions) == 1
	}
	return len(g.st.Conditions) == 2 && g.asksACL()
}
