package tfplan

import (
	"slices"
	"strings"
)

// target is what a reference leads to: an attribute of an instance of a resource.
type target struct {
	address   string // of the instance
	attribute string // empty: the whole resource
}

// resolver follows references through variables and outputs of modules to resources. The
// configuration has no text of expressions: that one refers to another says that it is made
// from it, not that it is the same.
type resolver struct {
	root *module
	// instances are those of resources and of modules, by their addresses without the last index.
	instances map[string]*instances
	// steps and depth bound the work on configurations that refer to themselves: past the bounds
	// nothing is resolved any more.
	steps, depth int
}

// instances are those at an address.
type instances struct {
	first string
	all   map[string]bool
}

// The bounds are far above what configurations need.
const (
	stepsPerPlan     = 100_000
	stepsPerResource = 1_000
	maxNested        = 200
)

func newResolver(d *document, addresses []string) *resolver {
	r := &resolver{root: d.root, instances: map[string]*instances{}, steps: stepsPerPlan + stepsPerResource*len(addresses)}
	note := func(address string) bool {
		at := strings.TrimSuffix(address, indexOf(address))
		known := r.instances[at]
		if known == nil {
			known = &instances{first: address, all: map[string]bool{}}
			r.instances[at] = known
		}
		before := known.all[address]
		known.all[address] = true
		return !before
	}
	for _, address := range addresses {
		note(address)
		for module := moduleOf(address); module != "" && note(module); {
			all := steps(module)
			module = strings.Join(all[:len(all)-2], ".")
		}
	}
	return r
}

// module is the configuration of a module instance, nil if there is none.
func (r *resolver) module(instance string) *module {
	m := r.root
	all := steps(instance)
	for i := 1; i < len(all); i += 2 {
		name, _ := cutIndex(all[i])
		call := m.calls[name]
		if call == nil {
			return nil
		}
		m = call.module
	}
	return m
}

// call is the call of a module instance in its parent.
func (r *resolver) call(instance string) (parent string, call *moduleCall) {
	all := steps(instance)
	if len(all) < 2 {
		return "", nil
	}
	parent = strings.Join(all[:len(all)-2], ".")
	name, _ := cutIndex(all[len(all)-1])
	m := r.module(parent)
	if m == nil {
		return parent, nil
	}
	return parent, m.calls[name]
}

// resource is the configuration of a resource instance.
func (r *resolver) resource(address string) *resourceConfiguration {
	module, rest := splitModule(address)
	m := r.module(module)
	if m == nil {
		return nil
	}
	return m.resources[configurationOf(strings.Join(rest, "."))]
}

// expression is what the configuration says of an attribute of a resource instance.
func (r *resolver) expression(address, attribute string) expression {
	c := r.resource(address)
	if c == nil {
		return expression{}
	}
	return c.expressions[attribute]
}

// only is the one thing that an attribute refers to, if it is the only one. Keys of for_each and
// count do not count: they choose the instance.
func (r *resolver) only(address, attribute string) (target, bool) {
	targets, ok := r.follow(moduleOf(address), indexOf(address), r.expression(address, attribute).refersTo)
	if !ok || len(targets) != 1 {
		return target{}, false
	}
	return targets[0], true
}

