package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// Fault is one reason for which the service would refuse a document, or may.
type Fault struct {
	Statement int    // index, or -1 for the document as a whole
	Message   string // S3's own wording where it is known
}

// maxPolicySize is the limit of S3 on a bucket policy in its own normal form,
// in bytes. The policy without white space comes close to that form.
const maxPolicySize = 20480

// S3's words for what is wrong with a policy, as reported by those who met
// them.
const (
	msgInvalidJSON    = "This policy contains invalid Json"
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
	msgConditionFit   = "Conditions do not apply to combination of actions and resources in statement"
	msgConditionType  = "Invalid Condition type : "
	msgVariable       = "Invalid policy variable" // words of our own
)

// grade says whether the service takes something that a policy holds.
type grade uint8

const (
	accepted grade = iota
	doubtful       // it may refuse it: reported, or refused elsewhere in AWS, but not known of this service
	refused
)

// Faults returns what the service would refuse about the document as the policy of the
// bucket, key or topic with the given ARN ("arn:aws:s3:::logs"), in order. An empty ARN
// leaves out the checks that need it.
func (d *Document) Faults(resourceARN string) []Fault {
	faults, _ := d.Validate(resourceARN)
	return faults
}

// Validate returns what the service would refuse about the document, as [Document.Faults]
// does, and what it may refuse: what IAM or Access Analyzer does not take, and of which it is
// not known what the service does.
func (d *Document) Validate(resourceARN string) (faults, maybe []Fault) {
	v := &validator{dialect: d.dialect, resource: resourceARN, at: -1, scopes: map[string]actionScope{}, keys: map[string]keyScope{}}
	if d.root.Start != 0 {
		v.add(msgFirstByte)
	}
	if size := len(jsontext.Compact(d.text)); d.dialect.maxSize > 0 && size > d.dialect.maxSize {
		v.add(fmt.Sprintf("Normalized policy document exceeds the maximum allowed size of %d bytes", d.dialect.maxSize))
	}
	v.checkDuplicates(d.root)
	for _, m := range d.root.Members {
		switch m.Name {
		case "Version":
			if !knownVersion(m.Value) {
				v.add(msgVersion)
			}
		case "Id":
			if m.Value.Kind != jsontext.String {
				v.add(msgSyntax)
			}
		case "Statement":
		default:
			v.add("Unknown field " + m.Name)
		}
	}
	switch {
	case d.list == nil:
		v.add("Missing required field Statement")
	case d.list.Kind == jsontext.Array && len(d.list.Items) == 0:
		v.add(msgEmpty)
	case d.list.Kind != jsontext.Array && d.list.Kind != jsontext.Object:
		v.add(msgSyntax)
	}
	for i := range d.statements {
		v.at = i
		v.checkStatement(&d.statements[i])
	}
	if more := len(v.maybe) - maxMaybe; more > 0 {
		v.maybe = append(v.maybe[:maxMaybe:maxMaybe], Fault{-1, fmt.Sprintf("%d more that %s may refuse", more, d.dialect.Name)})
	}
	return v.faults, v.maybe
}

// maxMaybe is how many of the faults that are not certain are named.
const maxMaybe = 50

// validator collects the faults of a document.
type validator struct {
	dialect  Dialect
	faults   []Fault
	maybe    []Fault
	resource string                 // ARN of the bucket, key or topic, or empty
	at       int                    // index of the statement looked at, or -1
	scopes   map[string]actionScope // of the actions met, since policies repeat them
	keys     map[string]keyScope    // of the service's keys met
}

// add adds a fault.
func (v *validator) add(message string) { v.faults = addOnce(v.faults, Fault{v.at, message}) }

// judge adds a fault if the service does not take what, a text of the policy. The faults that are
// not certain name it, since nobody else will.
func (v *validator) judge(g grade, message, what string) {
	switch g {
	case refused:
		v.add(message)
	case doubtful:
		v.maybe = addOnce(v.maybe, Fault{v.at, message + ": " + what})
	case accepted:
	}
}

// addOnce adds a fault, once for each statement.
func addOnce(faults []Fault, fault Fault) []Fault {
	for _, said := range slices.Backward(faults) {
		if said == fault {
			return faults
		}
		if said.Statement != fault.Statement {
			break
		}
	}
	return append(faults, fault)
}

func (v *validator) checkDuplicates(n *jsontext.Node) {
	if name := n.Duplicate(); name != "" {
		v.add("Duplicate field " + name)
	}
}

