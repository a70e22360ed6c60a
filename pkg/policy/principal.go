package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
)

// principal says whether the Principal or NotPrincipal element of a statement
// covers the caller.
func (ev *evaluator) principal(s *compiled) (Truth, notes) {
	result, used := No, notes(0)
	for _, entry := range s.Principals.Entries {
		t, n := ev.request.Caller.is(entry)
		used |= n
		result = max(result, t)
	}
	if s.principal.doubt {
		result = max(result, Maybe)
		if s.Principals.Not {
			return Maybe, used
		}
	}
	if !s.Principals.Not {
		return result, used
	}
	if s.effect == allowEffect {
		// Allow with NotPrincipal is not supported: it may mean anything.
		return min(result.not(), Maybe), used
	}
	if result == Yes && ev.request.Caller.Type == AWS && !ev.accountListed(s) {
		return Maybe, used | noteNotPrincipal
	}
	return result.not(), used
}

// accountListed reports whether the account of an AWS caller, or everybody, is
// among the entries.
func (ev *evaluator) accountListed(s *compiled) bool {
	account := accountOf(ev.request.Caller.Value)
	for _, entry := range s.Principals.Entries {
		if entry.Value == "*" || entry.Type == AWS && isAccount(entry.Value) && accountOf(entry.Value) == account {
			return true
		}
	}
	return false
}

// is says whether an entry of a Principal element means the caller.
func (c *Caller) is(entry Principal) (Truth, notes) {
	result, used := c.own(entry)
	for _, p := range c.Aliases {
		if result != Yes && same(p, entry) {
			return Yes, used
		}
	}
	for _, p := range c.PossiblePrincipals {
		if result == No && same(p, entry) {
			result, used = Maybe, used|notePerhaps
		}
	}
	return result, used
}

// own says whether an entry means the caller by the caller's own name. See
// "AWS JSON policy elements: Principal".
func (c *Caller) own(entry Principal) (Truth, notes) {
	switch {
	case entry.Type == Anyone:
		return Yes, 0
	case entry.Type == AWS && entry.Value == "*":
		if c.Type == Service {
			return Yes, noteAWSStar
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
func serviceIs(caller, entry string) (Truth, notes) {
	const domain = ".amazonaws.com"
	switch {
	case caller == entry:
		return Yes, 0
	case entry == "*":
		return Maybe, 0 // S3 refuses it
	case strings.EqualFold(caller, entry):
		return Maybe, noteServiceCase
	}
	name, ok := strings.CutSuffix(glob.LowerASCII(caller), domain)
	if !ok {
		return No, 0
	}
	rest, ok := strings.CutPrefix(glob.LowerASCII(entry), name+".")
	if ok && strings.HasSuffix(rest, domain) && strings.Count(rest, ".") == 2 {
		return Maybe, noteRegionalService
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

// same reports whether two principals name the same. An account may be named
// by its number or by the ARN of its root.
func same(a, b Principal) bool {
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
