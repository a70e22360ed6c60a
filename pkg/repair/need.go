package repair

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// namedAfter reports whether a Sid is one that AWS documents for the kind, or a
// numbered sibling of it.
func namedAfter(k trail.StatementKind, sid string) bool {
	return slices.ContainsFunc(k.Sids(), func(base string) bool {
		rest, ok := strings.CutPrefix(sid, base)
		return ok && (rest == "" || strings.HasPrefix(rest, siblingMark))
	})
}

// need is a documented statement that a trail lacks.
type need struct {
	trail trail.Trail
	// statement is what AWS documents for the trail alone.
	statement trail.Statement
	// requirements are those that are not met without it.
	requirements []trail.RequirementID
}

// library holds what AWS documents for the trails of the bucket.
type library struct {
	setting trail.Environment
	trails  []trail.Trail
	// shared are the documented statements for all of the trails together:
	// the most that a plan may come to grant.
	shared []trail.Statement
	asked  map[string][]trail.Requirement // by the trail's ARN, once needed
}

// requirements are what CloudTrail asks for by its service principal.
func (l *library) requirements(t trail.Trail) []trail.Requirement {
	if _, ok := l.asked[t.ARN]; !ok {
		l.asked[t.ARN] = trail.ServiceRequirements(t, l.setting)
	}
	return l.asked[t.ARN]
}

// newLibrary reads what AWS documents for the trails. Without the id of its
// organization, an organization trail is documented as far as its own
// account's folder goes. A trail whose ARN names no account has no folder, so
// nothing is documented for it.
func newLibrary(trails []trail.Trail, s trail.Environment) (*library, error) {
	l := &library{setting: s, asked: map[string][]trail.Requirement{}}
	for _, t := range trails {
		if isAccount(t.Account()) {
			l.trails = append(l.trails, t)
		}
	}
	if len(l.trails) == 0 {
		return l, nil
	}
	var err error
	l.shared, err = l.documented(l.trails)
	return l, err
}

// documented returns the documented statements for some of the trails.
func (l *library) documented(trails []trail.Trail) ([]trail.Statement, error) {
	out, err := trail.Documented(trails, l.setting)
	if errors.Is(err, trail.ErrNoOrganization) {
		trails = slices.Clone(trails)
		for i := range trails {
			trails[i].Organization = false
		}
		out, err = trail.Documented(trails, l.setting)
	}
	if err != nil {
		return nil, fmt.Errorf("work out the documented statements: %w", err)
	}
	return out, nil
}

// statement returns the documented statement of a kind for some of the
// trails, or false if there is none.
func (l *library) statement(k trail.StatementKind, trails []trail.Trail) (trail.Statement, bool, error) {
	list, err := l.documented(trails)
	for _, st := range list {
		if st.Kind == k {
			return st, true, nil
		}
	}
	return trail.Statement{}, false, err
}

// grants reports whether the documented statements for all of the trails
// grant the action to the trail on everything that the resource names.
func (l *library) grants(action, arn, resource string) bool {
	return slices.ContainsFunc(l.shared, func(st trail.Statement) bool {
		return strings.EqualFold(st.Action, action) && slices.Contains(st.SourceARNs, arn) &&
			slices.ContainsFunc(st.Resources, func(d string) bool { return within(resource, d) })
	})
}

func (l *library) trail(arn string) (trail.Trail, bool) {
	i := slices.IndexFunc(l.trails, func(t trail.Trail) bool { return t.ARN == arn })
	if i < 0 {
		return trail.Trail{}, false
	}
	return l.trails[i], true
}

// needs returns the documented statements that would meet requirements which
// are not met. A requirement that a Deny denies for certain is left out: no
// grant changes that.
func (l *library) needs(r delivery.Report) ([]need, error) {
	var out []need
	for _, tr := range r.Trails {
		t, ok := l.trail(tr.ARN)
		if !ok {
			continue
		}
		statements, err := l.documented([]trail.Trail{t})
		if err != nil {
			return nil, err
		}
		for _, rr := range tr.Requirements {
			if rr.Decision == policy.Allowed || rr.Decision == policy.ExplicitDeny {
				continue
			}
			if st, ok := serving(statements, rr); ok {
				out = include(out, need{t, st, []trail.RequirementID{rr.ID}})
			}
		}
	}
	return out, nil
}

// serving returns the documented statement that a requirement falls under.
func serving(statements []trail.Statement, rr delivery.RequirementReport) (trail.Statement, bool) {
	for _, st := range statements {
		if st.Action == rr.Action && slices.ContainsFunc(st.Resources, func(d string) bool { return within(rr.Example, plain(d)) }) {
			return st, true
		}
	}
	return trail.Statement{}, false
}

// plain writes a documented resource with the characters that it stands for.
func plain(resource string) string {
	return strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(resource)
}

func include(needs []need, n need) []need {
	i := slices.IndexFunc(needs, func(o need) bool { return o.trail.ARN == n.trail.ARN && o.statement.Kind == n.statement.Kind })
	if i < 0 {
		return append(needs, n)
	}
	needs[i].requirements = append(needs[i].requirements, n.requirements...)
	return needs
}

// within reports whether every text that a pattern matches is matched by a
// documented resource, which is a literal or ends in its only "*". It may
// miss some that are.
func within(pattern, documented string) bool {
	if literal, ok := strings.CutSuffix(documented, "*"); ok {
		return strings.HasPrefix(pattern, literal)
	}
	return pattern == documented
}
