package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// PrincipalType is the kind of a principal: a member name of the Principal
// element, or Anyone for the bare "*".
type PrincipalType string

// The member names that a Principal element may have.
const (
	AWS           PrincipalType = "AWS"
	Service       PrincipalType = "Service"
	Federated     PrincipalType = "Federated"
	CanonicalUser PrincipalType = "CanonicalUser"
	Anyone        PrincipalType = "*"
)

// Principal is one entry of a Principal or NotPrincipal element.
type Principal struct {
	Type  PrincipalType
	Value string // "cloudtrail.amazonaws.com", "arn:aws:iam::111111111111:root", "111111111111", "*"
}

// PrincipalList is a Principal or NotPrincipal element.
type PrincipalList struct {
	Not     bool
	Entries []Principal
}

// Caller is who makes a request.
type Caller struct {
	Principal
	// Aliases are further principals that the caller is known to act as.
	Aliases []Principal
	// PossiblePrincipals are principals that the caller may or may not act as. A
	// statement that matches only through one of them matches perhaps.
	PossiblePrincipals []Principal
}

// principalMatcher is a Principal or NotPrincipal element made ready.
type principalMatcher struct {
	not       bool
	entries   []Principal
	malformed bool
}

// readPrincipal reads the Principal or NotPrincipal element of a statement.
func readPrincipal(s *compiledStatement, n *jsontext.Node) {
	m, not, ok := oneForm(n, "Principal")
	p := principalMatcher{not: not}
	switch {
	case !ok:
		p.malformed = true
	case m.Value.Kind == jsontext.String && m.Value.Text == "*":
		p.entries = []Principal{{Anyone, "*"}}
	case m.Value.Kind != jsontext.Object || m.Value.Duplicate() != "":
		p.malformed = true
	default:
		for _, kind := range m.Value.Members {
			p.read(kind)
		}
	}
	s.principal = p
	s.src.Principals = PrincipalList{p.not, p.entries}
}

// read reads the principals of one type.
func (p *principalMatcher) read(m jsontext.Member) {
	kind := PrincipalType(m.Name)
	switch kind {
	case AWS, Service, Federated, CanonicalUser:
	case Anyone:
		p.malformed = true
		return
	default:
		p.malformed = true
		return
	}
	for _, item := range m.Value.Elements() {
		if item.Kind != jsontext.String {
			p.malformed = true
			continue
		}
		p.entries = append(p.entries, Principal{kind, item.Text})
	}
}

// match says whether the element covers the caller, in a statement of the
// effect.
func (p *principalMatcher) match(c *Caller, e Effect) (Truth, assumptionSet) {
	result, assumed := No, assumptionSet(0)
	for _, entry := range p.entries {
		t, a := c.is(entry)
		assumed |= a
		result = max(result, t)
	}
	if p.malformed {
		result = max(result, Maybe)
		if p.not {
			return Maybe, assumed
		}
	}
	if !p.not {
		return result, assumed
	}
	if e == Allow {
		// Allow with NotPrincipal is not supported: it may mean anything.
		return min(result.not(), Maybe), assumed
	}
	if c.Type == AWS {
		return p.spares(c)
	}
	return result.not(), assumed
}

// spares says whether a Deny with NotPrincipal covers an AWS caller, which it does
// unless it spares it.
//
// AWS may check the account first, then the user or role, then the role's session.
// So a caller is spared where each of its ARNs is listed, and the account's entry
// alone spares none but the account's root user: the guide's example lists Bob and
// his account, and denies everybody else of that account. What happens to a caller of
// which other ARNs are listed but not all, the guide leaves open ("might").
// Source: "AWS JSON policy elements: NotPrincipal".
func (p *principalMatcher) spares(c *Caller) (Truth, assumptionSet) {
	names, complete := c.names()
	all, beside := Yes, No // every name is listed; one beside the account is
	for i, name := range names {
		listed := p.lists(name)
		all = min(all, listed)
		if i > 0 {
			beside = max(beside, listed)
		}
	}
	for _, alias := range c.Aliases {
		beside = max(beside, min(p.lists(ownName{Principal: alias}), Maybe))
	}
	switch {
	case all == Yes && complete && len(names) == 1:
		return No, 0
	case all == Yes && complete:
		return No, assumeNoBoundary
	case beside == No && (len(names) > 1 || all == No):
		return Yes, 0
	}
	return Maybe, assumeNotPrincipal
}

// lists says whether a name of the caller is among the entries.
func (p *principalMatcher) lists(name ownName) Truth {
	result := No
	for _, entry := range p.entries {
		switch {
		case entry.Value == "*" && (entry.Type == Anyone || entry.Type == AWS), samePrincipal(name.Principal, entry):
			return Yes
		case entry.Type == CanonicalUser && isAccount(name.Value),
			// The entry may be the id of this account, or this role with its path.
			name.pathless && entry.Type == AWS && withoutPath(entry.Value) == name.Value:
			result = Maybe
		}
	}
	return result
}

// ownName is one of the names by which AWS may check a caller.
type ownName struct {
	Principal

	pathless bool // the ARN of a role, which may have a path that is not known
}

