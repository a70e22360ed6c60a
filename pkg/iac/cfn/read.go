package cfn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Options say what is known beside the template.
type Options struct {
	Account    string
	Region     string
	Parameters map[string]string
	// File is the path of the template, for origins.
	File string
}

// The bounds of what is tried: of comparisons that are not known, and of all ways.
const (
	maxOpen = 6
	maxWays = 256
)

// Read reads a template. The error says in one line what is wrong with the text.
func Read(source []byte, o Options) (iac.Input, error) {
	t, err := readTemplate(source, o.File)
	if err != nil {
		return iac.Input{}, err
	}
	t.values = o.Parameters
	return input([]stack{{template: t, account: o.Account, region: o.Region}}), nil
}

// stack is a template with where it is deployed to; empty: not known.
type stack struct {
	*template

	account, region string
}

// input makes the snapshots of stacks that are deployed together.
func input(stacks []stack) iac.Input {
	in := iac.Input{OnlyAfter: true}
	var leavesOut []string
	for _, s := range stacks {
		leavesOut = append(leavesOut, s.leavesOut...)
	}
	in.Partial = strings.Join(leavesOut, "; ")
	regions := []string{""}
	if slices.ContainsFunc(stacks, func(s stack) bool { return s.region == "" }) {
		regions = trail.Regions(arn.Commercial)
	}
	defaults := map[string]bool{}
	for _, region := range regions {
		in.After = append(in.After, snapshots(stacks, region, defaults)...)
		if len(in.After) > maxWays {
			break
		}
	}
	if len(in.After) > maxWays {
		in.After = []iac.Snapshot{withUntried(in.After[0], iac.Gap{Address: "the ways in which the conditions may turn out"})}
	}
	if len(regions) > 1 {
		for i := range in.After {
			in.After[i].Open = append(in.After[i].Open, iac.Gap{Address: "AWS::Region"})
		}
	}
	for _, name := range sorted(defaults) {
		in.Assumed = append(in.Assumed, fmt.Sprintf("parameter %s has its default", name))
	}
	return in
}

// snapshots are those of one region, one for each way in which the comparisons that are not known may
// turn out.
func snapshots(stacks []stack, region string, defaults map[string]bool) []iac.Snapshot {
	var open []string
	var out []iac.Snapshot
	for ways := []map[string]bool{{}}; len(ways) > 0; ways = ways[1:] {
		var met []string
		out = append(out, evaluateAll(stacks, region, maps.Clone(ways[0]), &met, defaults))
		// What was met for the first time was taken as false: it is tried as true as well.
		for i, comparison := range met {
			if !slices.Contains(open, comparison) {
				open = append(open, comparison)
			}
			other := maps.Clone(ways[0])
			for _, before := range met[:i] {
				other[before] = false
			}
			other[comparison] = true
			ways = append(ways, other)
		}
		if len(open) > maxOpen || len(out) > maxWays {
			untried := iac.Gap{Address: "the ways in which the conditions may turn out", RefersTo: open}
			return []iac.Snapshot{withUntried(out[0], untried)}
		}
	}
	for i := range out {
		for _, comparison := range open {
			out[i].Open = append(out[i].Open, iac.Gap{Address: "whether " + comparison})
		}
	}
	return out
}

func withUntried(s iac.Snapshot, gap iac.Gap) iac.Snapshot {
	s.Untried = append(s.Untried, gap)
	return s
}

// evaluateAll works out all stacks in one way.
func evaluateAll(stacks []stack, region string, assumed map[string]bool, open *[]string, defaults map[string]bool) iac.Snapshot {
	exports := map[string]*evaluator{}
	var all []*evaluator
	for _, s := range stacks {
		e := &evaluator{
			template: s.template, stacks: exports, account: s.account, region: s.region,
			assumed: assumed, open: open, defaults: defaults, regionAssumed: s.region == "",
		}
		if e.region == "" {
			e.region = region
		}
		all = append(all, e)
	}
	for _, e := range all {
		e.exports = e.readExports()
		for name := range e.exports {
			exports[name] = e
		}
	}
	var out iac.Snapshot
	for _, e := range all {
		e.addTo(&out)
	}
	// Stacks are made one after another: what one imports is there.
	for i, t := range out.Trails {
		for _, p := range out.Policies {
			mine, _, several := strings.Cut(t.Address, "/")
			if its, _, _ := strings.Cut(p.Address, "/"); several && its != mine {
				out.Trails[i].Waits[p.Address] = true
			}
		}
	}
	return out
}