// follow resolves references made in a module instance, by a resource of that index. Ok is
// false if one of them leads to what is no resource, or to one of several instances.
func (r *resolver) follow(module, index string, references []string) (out []target, ok bool) {
	if r.depth++; r.depth > maxNested {
		r.depth--
		return nil, false
	}
	defer func() { r.depth-- }()
	ok = true
	for _, ref := range references {
		if r.steps--; r.steps < 0 {
			return nil, false
		}
		found, resolved := r.followOne(module, index, ref)
		ok = ok && resolved
		for _, t := range found {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out, ok
}

func (r *resolver) followOne(module, index, ref string) ([]target, bool) {
	all := steps(ref)
	head, _ := cutIndex(all[0])
	switch {
	case head == "each" || head == "count" || head == "path" || head == "terraform":
		return nil, true
	case head == "local" || head == "self":
		return nil, false
	case head == "var" && len(all) > 1:
		parent, call := r.call(module)
		if call == nil {
			return nil, false
		}
		name, _ := cutIndex(all[1])
		return r.follow(parent, indexOf(module), call.expressions[name].refersTo)
	case head == "module" && len(all) > 1:
		child, ok := r.instance(join(module, "module."+all[1]), index)
		m := r.module(child)
		if m == nil {
			return nil, false
		}
		if len(all) == 2 {
			// Of module.logs[each.key].bucket the plan tells module.logs: any output is meant.
			found, _ := r.follow(child, "", m.outputReferences())
			return found, ok
		}
		name, _ := cutIndex(all[2])
		found, resolved := r.follow(child, "", m.outputs[name].refersTo)
		return found, ok && resolved
	}
	n := 2
	if head == "data" {
		n = 3
	}
	if len(all) < n {
		return nil, false
	}
	address, ok := r.instance(join(module, strings.Join(all[:n], ".")), index)
	t := target{address: address}
	if len(all) > n {
		t.attribute, _ = cutIndex(all[n])
	}
	return []target{t}, ok
}

// instance finds the instance of a resource or module that a reference means: the one that it names,
// the only one that there is, or where the referring resource has an index, the one of the same. Ok
// is false if it is one of several.
func (r *resolver) instance(address, index string) (string, bool) {
	here := r.instances[address]
	switch {
	case indexOf(address) != "" || here == nil:
		return address, true
	case index != "" && here.all[address+index]:
		return address + index, true
	case len(here.all) == 1:
		return here.first, true
	}
	return address, false
}

// indexOf is the index at the end of an address.
func indexOf(address string) string {
	all := steps(address)
	_, index := cutIndex(all[len(all)-1])
	return index
}

// bucket follows an attribute to the bucket that it names: straight, or by the bucket of
// another resource that is for the bucket, as in "aws_s3_bucket_policy.a.bucket". Empty: it
// leads to none, or to several.
func (r *resolver) bucket(address, attribute string) string {
	expression := r.expression(address, attribute)
	if !expression.set {
		return ""
	}
	targets, ok := r.follow(moduleOf(address), indexOf(address), expression.refersTo)
	var found []string
	for range 10 {
		var next []target
		for _, t := range targets {
			name := typeOf(t.address)
			kind, attributes := typeNamed(name)
			switch {
			case !slices.Contains([]string{"", "id", "bucket", attributes["bucket"]}, t.attribute):
			case kind == typeBucket:
				if !slices.Contains(found, t.address) {
					found = append(found, t.address)
				}
			case isBucketRelated(name):
				more, resolved := r.follow(moduleOf(t.address), indexOf(t.address), r.expression(t.address, "bucket").refersTo)
				next, ok = append(next, more...), ok && resolved
			}
		}
		targets = next
	}
	if !ok || len(found) != 1 {
		return ""
	}
	return found[0]
}

// typeOf is the type of the resource at an address.
func typeOf(address string) string {
	_, rest := splitModule(address)
	switch {
	case len(rest) > 2 && rest[0] == "data":
		return "data." + rest[1]
	case len(rest) > 1:
		return rest[0]
	}
	return ""
}

// waitsFor are all addresses of configuration, of some resources, that a resource waits for: it
// refers to them, or to what refers to them. Ok is false if they are not known.
func (r *resolver) waitsFor(address string) (seen map[string]bool, ok bool) {
	seen = map[string]bool{}
	c := r.resource(address)
	r.wait(moduleOf(address), c, seen)
	return seen, c != nil && r.steps > 0
}

// wait adds what a resource of a module waits for. A module as a whole stands for all
// that is in it.
func (r *resolver) wait(module string, c *resourceConfiguration, seen map[string]bool) {
	if c == nil {
		return
	}
	for _, ref := range c.refersTo {
		r.waitFor(module, ref, seen)
	}
	// A module that waits makes all that is in it wait.
	for m := module; m != ""; {
		parent, call := r.call(m)
		if call == nil {
			return
		}
		for _, ref := range call.refersTo {
			r.waitFor(parent, ref, seen)
		}
		m = parent
	}
}

func (r *resolver) waitFor(module, ref string, seen map[string]bool) {
	if r.steps--; r.steps < 0 {
		return
	}
	id := configurationOf(join(module, ref))
	if seen[id] {
		return
	}
	seen[id] = true
	all := steps(ref)
	head, _ := cutIndex(all[0])
	switch {
	case head == "var" && len(all) > 1:
		if parent, call := r.call(module); call != nil {
			name, _ := cutIndex(all[1])
			for _, ref := range call.expressions[name].refersTo {
				r.waitFor(parent, ref, seen)
			}
		}
	case head == "module" && len(all) > 1:
		child := join(module, "module."+all[1])
		m := r.module(child)
		if m == nil {
			return
		}
		if len(all) > 2 {
			name, _ := cutIndex(all[2])
			for _, ref := range m.outputs[name].refersTo {
				r.waitFor(child, ref, seen)
			}
			return
		}
		for address := range m.resources {
			r.waitFor(child, address, seen)
		}
		for name := range m.calls {
			r.waitFor(child, "module."+name, seen)
		}
	case len(all) >= 2:
		n := 2
		if head == "data" {
			n = 3
		}
		address := join(module, strings.Join(all[:min(n, len(all))], "."))
		seen[configurationOf(address)] = true
		r.wait(module, r.resource(address), seen)
	}
}