// names are the ARNs of an AWS caller from its account down: account and user, or
// account, role and session. complete is false if there is one more.
func (c *Caller) names() (names []ownName, complete bool) {
	self := ownName{Principal: c.Principal}
	a := arn.Split(c.Value)
	switch {
	case isAccount(c.Value):
		return []ownName{self}, true
	case a.Account == "":
		return []ownName{self}, false
	}
	names = append(names, ownName{Principal: Principal{AWS, string(a.Account)}})
	if role, ok := sessionRole(c.Value); ok {
		text := arn.ARN{Partition: a.Partition, Service: "iam", Account: a.Account, Resource: "role/" + role}.String()
		names = append(names, ownName{Principal{AWS, text}, true})
	}
	// A federated user is also the IAM user who asked for the session.
	return append(names, self), !strings.HasPrefix(a.Resource, "federated-user/")
}

// withoutPath is the ARN of a role without the role's path.
func withoutPath(role string) string {
	head, path, ok := strings.Cut(role, ":role/")
	if !ok {
		return role
	}
	return head + ":role/" + path[strings.LastIndexByte(path, '/')+1:]
}

// is says whether an entry of a Principal element means the caller.
func (c *Caller) is(entry Principal) (Truth, assumptionSet) {
	result, assumed := c.isByName(entry)
	for _, p := range c.Aliases {
		if result != Yes && samePrincipal(p, entry) {
			return Yes, assumed
		}
	}
	for _, p := range c.PossiblePrincipals {
		if result == No && samePrincipal(p, entry) {
			result, assumed = Maybe, assumed|assumePossiblePrincipal
		}
	}
	return result, assumed
}

// isByName says whether an entry means the caller by the caller's own name. See
// "AWS JSON policy elements: Principal".
func (c *Caller) isByName(entry Principal) (Truth, assumptionSet) {
	switch {
	case entry.Type == Anyone:
		return Yes, 0
	case entry.Type == AWS && entry.Value == "*":
		if c.Type == Service {
			return Yes, assumeAWSStar
		}
		return Yes, 0
	case c.Type == Service && entry.Type == Service:
		return serviceIs(c.Value, entry.Value)
	case c.Type == AWS && entry.Type == AWS:
		return awsIs(c.Value, entry.Value), 0
	case c.Type == AWS && entry.Type == CanonicalUser:
		return Maybe, 0 // the id of an account that may be the caller's
	}
	return truthOf(c.Type == entry.Type && c.Value == entry.Value), 0
}

// serviceIs compares a service principal with an entry. A service may have a
// further name for a Region.
func serviceIs(caller, entry string) (Truth, assumptionSet) {
	const domain = ".amazonaws.com"
	switch {
	case caller == entry:
		return Yes, 0
	case entry == "*":
		return Maybe, 0 // S3 refuses it
	case strings.EqualFold(caller, entry):
		return Maybe, assumeServiceCase
	}
	name, ok := strings.CutSuffix(glob.LowerASCII(caller), domain)
	if !ok {
		return No, 0
	}
	rest, ok := strings.CutPrefix(glob.LowerASCII(entry), name+".")
	if ok && strings.HasSuffix(rest, domain) && strings.Count(rest, ".") == 2 {
		return Maybe, assumeRegionalService
	}
	return No, 0
}

// awsIs compares an account, role, user or role session with an entry.
func awsIs(caller, entry string) Truth {
	if caller == entry {
		return Yes
	}
	account := accountOf(caller)
	if account == "" || otherPartition(caller, entry) {
		return No
	}
	if isAccount(entry) {
		return truthOf(accountOf(entry) == account)
	}
	if accountOf(entry) != account {
		return No
	}
	role, isSession := sessionRole(caller)
	if !isSession {
		return No
	}
	name, isRole := strings.CutPrefix(arn.Split(entry).Resource, "role/")
	switch {
	case !isRole || name[strings.LastIndexByte(name, '/')+1:] != role:
		return No
	case strings.Contains(name, "/"):
		return Maybe // a session's ARN leaves out the role's path
	}
	return Yes
}

// otherPartition reports whether two principals are of different partitions, as far
// as their texts say. An account belongs to one partition.
func otherPartition(a, b string) bool {
	p, q := arn.Split(a).Partition, arn.Split(b).Partition
	return p != "" && q != "" && p != q
}

// samePrincipal reports whether two principals name the same. An account may be named
// by its number or by the ARN of its root.
func samePrincipal(a, b Principal) bool {
	if a.Type != b.Type {
		return false
	}
	return a.Value == b.Value || a.Type == AWS && isAccount(a.Value) && isAccount(b.Value) &&
		accountOf(a.Value) == accountOf(b.Value) && !otherPartition(a.Value, b.Value)
}

// isAccount reports whether a principal's value names a whole account.
func isAccount(value string) bool {
	return arn.Account(value).Valid() || strings.HasPrefix(value, "arn:") && arn.Split(value).Resource == "root"
}

// accountOf is the account of a principal's value, or "".
func accountOf(value string) string {
	if arn.Account(value).Valid() {
		return value
	}
	return string(arn.Split(value).Account)
}

// sessionRole is the name of the role of an assumed-role session's ARN.
func sessionRole(session string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(arn.Split(session).Resource, "assumed-role/")
	if !ok {
		return "", false
	}
	name, _, _ = strings.Cut(rest, "/")
	return name, true
}
