package alert

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// label is an actor in the few words of a subject, for example
//
//	federated-user helpdesk of user ci-deployer
//	-----kind------head----open-------person---
//
//	Shared-Admin/... (dana@acme.example) via cloudformation
//	----head---- open ------person----close ------via------
//
// Where there is no room for all of it, the person is what stays.
type label struct {
	kind   string // of what kind the head is, and a space
	head   string // of whom or of what the person is: a role, an account
	open   string
	person string
	close  string
	via    string // with its preposition and a space before it
	// machine says that the person is none: a session that a service named.
	machine bool
}

// The shortest that the parts of a label are cut to, without the mark of the
// cut. Who knows the account recognizes them by as much. A head that is cut
// further is only a hint.
const (
	minHead   = 14
	hint      = 4
	minPerson = 12
)

// elision marks what is cut out of a name.
const elision = ".."

// labelOf returns who made the call, in the words of a subject; empty: it is not
// known.
func labelOf(c delivery.Change) label {
	actor, via := c.Actor, c.Via
	if via == "" {
		// Records that a former version stored have both in one text.
		actor, via, _ = strings.Cut(actor, " via ")
	}
	l := actorLabel(actor, c)
	for by := range strings.SplitSeq(via, ", ") {
		switch by = viaName(by); {
		case by == "AssumeRoot":
			l = label{head: l.person, open: " by ", person: by}
		case by == "" || by == l.person:
			// A function's session has the function's name.
		case l.via == "":
			l.via = " via " + by
		}
	}
	l.machine = l.machine && l.via != ""
	behalf, _, _ := strings.Cut(c.OnBehalfOf, ", ")
	return l.behindIt(behalf).ascii()
}

// actorLabel returns the label of an actor by itself.
func actorLabel(actor string, c delivery.Change) label {
	if strings.HasPrefix(actor, "arn:") {
		named := arn.Split(actor)
		l := arnLabel(named.Resource, c.LinkedService)
		if named.Account != "" && c.Account != "" && string(named.Account) != c.Account {
			l.via = " of account " + string(named.Account)
		}
		return l
	}
	if id, ok := strings.CutPrefix(actor, centerUser); ok {
		return label{kind: "user ", person: id}
	}
	account, rest, ok := strings.Cut(actor, " (")
	if !ok || !strings.HasPrefix(account, "account ") {
		return label{person: actor}
	}
	// "account 111122223333 (AROAEXAMPLE:session)"
	person := strings.TrimSuffix(rest, ")")
	if _, session, ok := strings.Cut(person, ":"); ok && session != "" {
		person = session
	}
	if account == "account "+c.Account {
		return label{person: person}
	}
	return label{kind: "account ", head: strings.TrimPrefix(account, "account "), open: "/", person: person}
}

// centerUser is how a user of IAM Identity Center is named who has no ARN.
const centerUser = "Identity Center user "

// arnLabel returns the label of an ARN's resource: "alice" of a user,
// "role/session" of an assumed role, the session alone of IAM Identity Center,
// whose role says less.
func arnLabel(resource, linkedService string) label {
	kind, name, ok := strings.Cut(resource, "/")
	if !ok {
		return label{person: resource}
	}
	last := name[strings.LastIndex(name, "/")+1:]
	switch kind {
	case "assumed-role":
		role, session, ok := strings.Cut(name, "/")
		switch {
		case linkedService == cloudTrailService:
			return label{person: "CloudTrail's service-linked role"}
		case linkedService != "" || !ok:
			return label{person: role}
		case strings.HasPrefix(role, "AWSReservedSSO_"):
			return label{person: session}
		}
		return label{head: role, open: "/", person: session, machine: isUUID(session)}
	case "federated-user":
		return label{kind: kind + " ", person: last}
	}
	return label{person: last}
}

const cloudTrailService = "cloudtrail.amazonaws.com"