func (v *validator) checkStatement(s *compiledStatement) {
	if s.node.Kind != jsontext.Object {
		v.add(msgSyntax)
		return
	}
	v.checkDuplicates(s.node)
	for _, m := range s.node.Members {
		switch m.Name {
		case "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource":
		case "Sid":
			if m.Value.Kind != jsontext.String {
				v.add(msgSyntax)
			}
		case "Condition":
			v.checkConditions(m.Value)
		default:
			v.add("Unknown field " + m.Name)
		}
	}
	v.checkEffect(s)
	v.checkPrincipal(s)
	v.checkPatterns(s.node, "Action")
	if !v.dialect.withoutResource || has(s.node, "Resource") || has(s.node, "NotResource") {
		v.checkPatterns(s.node, "Resource")
	}
	for _, text := range s.src.Actions.List {
		v.judge(v.scope(text).grade, msgAction, text)
	}
	there := v.checkResources(s)
	v.checkApplicable(s, there)
	v.checkConditionValues(s)
	v.checkConditionKeys(s, there)
}

func (v *validator) checkEffect(s *compiledStatement) {
	m, _ := s.node.Member("Effect")
	switch {
	case m == nil:
		v.add("Missing required field Effect")
	case s.effect == "":
		v.add("Invalid effect: " + m.Value.Text)
	}
}

// checkPatterns checks that one of an element and its Not form is there, and
// holds texts.
func (v *validator) checkPatterns(n *jsontext.Node, name string) {
	m := v.present(n, name)
	if m == nil {
		return
	}
	for _, item := range m.Value.Elements() {
		switch {
		case item.Kind == jsontext.Null && m.Value.Kind == jsontext.Array:
			v.judge(doubtful, msgSyntax, "null in "+m.Name)
		case item.Kind != jsontext.String:
			v.add(msgSyntax)
		}
	}
}

// present checks that one of an element and its Not form is there, and returns
// it.
func (v *validator) present(n *jsontext.Node, name string) *jsontext.Member {
	plain, _ := n.Member(name)
	inverse, _ := n.Member("Not" + name)
	switch {
	case plain == nil && inverse == nil:
		v.add("Missing required field " + name)
	case plain != nil && inverse != nil:
		v.add(msgSyntax)
	case plain == nil:
		return inverse
	default:
		return plain
	}
	return nil
}

func (v *validator) checkPrincipal(s *compiledStatement) {
	m := v.present(s.node, "Principal")
	if m == nil {
		return
	}
	if m.Name == "NotPrincipal" && s.effect == Allow {
		v.add(msgNotPrincipal)
	}
	if m.Value.Kind == jsontext.Object {
		v.checkDuplicates(m.Value)
	}
	if s.principal.malformed || m.Value.Kind == jsontext.Object && len(m.Value.Members) == 0 {
		v.add(msgSyntax)
	}
	for _, entry := range s.principal.entries {
		v.judge(entry.grade(v.partition()), msgPrincipal, entry.Value)
	}
}

// partition is the resource's, or empty.
func (v *validator) partition() arn.Partition { return arn.Split(v.resource).Partition }

func (v *validator) scope(action string) actionScope {
	s, known := v.scopes[action]
	if !known {
		s = v.dialect.scopeOf(action)
		v.scopes[action] = s
	}
	return s
}

// checkResources checks that each Resource entry can mean the bucket or an object
// in it, and returns which of both the entries mean.
func (v *validator) checkResources(s *compiledStatement) resourceLevel {
	var there resourceLevel
	for i := range s.resource.patterns {
		l := bucketLevel
		if v.dialect.inBucket {
			l = v.levels(&s.resource.patterns[i])
		}
		if l == 0 {
			v.add(msgResource)
		}
		if s.resource.patterns[i].misspelt() {
			v.judge(doubtful, msgVariable, s.src.Resources.List[i])
		}
		there |= l
	}
	return there
}

// levels says what a Resource entry can mean: the bucket, objects, or neither.
// A variable may have any value.
func (v *validator) levels(p *pattern) resourceLevel {
	e := p.expand(func(string) Value { return Value{State: Present} })
	if e.notARN || e.Any() {
		return 0
	}
	if v.resource == "" {
		return levelsOfAnyBucket(e.Pattern)
	}
	var out resourceLevel
	if e.Match(glob.TextOf(v.resource)) {
		out |= bucketLevel
	}
	if e.Continues(v.resource + "/") {
		out |= objectLevel
	}
	return out
}

// levelsOfAnyBucket is levels for a bucket that is not known.
func levelsOfAnyBucket(p glob.Pattern) resourceLevel {
	wild := false
	for _, t := range p.Tokens {
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

// checkApplicable checks that each action works on one of the resources.
func (v *validator) checkApplicable(s *compiledStatement, there resourceLevel) {
	if !v.dialect.inBucket || s.action.not || s.resource.not || s.resource.malformed || there == 0 {
		return
	}
	for _, text := range s.src.Actions.List {
		if a := v.scope(text); a.grade != refused && a.levels&there == 0 {
			v.add(msgNotApplicable)
		}
	}
}
