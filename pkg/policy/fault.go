package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// maxPolicySize is the limit of S3 on a bucket policy in its own normal form,
// in bytes. The policy without white space comes close to that form.
const maxPolicySize = 20480

// S3's words for what is wrong with a policy, as reported by those who met
// them.
const (
	msgFirstByte      = "Policies must be valid JSON and the first byte must be '{'"
	msgVersion        = "The policy must contain a valid version string"
	msgEmpty          = "Could not parse the policy: Statement is empty!"
	msgSyntax         = "Invalid policy syntax."
	msgPrincipal      = "Invalid principal in policy"
	msgAction         = "Policy has invalid action"
	msgResource       = "Policy has invalid resource"
	msgNotApplicable  = "Action does not apply to any resource(s) in statement"
	msgConditionKey   = "Policy has an invalid condition key"
	msgAddress        = "Invalid IP address in Conditions"
	msgNotPrincipal   = "Allow with NotPrincipal is not supported"
	msgConditionValue = "Invalid value in Conditions"
)

// faultFinder collects the faults of a document.
type faultFinder struct {
	out    []Fault
	bucket string // ARN, or empty
	at     int    // index of the statement looked at, or -1
	known  map[string]actionScope
}

// actionScope is what actionLevels says of a text.
type actionScope struct {
	levels level
	ok     bool
}

func (f *faultFinder) scope(action string) actionScope {
	s, known := f.known[action]
	if !known {
		s.levels, s.ok = actionLevels(action)
		f.known[action] = s
	}
	return s
}

func (f *faultFinder) add(message string) {
	fault := Fault{f.at, message}
	for _, said := range slices.Backward(f.out) {
		if said == fault {
			return
		}
		if said.Statement != f.at {
			break
		}
	}
	f.out = append(f.out, fault)
}

// Faults returns what S3 would refuse about the document as the policy of the
// bucket with the given ARN ("arn:aws:s3:::logs"), in order. An empty ARN
// leaves out the checks that need it.
func (d *Document) Faults(bucketARN string) []Fault {
	f := &faultFinder{bucket: bucketARN, at: -1, known: map[string]actionScope{}}
	if d.root.Start != 0 {
		f.add(msgFirstByte)
	}
	if size := len(jsontext.Compact(d.text)); size > maxPolicySize {
		f.add(fmt.Sprintf("Normalized policy document exceeds the maximum allowed size of %d bytes", maxPolicySize))
	}
	f.duplicates(d.root)
	for _, m := range d.root.Members {
		switch m.Name {
		case "Version":
			if !knownVersion(m.Value) {
				f.add(msgVersion)
			}
		case "Id":
			if m.Value.Kind != jsontext.String {
				f.add(msgSyntax)
			}
		case "Statement":
		default:
			f.add("Unknown field " + m.Name)
		}
	}
	switch {
	case d.list == nil:
		f.add("Missing required field Statement")
	case d.list.Kind == jsontext.Array && len(d.list.Items) == 0:
		f.add(msgEmpty)
	case d.list.Kind != jsontext.Array && d.list.Kind != jsontext.Object:
		f.add(msgSyntax)
	}
	for i := range d.statements {
		f.at = i
		f.statement(&d.statements[i])
	}
	return f.out
}

func (f *faultFinder) duplicates(n *jsontext.Node) {
	if name := n.Duplicate(); name != "" {
		f.add("Duplicate field " + name)
	}
}

func (f *faultFinder) statement(s *compiled) {
	if s.node.Kind != jsontext.Object {
		f.add(msgSyntax)
		return
	}
	f.duplicates(s.node)
	for _, m := range s.node.Members {
		switch m.Name {
		case "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource":
		case "Sid":
			if m.Value.Kind != jsontext.String {
				f.add(msgSyntax)
			}
		case "Condition":
			f.conditions(m.Value)
		default:
			f.add("Unknown field " + m.Name)
		}
	}
	f.effect(s)
	f.principal(s)
	f.element(s.node, "Action")
	f.element(s.node, "Resource")
	f.actions(s)
	f.applicable(s, f.resources(s))
}

func (f *faultFinder) effect(s *compiled) {
	m, _ := s.node.Member("Effect")
	switch {
	case m == nil:
		f.add("Missing required field Effect")
	case s.effect == unknownEffect:
		f.add("Invalid effect: " + m.Value.Text)
	}
}

// element checks that one of an element and its Not form is there, and holds
// texts.
func (f *faultFinder) element(n *jsontext.Node, name string) {
	plain, _ := n.Member(name)
	inverse, _ := n.Member("Not" + name)
	switch {
	case plain == nil && inverse == nil:
		f.add("Missing required field " + name)
		return
	case plain != nil && inverse != nil:
		f.add(msgSyntax)
		return
	case plain == nil:
		plain = inverse
	}
	for _, item := range plain.Value.Elements() {
		if item.Kind != jsontext.String {
			f.add(msgSyntax)
		}
	}
}

