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

// form is one of the statements that AWS documents for a trail, by its place
// in what [trail.Documented] returns.
type form int

const (
	aclForm form = iota
	writeForm
	organizationForm
)

func (f form) action() string {
	if f == aclForm {
		return "s3:GetBucketAcl"
	}
	return "s3:PutObject"
}

// sids are the Sids that AWS documents for the form.
func (f form) sids() []string {
	switch f {
	case aclForm:
		return []string{trail.SidACL, trail.SidSharedACL}
	case writeForm:
		return []string{trail.SidWrite, trail.SidSharedWrite}
	default:
		return []string{trail.SidOrganizationWrite}
	}
}

// names reports whether a Sid is one of the form's, or a numbered sibling.
func (f form) names(sid string) bool {
	return slices.ContainsFunc(f.sids(), func(base string) bool {
		rest, ok := strings.CutPrefix(sid, base)
		return ok && (rest == "" || strings.HasPrefix(rest, siblingMark))
	})
}

// need is a documented statement that a trail lacks.
type need struct {
	trail     trail.Trail
	form      form
	resources []string // as the documented statement names them
	// requirements are those that are not met without it.
	requirements []trail.RequirementID
}

// rule is a documented statement, read.
type rule struct {
	action    string
	arns      []string
	resources []string
}

// library holds what AWS documents for the trails of the bucket.
type library struct {
	setting trail.Environment
	trails  []trail.Trail
	// shared are the documented statements for all of the trails together:
	// the most that a plan may come to grant.
	shared []rule
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
	texts, err := l.documented(l.trails)
	if err != nil {
		return nil, err
	}
	if l.shared, err = readRules(texts); err != nil {
		return nil, err
	}
	return l, nil
}

// documented returns the documented statements for some of the trails.
func (l *library) documented(trails []trail.Trail) ([][]byte, error) {
	texts, err := trail.Documented(trails, l.setting)
	if errors.Is(err, trail.ErrNoOrganization) {
		trails = slices.Clone(trails)
		for i := range trails {
			trails[i].Organization = false
		}
		texts, err = trail.Documented(trails, l.setting)
	}
	if err != nil {
		return nil, fmt.Errorf("work out the documented statements: %w", err)
	}
	return texts, nil
}

// statement returns the documented statement of a form for some of the
// trails, or nil if there is none.
func (l *library) statement(f form, trails []trail.Trail) ([]byte, error) {
	texts, err := l.documented(trails)
	if err != nil || int(f) >= len(texts) {
		return nil, err
	}
	return texts[f], nil
}

// grants reports whether the documented statements for all of the trails
// grant the action to the trail on everything that the resource names.
func (l *library) grants(action, arn, resource string) bool {
	return slices.ContainsFunc(l.shared, func(r rule) bool {
		return strings.EqualFold(r.action, action) && slices.Contains(r.arns, arn) &&
			slices.ContainsFunc(r.resources, func(d string) bool { return within(resource, d) })
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
		texts, err := l.documented([]trail.Trail{t})
		if err != nil {
			return nil, err
		}
		rules, err := readRules(texts)
		if err != nil {
			return nil, err
		}
		for _, rr := range tr.Requirements {
			if rr.Decision == policy.Allowed || rr.Decision == policy.ExplicitDeny {
				continue
			}
			if f, ok := serving(rules, rr); ok {
				out = include(out, need{t, f, rules[f].resources, []trail.RequirementID{rr.ID}})
			}
		}
	}
	return out, nil
}

// serving returns the documented statement that a requirement falls under.
func serving(rules []rule, rr delivery.RequirementReport) (form, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool {
		return r.action == rr.Action &&
			slices.ContainsFunc(r.resources, func(d string) bool { return within(rr.Example, plain(d)) })
	})
	return form(i), i >= 0
}

// plain writes a documented resource with the characters that it stands for.
func plain(resource string) string {
	return strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(resource)
}

func include(needs []need, n need) []need {
	i := slices.IndexFunc(needs, func(o need) bool { return o.trail.ARN == n.trail.ARN && o.form == n.form })
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

// readRules reads the statements that [trail.Documented] returned.
func readRules(texts [][]byte) ([]rule, error) {
	rules := make([]rule, len(texts))
	for i, text := range texts {
		g, err := readGrant(-1, text)
		if err != nil {
			return nil, err
		}
		b, _ := g.binding()
		rules[i] = rule{g.st.Actions.List[0], b.Values, g.st.Resources.List}
	}
	return rules, nil
}
