package cfn

import (
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// value is what a part of a template comes to.
type value struct {
	kind valueKind
	text string // of a text; it may hold marks
	list []value
	// members are those of an object, in order.
	members []valueMember
	refers  []string // of an unknown
	line    int
}

type valueMember struct {
	name  string
	value value
}

type valueKind uint8

const (
	absent valueKind = iota // AWS::NoValue, null, or nothing
	isText
	isScalar // a number or boolean, by its text
	isList
	isObject
	unknown
)

func textValue(s string) value { return value{kind: isText, text: s} }

func unknownValue(refers ...string) value { return value{kind: unknown, refers: refers} }

// get is a member of an object.
func (v value) get(name string) value {
	for _, m := range v.members {
		if m.name == name {
			return m.value
		}
	}
	if v.kind == unknown {
		return v
	}
	return value{}
}

// scalar is the text of a text, number or boolean.
func (v value) scalar() (string, bool) { return v.text, v.kind == isText || v.kind == isScalar }

// inText is what the value adds to a text that is put together: its text, or a mark.
func (v value) inText() string {
	if s, ok := v.scalar(); ok {
		return s
	}
	if v.kind == absent {
		return ""
	}
	return iac.Mark(iac.OtherMark, strings.Join(v.refers, ", "))
}

// evaluator works out a template in one of the ways in which what is open may turn out.
type evaluator struct {
	*template
	*attempt

	name     string // of the stack, where there are several or it is nested
	exported map[string]*node
	account  string // empty: not known
	region   string
	// regionAssumed says that the region is one of those that it may be.
	regionAssumed bool
	// parent is the evaluator of the stack that a nested one is in, and id its resource there.
	parent   *evaluator
	id       string
	children map[string]*evaluator   // by the id of the resource
	names    map[string]resourceName // the same
}

// The bounds of one value: how deep functions are followed, since CloudFormation refuses what refers to
// itself, and how long a text grows. The longest that matters is a policy.
const (
	maxReferences = 100
	maxText       = 1 << 20
)

// work counts work, and reports whether there is time for it.
func (a *attempt) work(steps int) bool {
	*a.left -= steps
	return *a.left >= 0
}

// evaluate works out a part.
func (e *evaluator) evaluate(n *node) value {
	if n == nil {
		return value{}
	}
	if e.depth++; e.depth > maxReferences {
		e.depth--
		return unknownValue("what refers to itself")
	}
	defer func() { e.depth-- }()
	if !e.work(1) {
		return unknownValue("what is more than can be worked out")
	}
	v := e.of(n)
	// Texts that are put together of each other grow with each step.
	if len(v.text) > maxText || !e.work(len(v.text)>>4) {
		return unknownValue("a text that is more than can be worked out")
	}
	v.line = n.line
	return v
}

func (e *evaluator) of(n *node) value {
	switch n.kind {
	case text:
		return dynamic(n.text)
	case number:
		return value{kind: isScalar, text: n.text}
	case octal:
		return unknownValue(n.text + " without quotes")
	case list:
		v := value{kind: isList}
		for _, item := range n.list {
			if x := e.evaluate(item); x.kind != absent {
				v.list = append(v.list, x)
			}
		}
		return v
	case object:
		if len(n.members) == 1 {
			if v, ok := e.function(n.members[0].name, n.members[0].node); ok {
				return v
			}
		}
		v := value{kind: isObject}
		for _, m := range n.members {
			if strings.HasPrefix(m.name, "Fn::") {
				return unknownValue(m.name) // a transform, or a loop, beside other members
			}
			if x := e.evaluate(m.node); x.kind != absent {
				v.members = append(v.members, valueMember{m.name, x})
			}
		}
		return v
	case null:
	}
	return value{}
}

// dynamic is a text, in which references such as {{resolve:ssm:name}} are not known. A text with
// characters of marks is not known either.
func dynamic(s string) value {
	if iac.HasMark(s) {
		return unknownValue("a text that cannot be read")
	}
	if strings.Contains(s, knownAfter) {
		return unknownValue("what is known after the change")
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{resolve:")
		b.WriteString(before)
		if !found {
			return textValue(b.String())
		}
		inner, after, closed := strings.Cut(rest, "}}")
		b.WriteString(iac.Mark(iac.OtherMark, "{{resolve:"+inner+"}}"))
		if !closed {
			return textValue(b.String())
		}
		s = after
	}
}

// ref is what Ref gives.
func (e *evaluator) ref(name string) value {
	switch name {
	case "AWS::NoValue":
		return value{}
	case "AWS::AccountId":
		if e.account != "" {
			return textValue(e.account)
		}
		return textValue(iac.Mark(iac.AccountMark, ""))
	case "AWS::Region":
		return textValue(e.region)
	case "AWS::Partition":
		return textValue(string(e.partition()))
	case "AWS::URLSuffix":
		if e.partition() == arn.China {
			return textValue("amazonaws.com.cn")
		}
		return textValue("amazonaws.com")
	}
	if p, ok := e.parameters[name]; ok {
		return e.parameter(name, p)
	}
	if r, ok := e.resources[name]; ok {
		switch r.kind {
		case typeBucket:
			return e.bucketName(name)
		case typeTrail:
			return e.trailName(name)
		case typeTopic:
			return e.topicARN(name)
		case typeKey:
			return unknownValue(e.address(name))
		}
	}
	return unknownValue(name)
}

func (e *evaluator) partition() arn.Partition { return arn.Region(e.region).Partition() }

// parameter is the value of a parameter: the one given, else its default.
func (e *evaluator) parameter(name string, p parameter) value {
	if e.early {
		return unknownValue(name)
	}
	if argument := e.argument(name); argument != nil {
		return e.parent.evaluateFor(argument, p)
	}
	s, given := e.values[name]
	if !given {
		if p.fallback == nil || p.fromStore {
			return unknownValue(name)
		}
		s = *p.fallback
		e.defaults[name] = true
	}
	e.secret = e.secret || p.noEcho
	if p.isList {
		return listValue(s)
	}
	return dynamic(s)
}

// listValue is a text with commas as a list.
func listValue(s string) value {
	v := value{kind: isList}
	for item := range strings.SplitSeq(s, ",") {
		v.list = append(v.list, textValue(strings.TrimSpace(item)))
	}
	return v
}

// bucketName is the name of a bucket of the template. One that is put together with the account is
// known but for that; a mark stands for any other.
func (e *evaluator) bucketName(id string) value { return e.nameIn(id, "BucketName", iac.BucketMark) }

func (e *evaluator) trailName(id string) value { return e.nameIn(id, "TrailName", iac.TrailMark) }

// nameIn is the name that a property gives. It is worked out once, since names may be made of each other.
func (e *evaluator) nameIn(id, property string, kind iac.MarkKind) value {
	known, ok := e.names[id]
	if !ok {
		before := e.secret
		e.secret = false
		v := e.evaluate(e.resources[id].property(property))
		if v.kind != isText || !iac.IsName(v.text) {
			v = textValue(iac.Mark(kind, e.address(id)))
		}
		known = resourceName{v, e.secret}
		e.secret = before
		if e.names == nil {
			e.names = map[string]resourceName{}
		}
		e.names[id] = known
	}
	e.secret = e.secret || known.secret
	return known.value
}

// resourceName is the name of a resource; secret: a NoEcho parameter is in it.
type resourceName struct {
	value  value
	secret bool
}

// getAtt is what Fn::GetAtt gives.
func (e *evaluator) getAtt(resource, attribute string) value {
	if r, ok := e.resources[resource]; ok && attribute == "Arn" {
		switch r.kind {
		case typeBucket:
			return textValue("arn:" + string(e.partition()) + ":s3:::" + e.bucketName(resource).text)
		case typeKey:
			return unknownValue(e.address(resource) + ".Arn")
		case typeTrail:
			place := e.region + ":" + e.ref("AWS::AccountId").text
			return textValue("arn:" + string(e.partition()) + ":cloudtrail:" + place + ":trail/" + e.trailName(resource).text)
		}
	}
	if r, ok := e.resources[resource]; ok && r.kind == typeTopic {
		switch attribute {
		case "TopicArn":
			return e.topicARN(resource)
		case "TopicName":
			return e.topicName(resource)
		}
	}
	if output, ok := strings.CutPrefix(attribute, "Outputs."); ok {
		if child := e.child(resource); child != nil {
			return child.evaluate(child.outputs.get(output).get("Value"))
		}
	}
	return unknownValue(resource + "." + attribute)
}

// address is a logical id, with its stack where there are several.
func (e *evaluator) address(id string) string {
	if e.name == "" {
		return id
	}
	return e.name + "/" + id
}

// strings are the texts of a list.
func (v value) strings() ([]string, bool) {
	if v.kind != isList {
		return nil, false
	}
	var out []string
	for _, x := range v.list {
		out = append(out, x.inText())
	}
	return out, true
}

// settledTexts are the texts of a list.
func (v value) settledTexts() []string {
	out, _ := v.strings()
	return out
}

// canonical tells values apart: equal values have equal texts.
func (v value) canonical() string {
	switch v.kind {
	case isText, isScalar:
		return strconv.Quote(v.text)
	case isList, isObject:
		var parts []string
		for _, x := range v.list {
			parts = append(parts, x.canonical())
		}
		for _, m := range v.members {
			parts = append(parts, strconv.Quote(m.name)+":"+m.value.canonical())
		}
		return "[" + strings.Join(parts, ",") + "]"
	case unknown:
		refers := slices.Clone(v.refers)
		slices.Sort(refers)
		return "?" + strings.Join(refers, ",")
	case absent:
	}
	return "-"
}

// isKnown reports whether the value is known throughout.
func (v value) isKnown() bool {
	if v.kind == unknown || iac.HasMark(v.text) {
		return false
	}
	return !slices.ContainsFunc(v.list, func(x value) bool { return !x.isKnown() }) &&
		!slices.ContainsFunc(v.members, func(m valueMember) bool { return !m.value.isKnown() })
}

// isCertain reports whether the value is the same wherever it has the same text: it is known,
// or named by marks of an account, a bucket, a trail or a topic.
func (v value) isCertain() bool {
	if v.kind == unknown || iac.HasOtherMark(v.text) {
		return false
	}
	return !slices.ContainsFunc(v.list, func(x value) bool { return !x.isCertain() }) &&
		!slices.ContainsFunc(v.members, func(m valueMember) bool { return !m.value.isCertain() })
}
