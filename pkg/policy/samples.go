package policy

// Samples returns strings of the space, one for each way in which the Resource
// and NotResource patterns of the document tell its strings apart. Deciding
// the request on each of them decides it on every string of the space. The
// request's own Resource is not used; its context resolves policy variables.
// Statements that do not name the request's caller or action are left out.
// If that would take too many, complete is false and the samples cover only a
// part of the space. Equal inputs give equal samples in equal order.
func (d *Document) Samples(s Space, r *Request) (samples []Sample, complete bool) {
	ev := newEvaluator(r)
	var patterns []matcher
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
			if key := tokenKey(e.tokens); !known[key] {
				known[key] = true
				patterns = append(patterns, matcher{tokens: e.tokens})
			}
		}
	}
	x := newExplorer(patterns)
	x.explore(s)
	for _, v := range x.samples {
		samples = append(samples, v.Sample)
	}
	return samples, !x.cut
}

// tokenKey is a text that equal token lists share and others do not.
func tokenKey(tokens []token) string {
	var b []byte
	for _, t := range tokens {
		b = append(b, byte(t.op))
		if t.tight {
			b = append(b, 't')
		}
		b = append(b, t.text...)
		b = append(b, 0xFF)
	}
	return string(b)
}

// possible says what matching a pattern with the strings of some spaces can
// give.
func possible(p *pattern, tokens []token, within []Space) Truth {
	x := newExplorer([]matcher{{tokens, p.fold}})
	for _, s := range within {
		x.explore(s)
	}
	if x.cut || len(x.samples) != 1 {
		return Maybe
	}
	return truthOf(x.samples[0].matches[0])
}
