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

// harden binds the grants of CloudTrail that are bound to no trail, and gives
// those to CloudTrail's accounts of old policies to its service principal. A
// statement that may serve a trail which is not known stays as it is, and so
// does one of which it is not proved that delivery stays as it was.
func (p *planner) harden(now candidate) (candidate, []Refusal) {
	var refused []Refusal
	for i := range now.doc.Len() {
		finding := weakness(grantAt(now.doc, i))
		if finding == "" {
			continue
		}
		next, err := p.bind(now, i)
		if err != nil {
			refused = append(refused, Refusal{
				Finding: finding,
				Reason:  fmt.Sprintf("Statement %s is left as it is: %v.", now.doc.Label(i), err),
			})
			continue
		}
		now = next
	}
	for _, f := range now.report.Findings {
		switch f.ID {
		case delivery.BacklogDeniedID, delivery.GrantExpiresID, delivery.NewRegionsNotGrantedID:
			refused = append(refused, Refusal{Finding: f.ID, Trail: f.Trail, Reason: f.Remedy})
		}
	}
	return now, refused
}

// weakness is the id of the finding that a grant to CloudTrail is weak, or
// empty if it is none or not weak.
func weakness(g grant) string {
	switch {
	case g.st.Effect != policy.Allow || g.st.Principals.Not:
		return ""
	case slices.ContainsFunc(g.st.Principals.Entries, isLegacy):
		return delivery.LegacyAccountsID
	case slices.ContainsFunc(g.st.Principals.Entries, isCloudTrail) && !g.isBound():
		return delivery.SourceARNMissingID
	default:
		return ""
	}
}

// bind returns the policy with the statement bound to the trails that it
// serves, and granting to the service principal. The error says why it is left
// as it is, as the end of a sentence.
func (p *planner) bind(now candidate, index int) (candidate, error) {
	g := grantAt(now.doc, index)
	legacy := weakness(g) == delivery.LegacyAccountsID
	if err := exclusive(g, legacy); err != nil {
		return now, err
	}
	trails, err := p.served(now.doc, g)
	if err != nil {
		return now, err
	}
	if err := unwritable(now.doc); err != nil {
		return now, err
	}
	if legacy {
		if err := p.documented.grantsAll(g, trails); err != nil {
			return now, err
		}
	}

	text := g.text
	reason := "It is bound to " + names(trails) + ", so that nobody else's trail can write here."
	if legacy {
		if text, err = policy.DeleteMember(text, "Principal", "AWS"); err != nil {
			return now, fmt.Errorf("remove the accounts: %w", err)
		}
		if text, err = policy.SetMember(text, []string{trail.ServicePrincipal}, "Principal", "Service"); err != nil {
			return now, fmt.Errorf("set the service principal: %w", err)
		}
		reason = "It names CloudTrail by its service principal instead of its accounts of old policies, " +
			"which serve few regions, and is bound to " + names(trails) + "."
	}
	arns := make([]string, len(trails))
	for i, t := range trails {
		arns[i] = t.ARN
	}
	if text, err = policy.SetMember(text, arns, "Condition", "StringEquals", sourceARN); err != nil {
		return now, fmt.Errorf("bind the grant: %w", err)
	}

	change := Change{Action: "harden", Statement: now.doc.Label(index), Reason: reason, Edits: now.edited(index)}
	for _, t := range trails {
		change.Serves = append(change.Serves, Purpose{Trail: t.ARN, Finding: weakness(g)})
	}
	after, err := apply(now.revision, []edit{{index, text, change}})
	if err != nil {
		return now, err
	}
	after, ok := fit(after)
	if !ok {
		return now, fmt.Errorf("the policy would have %d bytes, and S3 takes %d", len(after.doc.Text()), MaxPolicySize)
	}
	got := p.prove(after)
	if worse(now.report, got.report) {
		return now, errors.New("it is not certain that CloudTrail could deliver as before")
	}
	return got, nil
}

// exclusive says why a statement is not CloudTrail's alone, or does more than
// CloudTrail needs.
func exclusive(g grant, legacy bool) error {
	if !g.isList() {
		return errors.New("it says by a Not element what it grants")
	}
	for _, e := range g.st.Principals.Entries {
		if !isCloudTrail(e) && !isLegacy(e) {
			return fmt.Errorf("it serves %s as well", e.Value)
		}
	}
	for _, a := range g.st.Actions.List {
		if !strings.EqualFold(a, trail.ACLStatement.Action()) && !strings.EqualFold(a, trail.WriteStatement.Action()) {
			return fmt.Errorf("it grants %s, which CloudTrail does not need", a)
		}
	}
	if legacy && g.isBound() {
		return errors.New("it holds a condition that was not written for CloudTrail's service principal")
	}
	return nil
}

// served returns the trails that the statement serves, or why they are not
// certain to be all. A statement that lets CloudTrail write serves those whose
// folders it names; another serves all that write into the bucket.
func (p *planner) served(doc *policy.Document, g grant) ([]trail.Trail, error) {
	visible := newVisibility(doc, p.known, p.environment)
	folders := visible.folders
	if g.lists(trail.WriteStatement.Action()) {
		folders = foldersOf(g.st)
	}
	for _, f := range folders {
		if !visible.knowsAllOf(f) {
			return nil, fmt.Errorf("it may serve a trail that is not known, of %s", f.owner())
		}
	}
	var trails []trail.Trail
	for _, t := range p.documented.trails {
		if mayNeed(p.documented.alone[t.ARN], g) {
			trails = append(trails, t)
		}
	}
	if len(trails) == 0 {
		return nil, errors.New("no known trail needs it; remove it if nothing else does")
	}
	return trails, nil
}

// mayNeed reports whether the statement may grant something of what AWS
// documents for a trail.
func mayNeed(documented []trail.Statement, g grant) bool {
	return slices.ContainsFunc(documented, func(st trail.Statement) bool {
		return g.lists(st.Action) && slices.ContainsFunc(st.Resources, func(r string) bool {
			return slices.ContainsFunc(g.st.Resources.List, func(have string) bool { return overlap(r, have) })
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

// grantsAll says what a statement grants beyond what AWS documents for the
// trails, if its principal becomes the service principal.
func (d *documented) grantsAll(g grant, trails []trail.Trail) error {
	for _, t := range trails {
		for _, action := range g.st.Actions.List {
			for _, resource := range g.st.Resources.List {
				if !noSuchRequest(action, resource) && !d.grants(action, t.ARN, resource) {
					return fmt.Errorf("for the service principal, %s on %s for trail %s is more than AWS documents", action, resource, t.ARN)
				}
			}
		}
	}
	return nil
}
