package repair

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// visibility is what can be told of the trails that a policy serves: those of
// the bucket are known, and others may be in accounts that cannot be read.
type visibility struct {
	trails      []trail.Trail
	environment trail.Environment
	folders     []folder // that the policy lets CloudTrail write into
}

func newVisibility(doc *policy.Document, trails []trail.Trail, env trail.Environment) visibility {
	v := visibility{trails: trails, environment: env}
	for _, st := range doc.All() {
		if st.Effect != policy.Allow || !mayServe(st) {
			continue
		}
		if st.Resources.Not {
			v.folders = append(v.folders, folder{any: true})
			continue
		}
		v.folders = append(v.folders, foldersOf(st)...)
	}
	return v
}

// mayServe reports whether a statement may be one by which CloudTrail writes.
func mayServe(st *policy.Statement) bool {
	return st.CoversAction(trail.WriteStatement.Action()) && (st.Principals.Not || slices.ContainsFunc(st.Principals.Entries, func(e policy.Principal) bool {
		return e.Value == "*" || isCloudTrail(e) || isLegacy(e)
	}))
}

// knows reports whether the account is one of the trails'.
func (v visibility) knows(account string) bool {
	return slices.ContainsFunc(v.trails, func(t trail.Trail) bool { return t.Account() == account })
}

// mayServeUnseen reports whether a grant that is bound so may serve a trail of
// an account that no trail of the bucket is in. Such a trail needs a folder to
// write to, so an account that has none is not served.
func (v visibility) mayServeUnseen(bound policy.Condition) bool {
	return slices.ContainsFunc(bound.Values, func(arn string) bool {
		account, pattern := accountOf(arn)
		if pattern && bound.Operator != "StringEquals" {
			return true
		}
		return account != "" && !v.knows(account) && v.mayWriteFor(account)
	})
}

// mayWriteFor reports whether the policy may let CloudTrail write files for
// trails of an account.
func (v visibility) mayWriteFor(account string) bool {
	return slices.ContainsFunc(v.folders, func(f folder) bool {
		o := v.environment.Organization
		switch {
		case f.organization != "" && f.organization == o.ID && o.ManagementAccount != "":
			return account == o.ManagementAccount
		case f.organization != "" && f.organization == o.ID:
			return !slices.ContainsFunc(v.trails, func(t trail.Trail) bool { return t.Organization })
		default:
			return f.any || f.organization != "" || f.account == account
		}
	})
}

// namesStranger reports whether a statement names an account or organization
// that none of the trails is in.
func (v visibility) namesStranger(g grant) bool {
	for _, c := range g.st.Conditions {
		for _, value := range c.Values {
			account, _ := accountOf(value)
			if arn.Account(value).Valid() {
				account = value
			}
			if account != "" && !v.knows(account) {
				return true
			}
		}
	}
	return slices.ContainsFunc(foldersOf(g.st), func(f folder) bool {
		return f.account != "" && !v.knows(f.account) ||
			f.organization != "" && f.organization != v.environment.Organization.ID
	})
}

// folder is whose files a resource of a policy may hold.
type folder struct {
	account      string // of twelve digits
	organization string
	any          bool // anybody's
}

// foldersOf returns whose files may lie under the listed resources of a
// statement.
func foldersOf(st *policy.Statement) []folder {
	var out []folder
	for _, r := range st.Resources.List {
		if f, ok := folderOf(r); ok {
			out = append(out, f)
		}
	}
	return out
}

// folderOf returns whose files may lie under a resource of the policy, and
// false for nobody's: no key that CloudTrail writes matches it.
func folderOf(resource string) (folder, bool) {
	bucket, key, isObject := strings.Cut(resource, "/")
	if !isObject {
		return folder{any: true}, strings.ContainsAny(bucket, "*?$")
	}
	i := strings.LastIndex(key, "AWSLogs/")
	if i < 0 {
		return folder{any: true}, strings.ContainsAny(key, "*?$")
	}
	owner, _, whole := strings.Cut(key[i+len("AWSLogs/"):], "/")
	switch {
	case whole && arn.Account(owner).Valid():
		return folder{account: owner}, true
	case whole && strings.HasPrefix(owner, "o-") && !strings.ContainsAny(owner, "*?$"):
		return folder{organization: owner}, true
	default:
		return folder{any: true}, strings.ContainsAny(key, "*?$")
	}
}

// accountOf returns the account of a trail's ARN, or "" if the text is not
// the ARN of a trail, and whether it is a pattern for several accounts.
func accountOf(source string) (account string, pattern bool) {
	a, err := arn.Parse(source)
	if err != nil {
		return "", strings.ContainsAny(source, "*?$")
	}
	if a.Account.Valid() {
		return string(a.Account), false
	}
	return "", strings.ContainsAny(string(a.Account), "*?$")
}