func (f *faultFinder) principal(s *compiled) {
	m, _ := s.node.Member("Principal")
	inverse, _ := s.node.Member("NotPrincipal")
	switch {
	case m == nil && inverse == nil:
		f.add("Missing required field Principal")
		return
	case m != nil && inverse != nil:
		f.add(msgSyntax)
		return
	case m == nil:
		m = inverse
		if s.effect == allowEffect {
			f.add(msgNotPrincipal)
		}
	}
	if m.Value.Kind == jsontext.Object {
		f.duplicates(m.Value)
	}
	if s.principal.doubt || m.Value.Kind == jsontext.Object && len(m.Value.Members) == 0 {
		f.add(msgSyntax)
	}
	for _, entry := range s.Principals.Entries {
		if !entry.valid() {
			f.add(msgPrincipal)
		}
	}
}

// valid reports whether S3 may take the entry. Whether who it names exists,
// only S3 can tell.
func (p Principal) valid() bool {
	wild := strings.ContainsAny(p.Value, "*?")
	switch p.Type {
	case AWS:
		if p.Value == "*" {
			return true
		}
		return !wild && (strings.HasPrefix(p.Value, "arn:") || isAccount(p.Value) || len(p.Value) >= 16)
	case Service:
		return !wild && strings.Contains(p.Value, ".")
	case CanonicalUser:
		return !wild && p.Value != ""
	case Anyone, Federated:
	}
	return p.Value != ""
}

func (f *faultFinder) actions(s *compiled) {
	for _, text := range s.Actions.List {
		if !f.scope(text).ok {
			f.add(msgAction)
		}
	}
}

// resources checks that each Resource entry can mean the bucket or an object
// in it, and returns which of both the entries mean.
func (f *faultFinder) resources(s *compiled) level {
	var there level
	for i := range s.resource.list {
		l := f.levels(&s.resource.list[i])
		if l == 0 {
			f.add(msgResource)
		}
		there |= l
	}
	return there
}

// levels says what a Resource entry can mean: the bucket, objects, or neither.
func (f *faultFinder) levels(p *pattern) level {
	e := p.expand(func(string) Value { return Value{State: Present} })
	if e.notARN || e.Any() {
		return 0
	}
	if f.bucket == "" {
		return levelsOfAny(e.Tokens)
	}
	var out level
	if e.Match(glob.TextOf(f.bucket)) {
		out |= bucketLevel
	}
	if e.Continues(f.bucket + "/") {
		out |= objectLevel
	}
	return out
}

// levelsOfAny is levels for a bucket that is not known.
func levelsOfAny(tokens []glob.Token) level {
	wild := false
	for _, t := range tokens {
		if t.Op == glob.Literal && strings.Contains(string(t.Text), "/") {
			return objectLevel
		}
		wild = wild || t.Op != glob.Literal && !t.InField
	}
	if wild {
		return bucketLevel | objectLevel
	}
	return bucketLevel
}

// applicable checks that each action works on one of the resources.
func (f *faultFinder) applicable(s *compiled, there level) {
	if s.Actions.Not || s.Resources.Not || s.resource.doubt || there == 0 {
		return
	}
	for _, text := range s.Actions.List {
		if l := f.scope(text); l.ok && l.levels&there == 0 {
			f.add(msgNotApplicable)
		}
	}
}

func (f *faultFinder) conditions(n *jsontext.Node) {
	if n.Kind != jsontext.Object {
		f.add(msgSyntax)
		return
	}
	f.duplicates(n)
	for _, block := range n.Members {
		o := parseOperator(block.Name)
		if o.kind == unknownOperator {
			f.add("Invalid Condition type : " + block.Name)
		}
		if block.Value.Kind != jsontext.Object {
			f.add(msgSyntax)
			continue
		}
		f.duplicates(block.Value)
		if block.Value.Duplicate() == "" && sameKey(block.Value) {
			f.add("Duplicate keys with different case")
		}
		for _, key := range block.Value.Members {
			f.condition(o, key)
		}
	}
}

func (f *faultFinder) condition(o operator, key jsontext.Member) {
	if i := strings.IndexByte(key.Name, ':'); i <= 0 || i == len(key.Name)-1 {
		f.add(msgConditionKey)
	}
	for _, item := range key.Value.Elements() {
		if !scalar(item) {
			f.add(msgSyntax)
			continue
		}
		if newOperand(o, item.Text, false).ok {
			continue
		}
		switch o.kind {
		case addressOperator:
			f.add(msgAddress)
		case numericOperator, dateOperator, binaryOperator, nullOperator:
			f.add(msgConditionValue)
		case boolOperator, stringOperator, arnOperator, unknownOperator:
		}
	}
}
