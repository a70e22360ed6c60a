package repair

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// visibility is what can be told of the trails that a policy serves: those of
// the bucket are known, and others may be in accounts that cannot be read.
type visibility struct {
	trails  []trail.Trail
	setting trail.Environment
	folders []folder // that the policy lets CloudTrail write into
}

func newVisibility(doc *policy.Document, trails []trail.Trail, s trail.Environment) visibility {
	v := visibility{trails: trails, setting: s}
	for _, st := range doc.All() {
		if st.Effect != policy.Allow || !mayServe(st) {
			continue
		}
		if st.Resources.Not {
			v.folders = append(v.folders, folder{any: true})
			continue
		}
		for _, r := range st.Resources.List {
			if f, ok := folderOf(r); ok {
				v.folders = append(v.folders, f)
			}
		}
	}
	return v
}

// mayServe reports whether a statement may be one by which CloudTrail writes.
func mayServe(st *policy.Statement) bool {
	writes := st.Actions.Not || slices.ContainsFunc(st.Actions.List, func(a string) bool {
		a = strings.ToLower(a)
		literal, _, pattern := strings.Cut(strings.ReplaceAll(a, "?", "*"), "*")
		put := strings.ToLower(trail.WriteStatement.Action())
		return a == put || pattern && strings.HasPrefix(put, literal)
	})
	return writes && (st.Principals.Not || slices.ContainsFunc(st.Principals.Entries, func(e policy.Principal) bool {
		return e.Value == "*" || isCloudTrail(e) || isLegacy(e)
	}))
}

// owns reports whether the account is one of the trails'.
func (v visibility) owns(account string) bool {
	return slices.ContainsFunc(v.trails, func(t trail.Trail) bool { return t.Account() == account })
}

// unseen reports whether a grant that is bound so may serve a trail of an
// account that no trail of the bucket is in. Such a trail needs a folder to
// write to, so an account that has none is not served.
func (v visibility) unseen(bound policy.Condition) bool {
	return slices.ContainsFunc(bound.Values, func(arn string) bool {
		account, pattern := accountOf(arn)
		if pattern && bound.Operator != "StringEquals" {
			return true
		}
		return account != "" && !v.owns(account) && v.writes(account)
	})
}

// writes reports whether the policy may let CloudTrail write files for trails
// of an account.
func (v visibility) writes(account string) bool {
	return slices.ContainsFunc(v.folders, func(f folder) bool {
		o := v.setting.Organization
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

// stranger reports whether a statement names an account or organization that
// none of the trails is in.
func (v visibility) stranger(g grant) bool {
	for _, c := range g.st.Conditions {
		for _, value := range c.Values {
			account, _ := accountOf(value)
			if isAccount(value) {
				account = value
			}
			if account != "" && !v.owns(account) {
				return true
			}
		}
	}
	return slices.ContainsFunc(g.st.Resources.List, func(r string) bool {
		f, ok := folderOf(r)
		return ok && (f.account != "" && !v.owns(f.account) ||
			f.organization != "" && f.organization != v.setting.Organization.ID)
	})
}

// complete reports whether every trail that writes into the folder is known.
//
// The trails that are given of an account are taken to be all of them, save
// where there is an organization trail only: member accounts see that one and
// not the others of its owner.
func (v visibility) complete(f folder) bool {
	switch {
	case f.any:
		return false
	case f.organization != "":
		return f.organization == v.setting.Organization.ID &&
			slices.ContainsFunc(v.trails, func(t trail.Trail) bool { return t.Organization })
	default:
		return slices.ContainsFunc(v.trails, func(t trail.Trail) bool {
			return t.Account() == f.account && (!t.Organization || f.account == v.setting.BucketOwner)
		})
	}
}
