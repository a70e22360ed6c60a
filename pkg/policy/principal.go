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
	if result == Yes && c.Type == AWS && !p.listsAccount(c) {
		return Maybe, assumed | assumeNotPrincipal
	}
	return result.not(), assumed
}

// listsAccount reports whether the account of an AWS caller, or everybody, is
// among the entries.
func (p *principalMatcher) listsAccount(c *Caller) bool {
	account := accountOf(c.Value)
	for _, entry := range p.entries {
		if entry.Value == "*" || entry.Type == AWS && isAccount(entry.Value) && accountOf(entry.Value) == account {
			return true
		}
	}
	return false
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
	if account == "" {
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

// samePrincipal reports whether two principals name the same. An account may be named
// by its number or by the ARN of its root.
func samePrincipal(a, b Principal) bool {
	if a.Type != b.Type {
		return false
	}
	return a.Value == b.Value ||
		a.Type == AWS && isAccount(a.Value) && isAccount(b.Value) && accountOf(a.Value) == accountOf(b.Value)
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
