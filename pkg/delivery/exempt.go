package delivery

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	serviceNameKey = "aws:PrincipalServiceName"
	sourceARNKey   = "aws:SourceArn"
)

// exemption is a Deny as it would have to read to let CloudTrail through and
// nobody else.
type exemption struct {
	index int // of the statement
	text  []byte
	how   string // the change in words: "with … added to …"
}

// exemptions are what would have to be done about the Denies that block a
// requirement. None of it is ever done automatically.
type exemptions struct {
	edits []exemption
	stuck []int // statements for which no small edit does
	// untried are statements for which it was not worked out, because the budget
	// has ended.
	untried []int
	// ungranted says that no statement allows the requirement, once the edits are
	// made, and open that one allows it to a stranger's trail then.
	ungranted, open bool
}

// exempt works out the edits of the Denies that block a requirement.
//
// Every edit is tried: the statement must no longer touch any request of the
// requirement, and must treat other callers as before. Both are questions to the
// statement alone, whatever the rest of the policy says.
//
// What holds for one trail holds for those whose requests the policy does not tell
// from its own, since an edit excepts all trails alike.
func (j *judgement) exempt(e *evaluation, blocking []int) exemptions {
	e = cmp.Or(e.first, e)
	for _, known := range e.exempted {
		if slices.Equal(known.blocking, blocking) {
			return known.exemptions
		}
	}
	out := j.workOut(e, blocking)
	e.exempted = append(e.exempted, exemptionsOf{blocking, out})
	return out
}

// exemptionsOf are the exemptions from some Denies.
type exemptionsOf struct {
	blocking []int
	exemptions
}

func (j *judgement) workOut(e *evaluation, blocking []int) exemptions {
	var out exemptions
	replaced := map[int][]byte{}
	strangers := others(e.example.request)
	for _, index := range blocking {
		if j.budget.Exhausted() {
			out.untried = append(out.untried, index)
			continue
		}
		switch edit, ok := j.exemption(e, index, strangers); {
		case j.budget.Exhausted():
			out.untried = append(out.untried, index)
		case !ok:
			out.stuck = append(out.stuck, index)
		default:
			out.edits = append(out.edits, edit)
			replaced[index] = edit.text
		}
	}
	if len(replaced) > 0 {
		after, err := j.doc.With(replaced)
		if err == nil && !j.budget.Exhausted() {
			out.ungranted = j.decider(after).evaluate(e.Requirement).outcome == policy.ImplicitDeny
			q := e.example.request
			q.Context = ofStranger(q.Context)
			out.open = after.Decide(&q).Outcome == policy.Allowed
		}
	}
	return out
}

// remedy says what to do about the statements.
func (x exemptions) remedy(doc *policy.Document) string {
	var remedy string
	if len(x.stuck) > 0 {
		remedy = fmt.Sprintf("No small edit of %s lets CloudTrail through and nobody else: it has to be written anew or removed. ",
			statementsNamed(statementNames(doc, x.stuck)))
	}
	if len(x.untried) > 0 {
		remedy += fmt.Sprintf("How %s would have to read to let CloudTrail through was not worked out, since the policy is too complex. ",
			statementsNamed(statementNames(doc, x.untried)))
	}
	if len(x.edits) == 0 {
		return remedy + "A Deny is never edited automatically."
	}
	var hows []string
	for _, e := range x.edits {
		hows = append(hows, "statement "+Shown(doc.Label(e.index))+" "+e.how)
	}
	remedy += fmt.Sprintf("Edit by hand: %s. That lets CloudTrail through and nobody else; a Deny is never edited automatically.", list(hows))
	if x.open {
		remedy += " The grant that it then meets is bound to no trail and no account: it serves anybody's trails."
	}
	if x.ungranted {
		remedy += " Besides, no statement allows it yet: trailwarden plan adds the one that AWS documents."
	}
	return remedy
}

// edit is the statement as it would have to read, in JSON; a list where there
// are several, "" where there is none.
func (x exemptions) edit() string {
	var texts []string
	for _, e := range x.edits {
		texts = append(texts, string(e.text))
	}
	switch len(texts) {
	case 0:
		return ""
	case 1:
		return indent(texts[0])
	default:
		return indent("[" + strings.Join(texts, ",") + "]")
	}
}

// exemption finds the first candidate that does what it should.
func (j *judgement) exemption(e *evaluation, index int, others []policy.Request) (exemption, bool) {
	alone, err := j.doc.Alone(index, j.doc.StatementText(index))
	if err != nil {
		return exemption{}, false
	}
	before := j.decider(alone)
	for _, c := range j.candidates(j.doc.At(index)) {
		if alone, err = j.doc.Alone(index, c.text); err != nil {
			continue
		}
		after := j.decider(alone)
		if !after.touches(e.Requirement) && asBefore(before, after, others) {
			return c, true
		}
	}
	return exemption{}, false
}

// touches reports whether the only statement of a policy applies, or may apply,
// to a request of the requirement.
func (d *decider) touches(q trail.Requirement) bool {
	for i, p := range q.Sets {
		if !asked(p) {
			continue
		}
		if !d.prepare(requestLike(q, p)).MayMatch() {
			continue // mostly: an edit is a condition that CloudTrail does not meet
		}
		decided := d.decideKeys(q, i, p)
		if !decided.complete || slices.ContainsFunc(decided.list, func(r sampleDecision) bool { return r.decision.Matches[0].Truth() != policy.No }) {
			return true
		}
	}
	return false
}

