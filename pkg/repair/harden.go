package repair

import (
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
func (p *planner) harden(s state) (state, []Refusal) {
	library, err := newLibrary(p.trails, p.setting)
	if err != nil {
		return s, nil
	}
	var refused []Refusal
	for i, st := range s.doc.All() {
		h := hardening{planner: p, library: library, visible: newVisibility(s.doc, p.known, p.setting)}
		h.grant = grant{index: i, text: s.doc.StatementText(i), st: st}
		h.legacy = slices.ContainsFunc(st.Principals.Entries, isLegacy)
		if !h.weak() {
			continue
		}
		next, reason := h.apply(s)
		if reason != "" {
			refused = append(refused, Refusal{
				Finding: h.finding(),
				Reason:  fmt.Sprintf("Statement %s is left as it is: %s.", s.doc.Label(i), reason),
			})
			continue
		}
		s = next
	}
	return s, refused
}

// hardening is the hardening of one statement.
type hardening struct {
	*planner
	grant
	library *library
	visible visibility
	legacy  bool // it names CloudTrail by accounts of old policies
}

func (h hardening) finding() string {
	if h.legacy {
		return delivery.LegacyAccountsID
	}
	return delivery.SourceARNMissingID
}

// weak reports whether the statement grants to CloudTrail in one of the weak
// ways.
func (h hardening) weak() bool {
	if h.st.Effect != policy.Allow || h.st.Principals.Not {
		return false
	}
	return h.legacy || slices.ContainsFunc(h.st.Principals.Entries, isCloudTrail) && !h.bound()
}

// bound reports whether a condition says for whom CloudTrail must be at work.
func (h hardening) bound() bool {
	return slices.ContainsFunc(h.st.Conditions, func(c policy.Condition) bool {
		key := strings.ToLower(c.Key)
		return !strings.Contains(c.Operator, "Not") && c.Operator != "Null" &&
			(key == strings.ToLower(sourceARN) || key == "aws:sourceaccount" || key == "aws:sourceorgid" || key == "aws:sourceorgpaths")
	})
}

// apply returns the policy with the statement hardened, or why it is not.
func (h hardening) apply(s state) (state, string) {
	trails, reason := h.served()
	if reason == "" {
		reason = h.obstacle(s.doc, trails)
	}
	if reason != "" {
		return s, reason
	}
	text, err := h.write(trails)
	if err != nil {
		return s, err.Error()
	}
	replaced := map[int][]byte{h.index: text}
	doc, err := s.doc.With(replaced)
	if err == nil {
		err = kept(s.doc, doc, replaced)
	}
	if err != nil {
		return s, err.Error()
	}
	if len(doc.Text()) > MaxPolicySize {
		doc = doc.Compact()
	}
	if n := len(doc.Text()); n > MaxPolicySize {
		return s, fmt.Sprintf("the policy would have %d bytes, and S3 takes %d", n, MaxPolicySize)
	}
	report := h.judge(doc)
	if worsened(s.report, report) {
		return s, "it is not certain that CloudTrail could deliver as before"
	}
	change := Change{"harden", doc.Label(h.index), h.reason(trails)}
	return state{doc, report, append(slices.Clone(s.changes), change)}, ""
}

// obstacle says why a statement that serves known trails is not hardened.
func (h hardening) obstacle(doc *policy.Document, trails []trail.Trail) string {
	if reason := unwritable(doc); reason != "" {
		return reason
	}
	if !h.legacy {
		return ""
	}
	for _, t := range trails {
		for _, action := range h.st.Actions.List {
			for _, resource := range h.st.Resources.List {
				if !void(action, resource) && !h.library.grants(action, t.ARN, resource) {
					return fmt.Sprintf("for the service principal, %s on %s for trail %s is more than AWS documents", action, resource, t.ARN)
				}
			}
		}
	}
	return ""
}

// served returns the trails that the statement serves, or why they are not
// certain to be all.
func (h hardening) served() ([]trail.Trail, string) {
	if reason := h.exclusive(); reason != "" {
		return nil, reason
	}
	folders := h.visible.folders
	if h.does(trail.WriteStatement.Action()) {
		folders = nil
		for _, r := range h.st.Resources.List {
			if f, ok := folderOf(r); ok {
				folders = append(folders, f)
			}
		}
	}
	for _, f := range folders {
		if !h.visible.complete(f) {
			return nil, "it may serve a trail that is not known, of " + f.owner()
		}
	}
	trails := slices.DeleteFunc(slices.Clone(h.library.trails), func(t trail.Trail) bool { return !h.serves(t) })
	if len(trails) == 0 {
		return nil, "no known trail needs it; remove it if nothing else does"
	}
	return trails, ""
}

// exclusive says why the statement is not CloudTrail's alone, or does more
// than CloudTrail needs.
func (h hardening) exclusive() string {
	if !lists(h.st) {
		return "it says by a Not element what it grants"
	}
	for _, e := range h.st.Principals.Entries {
		if !isCloudTrail(e) && !isLegacy(e) {
			return "it serves " + e.Value + " as well"
		}
	}
	for _, a := range h.st.Actions.List {
		if !strings.EqualFold(a, trail.ACLStatement.Action()) && !strings.EqualFold(a, trail.WriteStatement.Action()) {
			return "it grants " + a + ", which CloudTrail does not need"
		}
	}
	if h.legacy && h.bound() {
		return "it holds a condition that was not written for CloudTrail's service principal"
	}
	return ""
}

// serves reports whether the trail may need the statement.
func (h hardening) serves(t trail.Trail) bool {
	statements, err := h.library.documented([]trail.Trail{t})
	if err != nil {
		return true
	}
	return slices.ContainsFunc(statements, func(st trail.Statement) bool {
		return h.does(st.Action) && slices.ContainsFunc(st.Resources, func(d string) bool {
			return slices.ContainsFunc(h.st.Resources.List, func(have string) bool { return overlap(d, have) })
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

func (h hardening) write(trails []trail.Trail) ([]byte, error) {
	text := h.text
	var err error
	if h.legacy {
		if text, err = policy.DeleteMember(text, "Principal", "AWS"); err != nil {
			return nil, fmt.Errorf("remove the accounts: %w", err)
		}
		if text, err = policy.SetMember(text, []string{trail.ServicePrincipal}, "Principal", "Service"); err != nil {
			return nil, fmt.Errorf("set the service principal: %w", err)
		}
	}
	arns := make([]string, len(trails))
	for i, t := range trails {
		arns[i] = t.ARN
	}
	if text, err = policy.SetMember(text, arns, "Condition", "StringEquals", sourceARN); err != nil {
		return nil, fmt.Errorf("bind the grant: %w", err)
	}
	return text, nil
}

func (h hardening) reason(trails []trail.Trail) string {
	if h.legacy {
		return "It names CloudTrail by its service principal instead of its accounts of old policies, which serve few regions, and is bound to " + names(trails) + "."
	}
	return "It is bound to " + names(trails) + ", so that nobody else's trail can write here."
}

// worsened reports whether any requirement is further from allowed.
func worsened(before, after delivery.Report) bool {
	for _, tr := range before.Trails {
		for _, rr := range tr.Requirements {
			if rank(decision(after, tr.ARN, rr.ID)) < rank(rr.Decision) {
				return true
			}
		}
	}
	return false
}

// owner names whose folder it is.
func (f folder) owner() string {
	switch {
	case f.account != "":
		return "account " + f.account
	case f.organization != "":
		return "organization " + f.organization
	default:
		return "any account"
	}
}
