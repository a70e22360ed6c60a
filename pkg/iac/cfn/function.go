package cfn

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// function works out {"name": argument}. Ok is false if it is no function.
// Source: "Intrinsic function reference" in the CloudFormation user guide.
func (e *evaluator) function(name string, n *node) (v value, ok bool) {
	switch name {
	case "Ref":
		if n.kind != text {
			return unknownValue("Ref"), true
		}
		return e.ref(n.text), true
	case "Condition":
		// Within conditions only. Elsewhere it is a name, as in a policy's statement.
		return value{}, false
	case "Fn::GetAtt":
		return e.getAttOf(n), true
	case "Fn::Sub":
		return e.sub(n), true
	case "Fn::Join":
		return e.join(n), true
	case "Fn::If":
		return e.choose(n), true
	case "Fn::FindInMap":
		return e.findInMap(n), true
	case "Fn::Select":
		return e.selectFrom(n), true
	case "Fn::Split":
		return e.split(n), true
	case "Fn::ImportValue":
		return e.importValue(n), true
	case "Fn::Base64":
		if s, ok := e.evaluate(n).scalar(); ok && !iac.HasMark(s) {
			return textValue(base64.StdEncoding.EncodeToString([]byte(s))), true
		}
		return unknownValue(name), true
	case "Fn::ToJsonString":
		return e.toJSON(e.evaluate(n)), true
	case "Fn::Length":
		if v := e.evaluate(n); v.kind == isList {
			return value{kind: isScalar, text: strconv.Itoa(len(v.list))}, true
		}
		return unknownValue(name), true
	}
	if strings.HasPrefix(name, "Fn::") {
		return unknownValue(name), true // Fn::GetAZs, Fn::Cidr, Fn::Transform, Fn::ForEach and what is to come
	}
	return value{}, false
}

func (e *evaluator) getAttOf(n *node) value {
	v := e.evaluate(n)
	parts, ok := v.strings()
	if s, isText := v.scalar(); isText {
		resource, attribute, found := strings.Cut(s, ".")
		parts, ok = []string{resource, attribute}, found
	}
	if !ok || len(parts) < 2 {
		return unknownValue("Fn::GetAtt")
	}
	return e.getAtt(parts[0], strings.Join(parts[1:], "."))
}

// sub replaces ${Name} and ${Resource.Attribute}; ${!Name} is ${Name} itself.
func (e *evaluator) sub(n *node) value {
	format, names := n, (*node)(nil)
	if n.kind == list && len(n.list) == 2 {
		format, names = n.list[0], n.list[1]
	}
	if format.kind != text {
		return unknownValue("Fn::Sub")
	}
	var b strings.Builder
	for rest := format.text; ; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		switch literal, isLiteral := strings.CutPrefix(name, "!"); {
		case !closed:
			return unknownValue("Fn::Sub")
		case isLiteral:
			b.WriteString("${" + literal + "}")
		default:
			b.WriteString(e.named(strings.TrimSpace(name), names).inText())
		}
		if b.Len() > maxText || !e.work(1) {
			return unknownValue("a text that is more than can be worked out")
		}
		rest = tail
	}
	return dynamicMarked(b.String())
}

// dynamicMarked is dynamic for a text that may hold marks of ours.
func dynamicMarked(s string) value {
	if strings.Contains(s, "{{resolve:") {
		return textValue(iac.Mark(iac.OtherMark, "{{resolve:…}}"))
	}
	return textValue(s)
}

// named is what a name in a Sub means: one that stands beside the text, or what Ref or GetAtt give.
func (e *evaluator) named(name string, names *node) value {
	if n := names.get(name); n != nil {
		return e.evaluate(n)
	}
	if resource, attribute, dotted := strings.Cut(name, "."); dotted {
		return e.getAtt(resource, attribute)
	}
	return e.ref(name)
}

func (e *evaluator) join(n *node) value {
	if n.kind != list || len(n.list) != 2 {
		return unknownValue("Fn::Join")
	}
	delimiter, ok := e.evaluate(n.list[0]).scalar()
	items := e.evaluate(n.list[1])
	parts, isList := items.strings()
	if !ok || !isList {
		return unknownValue(items.refers...)
	}
	size := 0
	for _, part := range parts {
		if size += len(part) + len(delimiter); size > maxText {
			return unknownValue("a text that is more than can be worked out")
		}
	}
	return textValue(strings.Join(parts, delimiter))
}

// choose is Fn::If.
func (e *evaluator) choose(n *node) value {
	if n.kind != list || len(n.list) != 3 || n.list[0].kind != text {
		return unknownValue("Fn::If")
	}
	if e.condition(n.list[0].text) {
		return e.evaluate(n.list[1])
	}
	return e.evaluate(n.list[2])
}

func (e *evaluator) findInMap(n *node) value {
	if n.kind != list || len(n.list) < 3 {
		return unknownValue("Fn::FindInMap")
	}
	at := e.mappings
	var refers []string
	for _, key := range n.list[:3] {
		v := e.evaluate(key)
		s, ok := v.scalar()
		if !ok || iac.HasMark(s) {
			return unknownValue(append(append(refers, v.refers...), iac.References(s)...)...)
		}
		at = at.get(s)
	}
	if at != nil {
		return e.evaluate(at)
	}
	if len(n.list) == 4 { // {"DefaultValue": …}
		return e.evaluate(n.list[3].get("DefaultValue"))
	}
	return unknownValue("Fn::FindInMap")
}