// addTo adds the resources of a stack to a snapshot.
func (e *evaluator) addTo(out *iac.Snapshot) {
	for _, id := range e.ids {
		r := e.resources[id]
		if r.kind != typeBucket && r.kind != typePolicy && r.kind != typeTrail {
			continue
		}
		if name := r.node.textOf("Condition"); name != "" && !e.condition(name) {
			continue
		}
		switch r.kind {
		case typeBucket:
			out.Buckets = append(out.Buckets, iac.Bucket{
				Origin: e.origin(id, r), Name: e.nameOf(e.bucketName, id, "BucketName"), Account: iac.Text(e.ref("AWS::AccountId").text),
				Region: iac.Text(e.region), Made: true, Kept: r.kept(),
			})
		case typePolicy:
			out.Policies = append(out.Policies, e.policy(id, r))
		case typeTrail:
			out.Trails = append(out.Trails, e.trail(id, r))
		}
	}
}

// origin is where a resource is written: in the program that made the template, if that is
// known, else in the template.
func (e *evaluator) origin(id string, r resource) iac.Origin {
	o := iac.Origin{Address: e.address(id), File: e.file, Line: r.line}
	if p, ok := e.places[id]; ok {
		o.File, o.Line = p.file, p.line
	}
	return o
}

// attribute is a property as a value of a snapshot.
func (e *evaluator) attribute(r resource, name string) iac.Value {
	e.secret = false
	v := e.evaluate(r.property(name))
	out := iac.Value{Attribute: name, Sensitive: e.secret}
	switch s, ok := v.scalar(); {
	case ok && iac.HasOtherMark(s):
		out.State, out.RefersTo = iac.Unknown, iac.References(s)
	case ok:
		out.State, out.Text = iac.Known, s
	case v.kind != absent:
		out.State, out.RefersTo = iac.Unknown, v.refers
	}
	return out
}

// flag is a property that is a boolean.
func (e *evaluator) flag(r resource, name string) iac.Value {
	v := e.attribute(r, name)
	if v.State != iac.Known {
		return v
	}
	switch strings.ToLower(v.Text) {
	case "true", "yes", "on": // the words of YAML 1.1, which CloudFormation reads
		v.Text = "true"
	case "false", "no", "off":
		v.Text = "false"
	default:
		v.State, v.Text = iac.Unknown, ""
	}
	return v
}

// nameOf is the name of a resource, if the template gives it.
func (e *evaluator) nameOf(name func(id string) value, id, attribute string) iac.Value {
	e.secret = false
	v := name(id)
	out := iac.Value{Attribute: attribute, Sensitive: e.secret}
	if iac.IsName(v.text) {
		out.State, out.Text = iac.Known, v.text
		return out
	}
	out.State, out.RefersTo = iac.Unknown, iac.References(v.text)
	return out
}

// use is the bucket that a property names: by name, or by the mark of a bucket whose name is not
// known.
func (e *evaluator) use(r resource, name string) iac.Use {
	e.secret = false
	v := e.evaluate(r.property(name))
	s, ok := v.scalar()
	u := iac.Use{Name: iac.Value{Attribute: name, Sensitive: e.secret}}
	switch {
	case ok && iac.IsName(s):
		u.Name.State, u.Name.Text = iac.Known, s
	default:
		u.Name.State, u.Name.RefersTo = iac.Unknown, append(v.refers, iac.References(s)...)
		u.At = iac.BucketOfMark(s)
	}
	return u
}

