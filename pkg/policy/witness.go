package policy

import "github.com/trailwarden/trailwarden/pkg/glob"

// Witnesses returns strings of the key set, one for each way in which the
// Resource and NotResource patterns of the document tell its strings apart.
// Deciding the request on each of them decides it on every string of the set.
// The request's own Resource is not used; its context resolves policy
// variables. Statements that do not name the request's caller or action are
// left out. If that would take too long, complete is false and the witnesses
// cover only a part of the set. Equal inputs give equal witnesses in equal
// order.
func (d *Document) Witnesses(keys glob.KeySet, r *Request) (witnesses []glob.Witness, complete bool) {
	ev := newEvaluator(r)
	var patterns []glob.Pattern
	known := map[string]bool{}
	for i := range d.statements {
		st := &d.statements[i]
		if p, _ := ev.principal(st); p == No || ev.actionOf(st) == No {
			continue
		}
		for j := range st.resource.list {
			e := st.resource.list[j].expand(ev.lookup)
			if e.empty {
				continue
			}
			if key := e.Key(); !known[key] {
				known[key] = true
				patterns = append(patterns, e.Pattern)
			}
		}
	}
	classes, complete := glob.Classes(patterns, glob.DefaultLimits(), keys)
	for _, c := range classes {
		witnesses = append(witnesses, c.Witness)
	}
	return witnesses, complete
}

// covered says whether a pattern matches all strings of some sets, some, or
// none.
func covered(p glob.Pattern, within []glob.KeySet) Truth {
	switch p.Covers(glob.DefaultLimits(), within...) {
	case glob.All:
		return Yes
	case glob.None:
		return No
	case glob.Some:
	}
	return Maybe
}