// behindIt returns the label with who stands behind the actor as the person.
func (l label) behindIt(behalf string) label {
	if behalf == "" || behalf == l.person {
		return l
	}
	before := l.head + l.open + l.person + l.close
	made := label{kind: l.kind, head: before, via: l.via}
	switch {
	case strings.HasPrefix(behalf, "arn:"):
		by := arn.Split(behalf).Resource
		made.open, made.person = " of ", arnLabel(by, "").person
		if kind, _, ok := strings.Cut(by, "/"); ok {
			made.open += kind + " "
		}
	case strings.HasPrefix(behalf, "account "):
		account, _, _ := strings.Cut(strings.TrimPrefix(behalf, "account "), " ")
		made.open, made.person = " for account ", account
	default:
		made.open, made.person, made.close = " (", strings.Replace(behalf, centerUser, "user ", 1), ")"
		if l.open == "/" {
			// The session's name is the caller's choice, and says less.
			made.head, made.open = l.head, "/... ("
		}
	}
	return made
}

// viaName returns by what a call was made in a word: a service without its
// domain, the name of a function, an instance or a provider without its ARN.
func viaName(via string) string {
	if strings.HasPrefix(via, "arn:") {
		named := arn.Split(via).Resource
		return named[strings.LastIndexAny(named, "/:")+1:]
	}
	service, _, _ := strings.Cut(via, ".amazonaws.")
	return service
}

func (l label) text() string {
	if l.head == "" {
		l.open, l.close = "", ""
	}
	return l.kind + l.head + l.open + l.person + l.close + l.via
}

// fit returns the label in at most width bytes, which are at least minPerson and
// the mark of a cut. What says least goes first: what is named by itself anyway,
// the name that a service gave to its session, the end of the role, by what,
// the role, and last the start of the person's name.
func (l label) fit(width int) string {
	excess := func() int { return len(l.text()) - width }
	shorten := func(least int) {
		if n := excess(); n > 0 && len(l.head) > least+len(elision) {
			l.head = keepStart(l.head, max(len(l.head)-n, least+len(elision)))
		}
	}
	if excess() > 0 {
		l.kind = ""
	}
	if excess() > 0 && l.machine {
		l.open, l.person = "", ""
	}
	shorten(minHead)
	if excess() > 0 {
		l.via = ""
	}
	shorten(hint)
	if l.person == "" {
		return keepStart(l.text(), width)
	}
	if excess() > 0 {
		l.head = ""
	}
	return keepEnd(l.text(), width)
}

func (l label) ascii() label {
	for _, part := range []*string{&l.kind, &l.head, &l.open, &l.person, &l.close, &l.via} {
		*part = ascii(*part)
	}
	return l
}

func fullLabels(labels []label) string {
	var texts []string
	for _, l := range labels {
		texts = append(texts, l.text())
	}
	return strings.Join(texts, ", ")
}

// fitLabels returns the labels in at most width bytes, the first ones in full
// where there is room, and counts the rest.
func fitLabels(labels []label, width int) string {
	if len(labels) == 0 {
		return ""
	}
	for n := len(labels); n > 0; n-- {
		if s := fullLabels(labels[:n]) + andMore(len(labels)-n); len(s) <= width {
			return s
		}
	}
	rest := andMore(len(labels) - 1)
	if width-len(rest) < minPerson+len(elision) {
		rest = ""
	}
	return labels[0].fit(width-len(rest)) + rest
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return " and " + plural(n, "other")
}

// isUUID reports whether a text is a UUID, as the sessions of CloudFormation's
// stack sets are named.
func isUUID(s string) bool {
	for i, c := range []byte(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return len(s) == 36
}

// keepStart, keepEnd and keepBoth cut printable ASCII to at most width bytes,
// with a mark. What keepBoth keeps of the start is at least minBucket bytes.
func keepStart(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return s[:width-len(elision)] + elision
}

func keepEnd(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return elision + s[len(s)-width+len(elision):]
}

func keepBoth(s string, width int) string {
	if len(s) <= width {
		return s
	}
	start := max((width-len(elision))/2, min(minBucket, width-len(elision)))
	return s[:start] + elision + s[len(s)-(width-len(elision)-start):]
}