// candidates are the edits that may exempt CloudTrail from a Deny, the tightest
// first.
func (j *judgement) candidates(st *policy.Statement) []exemption {
	text := j.doc.StatementText(st.Index)
	var out []exemption
	add := func(how string, values []string, path ...string) {
		if edited, err := policy.SetMember(text, values, path...); err == nil {
			out = append(out, exemption{st.Index, edited, how})
		}
	}
	arns := j.arns()
	// The values of a negated operator are all excepted: one more excepts more.
	except := func(bySource bool) {
		for _, c := range st.Conditions {
			values, ok := excepted(c, arns)
			if !ok || isSource(c.Key) != bySource {
				continue
			}
			merged := slices.Clone(c.Values)
			for _, v := range values {
				if !slices.Contains(merged, v) {
					merged = append(merged, v)
				}
			}
			add(fmt.Sprintf("with %s added to %s %s", list(values), Shown(c.Operator), Shown(c.Key)), merged, "Condition", c.Operator, c.Key)
		}
	}
	except(true)
	if guardsServices(st) {
		add(fmt.Sprintf("with ArnNotEqualsIfExists %s %s added to its Condition", sourceARNKey, list(arns)),
			arns, "Condition", "ArnNotEqualsIfExists", sourceARNKey)
	}
	// From here on CloudTrail is exempted by its name, for whomever it acts.
	except(false)
	if st.Principals.Not {
		services := []string{}
		for _, p := range st.Principals.Entries {
			if p.Type == policy.Service {
				services = append(services, p.Value)
			}
		}
		add("with Service "+trail.ServicePrincipal+" added to NotPrincipal",
			append(services, trail.ServicePrincipal), "NotPrincipal", "Service")
	}
	add(fmt.Sprintf("with StringNotEqualsIfExists %s %s added to its Condition", serviceNameKey, trail.ServicePrincipal),
		[]string{trail.ServicePrincipal}, "Condition", "StringNotEqualsIfExists", serviceNameKey)
	return out
}

// excepted are the values that a condition would have to except as well.
func excepted(c policy.Condition, arns []string) ([]string, bool) {
	if !strings.Contains(c.Operator, "Not") {
		return nil, false
	}
	switch strings.ToLower(c.Key) {
	case strings.ToLower(sourceARNKey):
		return arns, true
	case "aws:sourceaccount":
		var accounts []string
		for _, arn := range arns {
			if a := (trail.Trail{ARN: arn}).Account(); !slices.Contains(accounts, a) {
				accounts = append(accounts, a)
			}
		}
		return accounts, true
	case strings.ToLower(serviceNameKey), "aws:principalservicenameslist":
		return []string{trail.ServicePrincipal}, true
	}
	return nil, false
}

// guardsServices reports whether a Deny is there to keep services off that act
// for strangers. To exempt CloudTrail by its name would open what it guards, so
// it is exempted by the trails that it acts for.
func guardsServices(st *policy.Statement) bool {
	for _, p := range st.Principals.Entries {
		if p.Type == policy.Service && !st.Principals.Not {
			return true
		}
	}
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
		return isSource(c.Key) || strings.EqualFold(c.Key, "aws:PrincipalIsAWSService")
	})
}

// isSource reports whether a key says on whose behalf a service acts.
func isSource(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "aws:source") && key != "aws:sourceip" && key != "aws:sourceidentity" &&
		!strings.HasPrefix(key, "aws:sourcevpc")
}

// asBefore reports whether an edited Deny treats callers that are not CloudTrail
// as it did: roles of this and of another account, and another service, one that acts
// for the trail's own account among them. Both policies hold the Deny only.
func asBefore(before, after *decider, others []policy.Request) bool {
	return !slices.ContainsFunc(others, func(q policy.Request) bool {
		return before.prepare(q).Decide(q.Resource).Matches[0].Truth() != after.prepare(q).Decide(q.Resource).Matches[0].Truth()
	})
}

// others are requests that differ from CloudTrail's in who makes them.
func others(q policy.Request) []policy.Request {
	absent := policy.Value{}
	asRole := func(account string) policy.Request {
		arn := "arn:aws:iam::" + account + ":role/other"
		r := q
		r.Caller = policy.Caller{Principal: policy.Principal{Type: policy.AWS, Value: arn}}
		r.Context = q.Context.WithAll(map[string]policy.Value{
			"aws:PrincipalIsAWSService": policy.Is("false"),
			serviceNameKey:              absent, "aws:PrincipalServiceNamesList": absent,
			sourceARNKey: absent, "aws:SourceAccount": absent,
			"aws:SourceOrgID": absent, "aws:SourceOrgPaths": absent,
			"aws:PrincipalArn": policy.Is(arn), "aws:PrincipalAccount": policy.Is(account),
			"aws:userid": policy.Is("AROAOTHER:other"),
		})
		return r
	}
	owner := "111111111111"
	if v := q.Context.Lookup("aws:ResourceAccount"); v.Known {
		owner = v.Values[0]
	}
	// Another service acts for a stranger, or for whom CloudTrail acts.
	asService := func(account string) policy.Request {
		r := q
		r.Caller = policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "other.amazonaws.com"}}
		r.Context = q.Context.WithAll(map[string]policy.Value{
			serviceNameKey:                  policy.Is("other.amazonaws.com"),
			"aws:PrincipalServiceNamesList": policy.Set("other.amazonaws.com"),
			sourceARNKey:                    policy.Is("arn:aws:other:us-east-1:" + account + ":thing/x"),
			"aws:SourceAccount":             policy.Is(account),
		})
		return r
	}
	out := []policy.Request{asRole(owner), asRole("000000000000"), asService("000000000000")}
	if v := q.Context.Lookup("aws:SourceAccount"); v.Known {
		out = append(out, asService(v.Values[0]))
	}
	return out
}

// indent makes JSON readable, its members in their order.
func indent(text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		return text
	}
	return b.String()
}
