package repair

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// documented holds what AWS documents for the trails of the bucket.
type documented struct {
	environment trail.Environment
	// trails are those for which AWS documents something. A trail whose ARN
	// names no account has no folder to write to.
	trails []trail.Trail
	// alone are the statements for each trail by itself, by its ARN.
	alone map[string][]trail.Statement
	// shared are the statements for all of the trails together: the most that a
	// plan may come to grant.
	shared []trail.Statement
}

// newDocumented fails where one policy cannot serve all of the trails.
func newDocumented(trails []trail.Trail, env trail.Environment) (*documented, error) {
	d := &documented{environment: env, alone: map[string][]trail.Statement{}}
	for _, t := range trails {
		if arn.Account(t.Account()).Valid() {
			d.trails = append(d.trails, t)
		}
	}
	if len(d.trails) == 0 {
		return d, nil
	}
	var err error
	if d.shared, err = d.statements(d.trails); err != nil {
		return nil, err
	}
	for _, t := range d.trails {
		if d.alone[t.ARN], err = d.statements([]trail.Trail{t}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// statements returns the documented statements for some of the trails. Without
// the id of its organization, an organization trail is documented as far as
// its own account's folder goes.
func (d *documented) statements(trails []trail.Trail) ([]trail.Statement, error) {
	out, err := trail.Documented(trails, d.environment)
	if errors.Is(err, trail.ErrNoOrganization) {
		trails = slices.Clone(trails)
		for i := range trails {
			trails[i].Organization = false
		}
		out, err = trail.Documented(trails, d.environment)
	}
	if err != nil {
		return nil, fmt.Errorf("work out the documented statements: %w", err)
	}
	return out, nil
}

// statement returns the documented statement of a kind for some of the trails.
// It fails where there is none.
func (d *documented) statement(k trail.StatementKind, trails []trail.Trail) (trail.Statement, error) {
	list, err := d.statements(trails)
	if err != nil {
		return trail.Statement{}, err
	}
	i := slices.IndexFunc(list, func(st trail.Statement) bool { return st.Kind == k })
	if i < 0 {
		return trail.Statement{}, fmt.Errorf("AWS documents no statement that lets CloudTrail %s for %s", purpose(k), names(trails))
	}
	return list[i], nil
}

// grants reports whether the documented statements for all of the trails
// grant the action to the trail on everything that the resource names.
func (d *documented) grants(action, arn, resource string) bool {
	return slices.ContainsFunc(d.shared, func(st trail.Statement) bool {
		return strings.EqualFold(st.Action, action) && st.Serves(arn) &&
			slices.ContainsFunc(st.Resources, func(r string) bool { return within(resource, r) })
	})
}

func (d *documented) trail(arn string) (trail.Trail, bool) {
	i := slices.IndexFunc(d.trails, func(t trail.Trail) bool { return t.ARN == arn })
	if i < 0 {
		return trail.Trail{}, false
	}
	return d.trails[i], true
}

// need is a documented statement that a trail lacks.
type need struct {
	trail     trail.Trail
	statement trail.Statement // as AWS documents it for the trail alone
	// requirements are all that CloudTrail asks for on the trail's behalf by its
	// service principal, and unmet are those that are not met without the
	// statement.
	requirements []trail.Requirement
	unmet        []trail.RequirementID
}

// needs returns the documented statements that would meet requirements which
// nothing allows for certain, whatever Deny blocks them too; with beyond also
// those that are not met of later regions and dates. A requirement that
// CloudTrail may not have at all is left out: it is first to be settled whether
// it has, and a policy that works is left as it is. So is one that hangs on what
// the caller did not say.
func (p *planner) needs(c candidate, beyond bool) []need {
	d := p.documented
	var out []need
	for _, tr := range c.granted.Trails {
		t, ok := d.trail(tr.ARN)
		if !ok {
			continue
		}
		var own []need
		for _, rr := range tr.Requirements {
			met := rr.Decision == policy.Allowed && (!beyond || !rr.Beyond) || rr.Granted
			if met || rr.Perhaps != trail.Certain || rr.Decision == policy.ExplicitDeny || len(p.unsaid(rr)) > 0 {
				continue
			}
			st, ok := serving(d.alone[t.ARN], rr)
			if !ok {
				continue
			}
			i := slices.IndexFunc(own, func(n need) bool { return n.statement.Kind == st.Kind })
			if i < 0 {
				i = len(own)
				own = append(own, need{trail: t, statement: st})
			}
			own[i].unmet = append(own[i].unmet, rr.ID)
		}
		if len(own) == 0 {
			continue
		}
		requirements := trail.ServiceRequirements(t, d.environment)
		for _, n := range own {
			n.requirements = requirements
			out = append(out, n)
		}
	}
	return out
}

// purposes are the requirements that are not met.
func (n need) purposes() []Purpose {
	out := make([]Purpose, len(n.unmet))
	for i, id := range n.unmet {
		out[i] = Purpose{Trail: n.trail.ARN, Requirement: id}
	}
	return out
}

// serving returns the documented statement that a requirement falls under.
func serving(statements []trail.Statement, rr delivery.RequirementReport) (trail.Statement, bool) {
	for _, st := range statements {
		if st.Action == rr.Action && slices.ContainsFunc(st.Resources, func(r string) bool { return within(rr.Example, plain(r)) }) {
			return st, true
		}
	}
	return trail.Statement{}, false
}

// plain writes a documented resource with the characters that it stands for.
func plain(resource string) string {
	return strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(resource)
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

// purpose is what CloudTrail does by a statement of the kind, as the end of a
// sentence.
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

// purpose is what the statement is needed for, as the end of a sentence.
func (n need) purpose() string {
	if n.statement.Kind == trail.ACLStatement {
		return "read the bucket's ACL for trail " + n.trail.ARN
	}
	return "write " + strings.Join(n.statement.Resources, " and ") + " for trail " + n.trail.ARN
}

// names are the trails, as part of a sentence.
func names(trails []trail.Trail) string {
	arns := make([]string, len(trails))
	for i, t := range trails {
		arns[i] = t.ARN
	}
	return counted("trail", arns)
}

// accountsNamed are accounts, as part of a sentence.
func accountsNamed(ids []string) string { return counted("account", ids) }

// counted names things by their kind: all of a few, and the first of more.
func counted(kind string, list []string) string {
	const most = 3
	switch {
	case len(list) == 1:
		return kind + " " + list[0]
	case len(list) > most+1:
		return fmt.Sprintf("%ss %s and %d others", kind, strings.Join(list[:most], ", "), len(list)-most)
	}
	return kind + "s " + strings.Join(list, ", ")
}
