package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// partNames are the parts of a key in which a grant may fall short, in the
// order in which they are told.
func partNames() []string {
	return []string{"prefix", "organization", "account", "region", "date", "year", "month", "day"}
}

// unopened stands for the region of keys whose region AWS has yet to open.
const unopened = "<new>"

// value is a part of the key that was decided. ok is false if the key has no such part.
func (r sampleDecision) value(name string) (value string, ok bool) {
	if v, found := r.sample.Segments[name]; found {
		return v, true
	}
	return unopened, name == "region" && r.date() != ""
}

// whyPartial says which of the keys are allowed only, where some are. It is
// told by the two decisions, one allowed and one denied, that differ least.
func (e *evaluation) whyPartial(doc *policy.Document) (string, bool) {
	if e.ID.Target() == trail.OfTopic {
		return "", false // its requests differ in their action
	}
	if e.partial {
		return e.whySome(doc)
	}
	allowed, denied, ok := e.closest()
	if !ok {
		return e.whySome(doc)
	}
	names := differing(allowed, denied)
	var only []string
	for _, name := range partNames() {
		text, ok := e.only(allowed, name, slices.Contains(names, name))
		if !ok {
			return e.whySome(doc)
		}
		if text != "" {
			only = append(only, text)
		}
	}
	if len(only) == 0 {
		return e.whySome(doc)
	}
	missing := cut(denied, names)
	if v, _ := denied.value("region"); v == unopened && slices.Contains(names, "region") {
		missing = "the keys of regions that AWS opens later"
	}
	grants := statementsDo(statementNames(doc, allowed.decision.Responsible), "grants", "grant")
	return fmt.Sprintf("%s only %s; nothing allows %s%s%s.", grants, list(only), e.action(), e.preposition(denied), missing), true
}

// whySome says that some of the keys are allowed only, where it cannot be said
// which.
func (e *evaluation) whySome(doc *policy.Document) (string, bool) {
	for _, r := range e.decisions {
		if r.outcome == policy.Allowed {
			return fmt.Sprintf("%s only some of the %s; nothing allows %s%s.",
				statementsDo(statementNames(doc, r.decision.Responsible), "grants", "grant"), cmp.Or(e.varying(), "keys"), e.action(), e.at(e.example)), true
		}
	}
	return "", false
}

// varying is what the requests of the example's set are for, if it is not what differs in
// their resource.
func (e *evaluation) varying() string {
	if e.preposition(e.example) == " for " {
		return "files"
	}
	return ""
}

// sameShape reports whether two keys have the same parts: a file's key and a
// marker's have not. Files of two kinds are in different folders.
func (e *evaluation) sameShape(a, b sampleDecision) bool {
	return (a.date() == "") == (b.date() == "") && e.Sets[a.set].Kind == e.Sets[b.set].Kind
}

// closest finds an allowed and a denied decision that differ in the fewest
// parts; of equals, one of a region that is already open. The allowed one is
// of such a region: keys of regions to come match the names of open ones too.
func (e *evaluation) closest() (allowed, denied sampleDecision, ok bool) {
	best := 0
	for _, a := range e.decisions {
		if v, _ := a.value("region"); a.outcome != policy.Allowed || v == unopened {
			continue
		}
		for _, d := range e.decisions {
			if d.outcome != policy.ImplicitDeny {
				continue
			}
			distance := 2 * len(differing(a, d))
			if distance == 0 || !e.sameShape(a, d) {
				continue
			}
			if v, _ := d.value("region"); v == unopened {
				distance++
			}
			if !ok || distance < best {
				allowed, denied, best, ok = a, d, distance, true
			}
		}
	}
	return allowed, denied, ok
}

// differing are the names of the parts in which two keys differ.
func differing(a, b sampleDecision) []string {
	var out []string
	for _, name := range partNames() {
		x, inX := a.value(name)
		y, inY := b.value(name)
		if x != y || inX != inY {
			out = append(out, name)
		}
	}
	return out
}

// only says which values of a part are allowed, "region us-east-1", given that
// the other parts are as in the allowed one. It says nothing where all are,
// unless the part differs. Months and days are looked at only if they differ. Ok
// is false where the budget has cut the look at a value.
func (e *evaluation) only(allowed sampleDecision, name string, differs bool) (text string, ok bool) {
	if !differs && (name == "month" || name == "day") {
		return "", true
	}
	var yes, all []string
	for i, p := range e.Sets {
		if !asked(p) || p.Kind != e.Sets[allowed.set].Kind {
			continue
		}
		for _, segment := range p.Resources {
			if segment.Name != name {
				continue
			}
			for _, v := range e.values(i, segment) {
				if slices.Contains(all, v) {
					continue
				}
				all = append(all, v)
				decided := e.by.decideKeys(e.Requirement, i, pinOthers(p, allowed, name).Pin(name, v))
				if !decided.complete {
					return "", false
				}
				if worstOutcome(decided.list) == policy.Allowed {
					yes = append(yes, v)
				}
			}
		}
	}
	if !differs && len(yes) == len(all) {
		return "", true
	}
	if name == "region" {
		slices.Sort(yes)
	}
	for i, v := range yes {
		yes[i] = spelled(name, v)
	}
	return few(name, yes, len(all)), true
}

// spelled is a part's value as people know it.
func spelled(name, value string) string {
	if name == "organization" && !strings.HasPrefix(value, "o-") {
		return "o-" + value
	}
	return strings.TrimSuffix(value, "/")
}

// pinOthers returns the request set in which all segments but one are as in a
// key that was decided.
func pinOthers(p trail.RequestSet, like sampleDecision, but string) trail.RequestSet {
	for _, name := range partNames() {
		if v, ok := like.sample.Segments[name]; ok && name != but {
			p = p.Pin(name, v)
		}
	}
	return p
}

// values are the values of a part of a request set that are worth a decision.
func (e *evaluation) values(set int, segment glob.Segment) []string {
	if len(segment.Words) > 0 {
		return segment.Words
	}
	var out []string
	for _, r := range e.decisions {
		if v, ok := r.sample.Segments[segment.Name]; ok && r.set == set && r.outcome == policy.Allowed {
			out = append(out, v)
		}
	}
	return out
}

// few names values: all of up to four, the first of more.
func few(name string, values []string, of int) string {
	switch n := len(values); {
	case n == 0:
		return ""
	case n == 1:
		return name + " " + values[0]
	case n <= 4:
		return name + "s " + list(values)
	case n == of:
		return fmt.Sprintf("the %d known %ss", n, name)
	default:
		return fmt.Sprintf("%d of %d known %ss (%s, …)", n, of, name, strings.Join(values[:3], ", "))
	}
}

// cut shortens a key behind the last of the named parts.
func cut(r sampleDecision, names []string) string {
	end := -1
	for _, name := range names {
		v, ok := r.sample.Segments[name]
		if !ok || v == "" {
			continue
		}
		folder := "/" + spelled(name, v) + "/"
		if i := strings.Index(r.sample.Text, folder); i >= 0 {
			end = max(end, i+len(folder))
		}
	}
	if end < 0 || end == len(r.sample.Text) {
		return r.sample.Text
	}
	return r.sample.Text[:end] + "…"
}
