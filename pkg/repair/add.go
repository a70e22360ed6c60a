package repair

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// siblingMark stands between a documented Sid that something else has taken
// and a number. S3 takes letters and digits in Sids.
const siblingMark = "n"

// addition is a documented statement that is added.
type addition struct {
	text                []byte
	action, sid, reason string
}

// add returns the documented statements for the needs. Trails share a
// statement, as AWS documents it for several accounts.
func (w *writer) add(needs []need, taken map[string]bool) ([]addition, error) {
	var out []addition
	for _, k := range []trail.StatementKind{trail.ACLStatement, trail.WriteStatement, trail.OrganizationStatement} {
		var trails []trail.Trail
		for _, n := range needs {
			if n.statement.Kind == k {
				trails = append(trails, n.trail)
			}
		}
		if len(trails) == 0 {
			continue
		}
		a, err := w.document(k, trails, taken)
		if err != nil {
			return nil, err
		}
		a.action = "add"
		a.reason = fmt.Sprintf("No statement was certain to let CloudTrail %s; AWS documents this one for %s.", purpose(k), names(trails))
		out = append(out, a)
	}
	return out, nil
}

// document returns the documented statement of a kind under a Sid that is not
// taken, and takes it.
func (w *writer) document(k trail.StatementKind, trails []trail.Trail, taken map[string]bool) (addition, error) {
	st, ok, err := w.library.statement(k, trails)
	if err != nil {
		return addition{}, err
	}
	if !ok {
		return addition{}, fmt.Errorf("AWS documents no statement that lets CloudTrail %s for %s", purpose(k), names(trails))
	}
	if taken[st.Sid] {
		st.Sid = sibling(st.Sid, taken)
	}
	taken[st.Sid] = true
	return addition{text: st.Text(), sid: st.Sid}, nil
}

// sibling returns the first numbered form of a Sid that is not taken.
func sibling(sid string, taken map[string]bool) string {
	for n := 2; ; n++ {
		if numbered := sid + siblingMark + strconv.Itoa(n); !taken[numbered] {
			return numbered
		}
	}
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

// purpose is what CloudTrail does by a statement of the kind.
func purpose(k trail.StatementKind) string {
	switch k {
	case trail.ACLStatement:
		return "read the bucket's ACL"
	case trail.WriteStatement:
		return "write the files of the trail's account"
	default:
		return "write the files of the organization"
	}
}

func names(trails []trail.Trail) string {
	arns := make([]string, len(trails))
	for i, t := range trails {
		arns[i] = t.ARN
	}
	if len(arns) == 1 {
		return "trail " + arns[0]
	}
	return "trails " + strings.Join(arns, ", ")
}

// merge replaces the statements that grant nothing but what AWS documents for
// the trails by the documented ones that they share. It is for policies that
// have come to the limit of their size.
func (w *writer) merge(needs []need) (state, error) {
	var old []int
	var trails []trail.Trail
	include := func(t trail.Trail) {
		if !slices.ContainsFunc(trails, func(o trail.Trail) bool { return o.ARN == t.ARN }) {
			trails = append(trails, t)
		}
	}
	m := &mender{w.library, w.visible}
	before := w.bucket.Policy
	for i, st := range before.All() {
		g := grant{index: i, text: before.StatementText(i), st: st}
		if m.redundant(g) {
			old = append(old, i)
			for _, t := range m.named(g) {
				include(t)
			}
		}
	}
	for _, n := range needs {
		include(n.trail)
	}
	taken := sidsOf(before, old)
	statements, err := w.library.documented(trails)
	if err != nil {
		return state{}, err
	}
	replaced := map[int][]byte{}
	for _, i := range old {
		replaced[i] = nil
	}
	var added []addition
	for _, st := range statements {
		a, err := w.document(st.Kind, trails, taken)
		if err != nil {
			return state{}, err
		}
		a.action = "merge"
		a.reason = fmt.Sprintf("S3 takes no policy over %d bytes, so that the statements of %s are written as one, as AWS documents it for several.", MaxPolicySize, names(trails))
		added = append(added, a)
	}
	return w.assemble(replaced, added, nil)
}

// redundant reports whether all that a statement grants is documented for the
// trails, in the documented form.
func (m *mender) redundant(g grant) bool {
	bound, ok := g.binding()
	if !ok || !forCloudTrail(g.st) || bound.Operator != "StringEquals" {
		return false
	}
	writes := false
	for _, action := range g.st.Actions.List {
		for _, arn := range bound.Values {
			for _, resource := range g.st.Resources.List {
				if void(action, resource) {
					continue
				}
				if !m.library.grants(action, arn, resource) {
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
