package cfn

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// Options say what is known beside the template.
type Options struct {
	Account    string
	Region     string
	Parameters map[string]string
	// File is the path of the template, for origins.
	File string
	// Folder is the folder of the template, in which templates of nested stacks may lie; nil: none is read.
	Folder fs.FS

	nested bool // the template is that of a nested stack
}

// Read reads a template, or a change set with the values of properties. The error says in one line what is
// wrong with the text.
func Read(source []byte, o Options) (iac.Input, error) {
	root, err := parse(source)
	if err != nil {
		return iac.Input{}, err
	}
	if isChangeSet(root) {
		return readChangeSet(root, o)
	}
	t, err := templateOf(root, o)
	if err != nil {
		return iac.Input{}, err
	}
	if err := t.readNested(o.Folder, path.Base(o.File)); err != nil {
		return iac.Input{}, err
	}
	return input([]stack{{template: t, account: o.Account, region: o.Region}}), nil
}

// addTo adds the resources of a stack to a snapshot.
func (e *evaluator) addTo(out *iac.Snapshot) {
	for _, id := range e.ids {
		r := e.resources[id]
		if !e.exists(r) {
			continue
		}
		switch r.kind {
		case typeNested, typeApplication:
			if child := e.child(id); child != nil {
				child.addTo(out)
			}
		case typeBucket:
			out.Buckets = append(out.Buckets, iac.Bucket{
				Origin: e.origin(id, r), Name: e.nameOf(e.bucketName, id, "BucketName"), Account: iac.Text(e.ref("AWS::AccountId").text),
				Region: iac.Text(e.region), BucketKeys: e.bucketKeys(r), Made: true, Kept: r.kept(),
			})
		case typeKey:
			out.Keys = append(out.Keys, e.key(id, r))
		case typeTopic:
			out.Topics = append(out.Topics, e.topic(id, r))
		case typeTopicPolicy:
			out.TopicPolicies = append(out.TopicPolicies, e.topicPolicies(id, r)...)
		case typePolicy:
			out.Policies = append(out.Policies, e.policy(id, r))
		case typeTrail:
			out.Trails = append(out.Trails, e.trail(id, r))
		}
	}
}

// bucketKeys is whether the default encryption of a bucket uses S3 Bucket Keys.
func (e *evaluator) bucketKeys(r resource) iac.Value {
	out := iac.Value{State: iac.Known, Text: "false", Attribute: "BucketEncryption"}
	open := func(v value) bool {
		if v.kind == unknown || iac.HasMark(v.text) {
			out.State, out.Text, out.RefersTo = iac.Unknown, "", v.refers
		}
		return out.State == iac.Unknown
	}
	v := e.evaluate(r.property("BucketEncryption"))
	rules := v.get("ServerSideEncryptionConfiguration")
	if open(v) || open(rules) {
		return out
	}
	for _, rule := range rules.list {
		on := rule.get("BucketKeyEnabled")
		if open(rule) || open(on) {
			return out
		}
		if strings.EqualFold(on.text, "true") {
			out.Text = "true"
		}
	}
	return out
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
	e.addWaits(id, t.Waits)
	return t
}

// exists reports whether a resource is made: it has no condition, or one that holds.
func (e *evaluator) exists(r resource) bool {
	name := r.node.textOf("Condition")
	return name == "" || e.all || e.condition(name)
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

// addWaits adds the addresses of what CloudFormation makes before a resource: it depends on them, or refers to
// them, or to what does. A nested stack waits for what its resource in the other waits for.
func (e *evaluator) addWaits(id string, to map[string]bool) {
	for _, dependency := range e.waitsFor(id) {
		to[e.address(dependency)] = true
	}
	if e.parent != nil {
		e.parent.addWaits(e.id, to)
	}
}

// waitsFor are the resources of the template that are made before a resource.
func (t *template) waitsFor(id string) []string {
	if known, ok := t.waits[id]; ok {
		return known
	}
	seen := map[string]bool{}
	var follow func(id string)
	follow = func(id string) {
		for _, other := range t.resources[id].refersTo {
			if _, isResource := t.resources[other]; isResource && !seen[other] {
				seen[other] = true
				follow(other)
			}
		}
	}
	follow(id)
	t.waits[id] = sorted(seen)
	return t.waits[id]
}

// references are the names that a part of a template refers to, as Ref, GetAtt, Sub and DependsOn do.
func (n *node) references() []string {
	var out []string
	n.addReferences(&out)
	slices.Sort(out)
	return slices.Compact(out)
}

func (n *node) addReferences(out *[]string) {
	if n == nil {
		return
	}
	add := func(name string) { *out = append(*out, name) }
	for _, x := range n.list {
		x.addReferences(out)
	}
	for _, m := range n.members {
		switch m.name {
		case "Ref", "DependsOn":
			add(m.node.text)
			for _, x := range m.node.list {
				add(x.text)
			}
		case "Fn::GetAtt":
			name, _, _ := strings.Cut(m.node.text, ".")
			add(name)
			if len(m.node.list) > 0 {
				add(m.node.list[0].text)
			}
		case "Fn::Sub":
			format := m.node
			if len(format.list) > 0 {
				format = format.list[0]
			}
			for _, part := range strings.Split(format.text, "${")[1:] {
				name, _, _ := strings.Cut(part, "}")
				name, _, _ = strings.Cut(name, ".")
				add(name)
			}
		}
		m.node.addReferences(out)
	}
}