func (e *evaluator) selectFrom(n *node) value {
	if n.kind != list || len(n.list) != 2 {
		return unknownValue("Fn::Select")
	}
	index, _ := e.evaluate(n.list[0]).scalar()
	i, err := strconv.Atoi(index)
	items := e.evaluate(n.list[1])
	if err != nil || items.kind != isList || i < 0 || i >= len(items.list) {
		return unknownValue(items.refers...)
	}
	return items.list[i]
}

func (e *evaluator) split(n *node) value {
	if n.kind != list || len(n.list) != 2 {
		return unknownValue("Fn::Split")
	}
	delimiter, ok := e.evaluate(n.list[0]).scalar()
	v := e.evaluate(n.list[1])
	s, isText := v.scalar()
	// What stands for a mark may hold the delimiter.
	if !ok || !isText || delimiter == "" || iac.HasMark(s) {
		return unknownValue(append(v.refers, iac.References(s)...)...)
	}
	out := value{kind: isList}
	for part := range strings.SplitSeq(s, delimiter) {
		out.list = append(out.list, textValue(part))
	}
	return out
}

// importValue is what another stack exports, where that stack was given too.
func (e *evaluator) importValue(n *node) value {
	name, ok := e.evaluate(n).scalar()
	if !ok || iac.HasMark(name) {
		return unknownValue("Fn::ImportValue")
	}
	if other := e.exports[name]; other != nil {
		return other.evaluate(other.exported[name])
	}
	return unknownValue("Fn::ImportValue " + name)
}

// toJSON is the text of a value that is known throughout.
func (e *evaluator) toJSON(v value) value {
	if !v.isKnown() {
		return unknownValue("Fn::ToJsonString")
	}
	out, err := json.Marshal(v.plain())
	if err != nil {
		return unknownValue("Fn::ToJsonString")
	}
	return textValue(string(out))
}

// plain is a value as encoding/json takes it.
func (v value) plain() any {
	switch v.kind {
	case isText:
		return v.text
	case isScalar:
		return json.RawMessage(v.text)
	case isList:
		out := []any{}
		for _, x := range v.list {
			out = append(out, x.plain())
		}
		return out
	case isObject:
		out := map[string]any{}
		for _, m := range v.members {
			out[m.name] = m.value.plain()
		}
		return out
	case absent, unknown:
	}
	return nil
}

// condition is how a condition turns out. A comparison of what is not known is as it is
// assumed, and noted as open.
func (e *evaluator) condition(name string) bool {
	if e.all {
		return false // nothing of it is certain
	}
	n := e.conditions.get(name)
	if n == nil {
		return e.assume("condition " + name)
	}
	return e.holds(n)
}

func (e *evaluator) holds(n *node) bool {
	if e.depth++; e.depth > maxReferences {
		e.depth--
		return e.assume("a condition that refers to itself")
	}
	defer func() { e.depth-- }()
	if !e.work(1) {
		return false // the way is not counted
	}
	if n.kind != object || len(n.members) != 1 {
		return e.assume("a condition that cannot be read")
	}
	argument := n.members[0].node
	switch n.members[0].name {
	case "Condition":
		return e.condition(argument.text)
	case "Fn::Not":
		return len(argument.list) == 1 && !e.holds(argument.list[0])
	case "Fn::And":
		all := true
		for _, x := range argument.list { // each, so that all that is open is noted
			all = e.holds(x) && all
		}
		return all
	case "Fn::Or":
		some := false
		for _, x := range argument.list {
			some = e.holds(x) || some
		}
		return some
	case "Fn::Equals":
		if len(argument.list) == 2 {
			before := e.secret
			e.secret = false
			a, b := e.evaluate(argument.list[0]), e.evaluate(argument.list[1])
			hidden := e.secret
			e.secret = e.secret || before
			if a.isCertain() && b.isCertain() && a.canonical() == b.canonical() {
				return true
			}
			if a.isKnown() && b.isKnown() {
				return false
			}
			return e.assume(comparison(a, b, hidden))
		}
	}
	return e.assume("a condition that cannot be read")
}

// comparison names what is compared: "Environment = prod". What is hidden is named by where it stands.
func comparison(a, b value, hidden bool) string {
	if hidden {
		return "what a parameter with NoEcho is compared with is equal to it"
	}
	side := func(v value) string {
		if v.kind == unknown {
			return strings.Join(v.refers, ", ")
		}
		if refers := iac.References(v.text); len(refers) > 0 {
			return strings.Join(refers, ", ")
		}
		return v.text
	}
	return side(a) + " = " + side(b)
}

func (e *evaluator) assume(comparison string) bool {
	on, ok := e.assumed[comparison]
	if !ok {
		e.open = append(e.open, comparison)
		e.assumed[comparison] = false
	}
	return on
}
