package iac

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// group is a bucket of a snapshot with all that is about it.
type group struct {
	key      string
	name     Value
	bucket   *Bucket // nil: it is not in the plan
	policies []Policy
	payers   []Payer
	trails   []Trail
	// encryptions are what sets the bucket's default encryption.
	encryptions []Encryption
	keys        []Key   // those of the trails and topics
	topics      []Topic // those of the trails
	// strays are policies of which it is not known for which bucket they are.
	strays []Policy
}

// keyOf tells buckets apart: by name, or by address where the name is not known.
func keyOf(name Value, at string) string {
	if text, ok := name.named(); ok {
		return "=" + text
	}
	if at != "" {
		return "@" + at
	}
	return ""
}

// groups sorts what there is by bucket. A trail of which the bucket is not known is a
// group of its own, without key. Plans have thousands of buckets: each is found by its key.
func (s Snapshot) groups() []group {
	var out []group
	named := make(map[string]Value, len(s.Buckets)) // the buckets of the snapshot, by address
	for _, b := range s.Buckets {
		if _, twice := named[b.Address]; !twice {
			named[b.Address] = b.Name
		}
	}
	byKey := map[string]int{}
	at := func(u Use) *group {
		key, name := resolve(u, named)
		i, found := byKey[key]
		if !found || key == "" {
			i = len(out)
			out = append(out, group{key: key, name: name})
			byKey[key] = i
		}
		// Who calls it sensitive is believed.
		out[i].name.Sensitive = out[i].name.Sensitive || name.Sensitive
		return &out[i]
	}
	for i := range s.Buckets {
		b := &s.Buckets[i]
		// One of two that bear a name is on its way out.
		if g := at(Use{Name: b.Name, At: b.Address}); g.bucket == nil || g.bucket.Removed {
			g.bucket = b
		}
	}
	var strays []Policy
	for _, p := range s.Policies {
		if key, _ := resolve(p.Use, named); key == "" {
			strays = append(strays, p)
			continue
		}
		g := at(p.Use)
		g.policies = append(g.policies, p)
	}
	for _, p := range s.Payers {
		g := at(p.Use)
		g.payers = append(g.payers, p)
	}
	for _, e := range s.Encryptions {
		g := at(e.Use)
		g.encryptions = append(g.encryptions, e)
	}
	for _, t := range s.Trails {
		g := at(t.Use)
		g.trails = append(g.trails, t)
	}
	// More of them than ways are tried leave all open.
	strays = strays[:min(len(strays), maxWays+1)]
	for i := range out {
		out[i].strays = strays
	}
	s.addChain(out)
	return out
}

// resolve finds the bucket of a use, among those of a snapshot by their addresses. The key is empty
// if it is not known.
func resolve(u Use, named map[string]Value) (key string, name Value) {
	if _, ok := u.Name.named(); ok {
		return keyOf(u.Name, ""), u.Name
	}
	if name, ok := named[u.At]; ok && u.At != "" {
		return keyOf(name, u.At), name
	}
	return "", u.Name
}

// way is one way in which what is open of a bucket may turn out.
type way struct {
	policy *Policy // nil: the bucket has none, or it is not known
	// unknown says why it is not known what the policy is.
	unknown []Gap
	trails  []Trail
}

// maxWays bounds how many ways of one bucket are judged. Past it the answer is
// undetermined.
const maxWays = 64

// open is what is open of a bucket: what was tried in all its ways, and what was
// not tried.
type open struct{ tried, untried []Gap }

// ways are those in which what is open may turn out. Complete is false if they are
// too many.
func (g group) ways() (out []way, o open, complete bool) {
	variants := [][]Trail{nil}
	for _, t := range g.trails {
		settled, of := t.variants()
		o.tried, o.untried = append(o.tried, of.tried...), append(o.untried, of.untried...)
		if len(settled) == 1 {
			for i := range variants {
				variants[i] = append(variants[i], settled[0])
			}
			continue
		}
		var next [][]Trail
		for _, v := range variants {
			for _, t := range settled {
				next = append(next, append(slices.Clone(v), t))
			}
		}
		if variants = next; len(variants) > maxWays {
			return nil, o, false
		}
	}
	for _, w := range g.policyWays() {
		for _, trails := range variants {
			w.trails = trails
			out = append(out, w)
		}
	}
	return out, o, len(out) <= maxWays
}

