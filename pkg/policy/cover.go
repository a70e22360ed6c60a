package policy

import "slices"

// coverage asks whether the cases in which some statements match, which are boxes,
// cover others.
type coverage struct {
	p   *Prepared
	cut bool // some answer was "no" for want of steps, or of values
}

// everything reports whether in each case one of the statements matches for
// certain. Of the statements only the conditions are looked at.
func (q *coverage) everything(by []int) bool { return q.ask(nobody, by) }

// allOf reports whether in each case in which a statement may match, one of the
// others matches for certain.
func (q *coverage) allOf(statement int, by []int) bool { return q.ask(statement, by) }

// ask answers first on a few values of each key. Mostly some case of these is not
// covered, and that is the answer. Only if all are, it looks at values that stand
// for all: to work out what many conditions together tell apart takes long.
func (q *coverage) ask(region int, by []int) bool {
	if len(by) == 0 {
		return false
	}
	if q.p.budget.Exhausted() {
		q.cut = true
		return false
	}
	for _, table := range []func(string, []int) *caseTable{q.p.pooled, q.p.table} {
		if covered, cut := q.p.covers(region, by, table); !covered {
			q.cut = q.cut || cut
			return false
		}
	}
	return true
}

// maxCoverSteps bounds one question.
const maxCoverSteps = 1_000_000

// covers is one question, on values of a choice. Cut is set where "no" is not
// certain.
func (p *Prepared) covers(region int, by []int, table func(string, []int) *caseTable) (covered, cut bool) {
	asked := by
	if region != nobody && !slices.Contains(by, region) {
		asked = append(slices.Clone(by), region)
	}
	var keys []string
	testing := map[string][]int{} // the statements that test a key
	for _, i := range asked {
		for _, key := range p.casesOf(i).keys {
			if testing[key] == nil {
				keys = append(keys, key)
			}
			testing[key] = append(testing[key], i)
		}
	}
	c := &cover{left: p.budget.share(maxCoverSteps), narrowed: make([]int, len(keys))}
	had := c.left
	tables := make([]*caseTable, len(keys))
	all := make([][]int, len(keys)) // the values of the region
	for k, key := range keys {
		tables[k] = table(key, testing[key])
		cut = cut || tables[k].tooMany
		cells := tables[k].cells[region]
		for v := range tables[k].values {
			if cells == nil || cells[v].truth != No {
				all[k] = append(all[k], v)
			}
		}
	}
	for _, i := range by {
		var b box
		for k := range keys {
			if cells := tables[k].cells[i]; cells != nil {
				s := side{k, make([]bool, len(cells))}
				for v, cell := range cells {
					s.in[v] = cell.truth == Yes
				}
				b = append(b, s)
			}
		}
		c.boxes = append(c.boxes, b)
	}
	if slices.ContainsFunc(all, func(values []int) bool { return len(values) == 0 }) {
		return true, false // the region has no case
	}
	live := make([]int, len(c.boxes))
	for i := range live {
		live[i] = i
	}
	covered = c.covered(all, live)
	p.budget.spend(nobody, had-c.left)
	return covered, cut || c.left < 0
}

// box is the cases in which a statement matches: for each key that it tests the
// values with which it does, and every combination of them. Of the other keys it
// takes every value.
type box []side

// side is a key of a box, and which of the key's values are in it.
type side struct {
	key int
	in  []bool
}

// has reports whether a value of a key is in the box.
func (b box) has(key, value int) bool {
	for _, s := range b {
		if s.key == key {
			return s.in[value]
		}
	}
	return true
}

// cover asks whether boxes cover a region, which is a box too. That is the question
// whether a formula in disjunctive normal form is a tautology; in general it takes
// exponentially many steps, and so it is bounded.
type cover struct {
	boxes    []box
	left     int   // steps; below zero: it was cut, and "no" is not certain
	narrowed []int // by key, how many boxes narrow it; zero but within covered
}

// covered says whether the live boxes cover the region, for each key the values
// that it may have; the region is left as it was. A value that is in no more boxes
// than another makes the other needless: whoever covers the region with the first
// covers it with the second. Where a key is only tested for equality one value is
// left so, and most questions are settled without a choice. Only what is left is
// tried value by value.
func (c *cover) covered(region [][]int, live []int) bool {
	c.left -= len(live)
	var meets []int
	narrowest, fewest := nobody, 0 // the box that narrows the fewest keys
	for _, i := range live {
		c.left -= len(c.boxes[i])
		if c.left < 0 {
			return false
		}
		narrows, misses := 0, false
		for _, s := range c.boxes[i] {
			in, all := s.within(region)
			misses = misses || in == 0
			if in < all {
				narrows++
			}
		}
		switch {
		case misses:
			continue
		case narrows == 0:
			return true
		}
		meets = append(meets, i)
		if narrowest == nobody || narrows < fewest {
			narrowest, fewest = i, narrows
		}
	}
	if len(meets) == 0 {
		return false
	}
	key := c.mostNarrowed(region, meets, c.boxes[narrowest])
	values := region[key]
	defer func() { region[key] = values }()
	for _, choice := range c.least(meets, key, values) {
		region[key] = []int{choice.value}
		if !c.covered(region, choice.boxes) {
			return false
		}
	}
	return true
}

// within counts the values of the region's key, and those that are in the box.
func (s side) within(region [][]int) (in, all int) {
	for _, v := range region[s.key] {
		if s.in[v] {
			in++
		}
	}
	return in, len(region[s.key])
}

// mostNarrowed is, of the keys that a box narrows, the one that most of the live
// boxes narrow.
func (c *cover) mostNarrowed(region [][]int, live []int, of box) int {
	each := func(b box, do func(key int)) {
		for _, s := range b {
			if in, all := s.within(region); in < all {
				do(s.key)
			}
		}
	}
	for _, i := range live {
		each(c.boxes[i], func(key int) { c.narrowed[key]++ })
	}
	best := -1
	each(of, func(key int) {
		if best < 0 || c.narrowed[key] > c.narrowed[best] {
			best = key
		}
	})
	for _, i := range live {
		each(c.boxes[i], func(key int) { c.narrowed[key] = 0 })
	}
	return best
}

// choice is a value of a key, and the boxes that it is in.
type choice struct {
	value int
	boxes []int
}

// least returns the values of a key that are worth trying, those in the fewest
// boxes first: none is in all boxes that another of them is in.
func (c *cover) least(live []int, key int, values []int) []choice {
	var out []choice
	c.left -= len(values) * len(live)
	for _, v := range values {
		n := choice{value: v}
		for _, i := range live {
			if c.boxes[i].has(key, v) {
				n.boxes = append(n.boxes, i)
			}
		}
		c.left -= len(out) * (1 + len(n.boxes)/8)
		if slices.ContainsFunc(out, func(o choice) bool { return subset(o.boxes, n.boxes) }) {
			continue
		}
		out = append(slices.DeleteFunc(out, func(o choice) bool { return subset(n.boxes, o.boxes) }), n)
	}
	slices.SortStableFunc(out, func(a, b choice) int { return len(a.boxes) - len(b.boxes) })
	return out
}

// subset reports whether each of a, which is sorted, is in b, which is too.
func subset(a, b []int) bool {
	for _, x := range a {
		for len(b) > 0 && b[0] < x {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != x {
			return false
		}
	}
	return true
}