func (e *evaluator) trail(id string, r resource) iac.Trail {
	name := e.nameOf(e.trailName, id, "TrailName")
	if name.State == iac.Unknown {
		name.State, name.Text = iac.Known, iac.Mark(iac.TrailMark, e.address(id))
	}
	t := iac.Trail{
		Origin: e.origin(id, r), Made: true, Waits: map[string]bool{}, WaitsKnown: true, Kept: r.kept(),
		Name:    name,
		Account: iac.Value{State: iac.Known, Text: e.ref("AWS::AccountId").text, Attribute: "TrailName"},
		Region:  iac.Text(e.region), RegionAssumed: e.regionAssumed,
		Use:    e.use(r, "S3BucketName"),
		Prefix: e.attribute(r, "S3KeyPrefix"), Key: e.attribute(r, "KMSKeyId"), Topic: e.attribute(r, "SnsTopicName"),
		Organization: e.flag(r, "IsOrganizationTrail"), MultiRegion: e.flag(r, "IsMultiRegionTrail"),
		Validation: e.flag(r, "EnableLogFileValidation"), Logging: e.flag(r, "IsLogging"),
	}
	for _, v := range []*iac.Value{&t.Prefix, &t.Key, &t.Topic} {
		if v.Is("") {
			*v = iac.Value{Attribute: v.Attribute}
		}
	}
	t.Selectors, t.Network, t.Insights = e.selectors(r)
	for _, dependency := range e.waitsFor(id) {
		t.Waits[e.address(dependency)] = true
	}
	return t
}

// selectors says whether a trail has event selectors, whether these ask for network activity events,
// and whether it has Insights selectors.
func (e *evaluator) selectors(r resource) (selectors, network, insights iac.Value) {
	basic, advanced := e.evaluate(r.property("EventSelectors")), e.evaluate(r.property("AdvancedEventSelectors"))
	insight := e.evaluate(r.property("InsightSelectors"))
	flag := func(on bool) iac.Value {
		if on {
			return iac.Text("true")
		}
		return iac.Text("false")
	}
	if !basic.isKnown() || !advanced.isKnown() {
		selectors = iac.Value{State: iac.Unknown, Attribute: "AdvancedEventSelectors"}
	} else {
		selectors = flag(len(basic.list)+len(advanced.list) > 0)
		asks := slices.ContainsFunc(advanced.list, func(v value) bool {
			return slices.ContainsFunc(v.get("FieldSelectors").list, func(f value) bool {
				return f.get("Field").text == "eventCategory" &&
					slices.ContainsFunc(f.get("Equals").list, func(v value) bool { return v.text == "NetworkActivity" })
			})
		})
		network = flag(asks)
	}
	if !insight.isKnown() {
		return selectors, network, iac.Value{State: iac.Unknown, Attribute: "InsightSelectors"}
	}
	return selectors, network, flag(len(insight.list) > 0)
}

// waitsFor are the resources that CloudFormation makes before a resource: it depends on them, or
// refers to them, or to what does.
func (e *evaluator) waitsFor(id string) []string {
	seen := map[string]bool{}
	var follow func(id string)
	follow = func(id string) {
		r, ok := e.resources[id]
		if !ok {
			return
		}
		for _, other := range r.node.references() {
			if _, isResource := e.resources[other]; isResource && !seen[other] {
				seen[other] = true
				follow(other)
			}
		}
	}
	follow(id)
	return sorted(seen)
}

// references are the names that a part of a template refers to, as Ref, GetAtt, Sub and DependsOn do.
func (n *node) references() []string {
	if n == nil {
		return nil
	}
	var out []string
	for _, x := range n.list {
		out = append(out, x.references()...)
	}
	for _, m := range n.members {
		switch m.name {
		case "Ref", "DependsOn":
			out = append(out, m.node.text)
			for _, x := range m.node.list {
				out = append(out, x.text)
			}
		case "Fn::GetAtt":
			name, _, _ := strings.Cut(m.node.text, ".")
			out = append(out, name)
			if len(m.node.list) > 0 {
				out = append(out, m.node.list[0].text)
			}
		case "Fn::Sub":
			format := m.node
			if len(format.list) > 0 {
				format = format.list[0]
			}
			for _, part := range strings.Split(format.text, "${")[1:] {
				name, _, _ := strings.Cut(part, "}")
				name, _, _ = strings.Cut(name, ".")
				out = append(out, name)
			}
		}
		out = append(out, m.node.references()...)
	}
	return out
}