// policyWays are the policies that the bucket may have.
func (g group) policyWays() []way {
	if g.bucket != nil && g.bucket.Removed {
		return []way{{}}
	}
	var out []way
	removed := false
	for i := range g.policies {
		p := &g.policies[i]
		switch {
		case p.Removed:
			removed = true
		case g.bucket != nil && g.bucket.Made && !p.Written:
			// The bucket that is made anew lacks what is not written again.
			out = append(out, way{})
		case p.Text.State == Known:
			out = append(out, way{policy: p})
		default:
			out = append(out, way{policy: p, unknown: []Gap{p.Text.gap(p.Address)}})
		}
	}
	for _, p := range g.strays {
		if !p.Removed {
			out = append(out, way{unknown: []Gap{p.Use.Name.gap(p.Address)}})
		}
	}
	switch {
	case removed:
		// The removal may come last.
		return append(out, way{})
	case len(g.policies) == 0:
		return append(out, g.lastRead())
	}
	return out
}

// contested reports whether more than one resource has a say in the policy.
func (g group) contested() bool { return len(g.policies) > 1 }

// lastRead is the policy of a bucket to which no resource gives one.
func (g group) lastRead() way {
	switch b := g.bucket; {
	case b != nil && b.Made:
		return way{}
	case b != nil && b.Policy.Is(""):
		return way{}
	case b != nil && b.Policy.State == Known:
		return way{policy: &Policy{Origin: b.Origin, Use: Use{Name: b.Name, At: b.Address}, Text: b.Policy}}
	}
	return way{unknown: []Gap{{Address: g.address(), Attribute: "policy", outside: true}}}
}

// payer is who pays for requests, and what of it is not known.
func (g group) payer() (string, []Gap) {
	var found []string
	var gaps []Gap
	for _, p := range g.payers {
		text, ok := p.Payer.Settled()
		if !ok {
			return "", []Gap{p.Payer.gap(p.Address)}
		}
		found = append(found, text)
		gaps = append(gaps, p.Payer.gap(p.Address))
	}
	slices.Sort(found)
	switch found = slices.Compact(found); {
	case len(found) > 1:
		return "", gaps
	case len(found) == 1:
		return found[0], nil
	case g.bucket == nil:
		return "", nil
	case g.bucket.Made:
		return delivery.PayerOwner, nil // nobody has set it otherwise
	}
	text, _ := g.bucket.Payer.Settled()
	return text, nil
}

// address is where the bucket is written, or what is known of it.
func (g group) address() string {
	switch {
	case g.bucket != nil:
		return g.bucket.Address
	case g.name.State == Known && !g.name.Sensitive:
		return "bucket " + g.name.Text
	case len(g.trails) > 0:
		return "the bucket of " + g.trails[0].Address
	}
	return "the bucket"
}

// label is what to call the bucket in a sentence.
func (g group) label() string {
	if name, ok := g.name.Settled(); ok && !g.name.Sensitive {
		return "bucket " + name
	}
	return g.address()
}

// origin is where to look: at the policy, the bucket, or a trail; what the change removes
// is not there any more.
func (g group) origin(w way) Origin {
	if w.policy != nil {
		return w.policy.Origin
	}
	for _, p := range g.policies {
		if !p.Removed {
			return p.Origin
		}
	}
	switch {
	case g.bucket != nil && !g.bucket.Removed:
		return g.bucket.Origin
	case len(g.trails) > 0:
		return g.trails[0].Origin
	case g.bucket != nil:
		return g.bucket.Origin
	case len(g.policies) > 0:
		return g.policies[0].Origin
	}
	return Origin{}
}

// variants are the trail as it may turn out: each switch of it that is not known is
// tried on and off.
func (t Trail) variants() ([]Trail, open) {
	var o open
	for _, v := range []Value{t.Prefix, t.Region} {
		if _, named := v.named(); !named && v.State != Absent {
			o.untried = append(o.untried, v.gap(t.Address))
		}
	}
	out := []Trail{t}
	try := func(of func(*Trail) *Value, values ...Value) {
		v := *of(&t)
		if v.State != Unknown {
			return
		}
		o.tried = append(o.tried, v.gap(t.Address))
		var next []Trail
		for _, variant := range out {
			for _, value := range values {
				*of(&variant) = value
				next = append(next, variant)
			}
		}
		out = next
	}
	on, off := Text("true"), Text("false")
	try(func(t *Trail) *Value { return &t.Organization }, off, on)
	try(func(t *Trail) *Value { return &t.MultiRegion }, off, on)
	try(func(t *Trail) *Value { return &t.Validation }, off, on)
	try(func(t *Trail) *Value { return &t.Insights }, off, on)
	try(func(t *Trail) *Value { return &t.Logging }, on, off)
	// What the selectors may ask for is judged as what a trail may write.
	try(func(t *Trail) *Value { return &t.Selectors }, on)
	try(func(t *Trail) *Value { return &t.Key }, Value{}, Text(anyKey))
	return out, o
}

// anyKey is a key of which nothing is known. An alias is one: the request that CloudTrail
// makes names the key behind it.
const anyKey = "alias/not-known"
