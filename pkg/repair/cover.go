package repair

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// covers reports whether a statement grants all that another one does, by their
// words. It may miss that it does.
func covers(wide, narrow *policy.Statement) bool {
	for _, st := range []*policy.Statement{wide, narrow} {
		if st.Effect != policy.Allow || st.Principals.Not || st.Actions.Not || st.Resources.Not {
			return false
		}
	}
	named := !slices.ContainsFunc(narrow.Principals.Entries, func(p policy.Principal) bool {
		return !slices.Contains(wide.Principals.Entries, p)
	})
	return named && len(narrow.Principals.Entries) > 0 &&
		every(narrow.Actions.List, func(a string) bool {
			return slices.ContainsFunc(wide.Actions.List, func(w string) bool { return coversAction(w, a) })
		}) &&
		every(narrow.Resources.List, func(r string) bool {
			return slices.ContainsFunc(wide.Resources.List, func(w string) bool { return reaches(w, r) })
		}) &&
		!slices.ContainsFunc(wide.Conditions, func(w policy.Condition) bool {
			return !slices.ContainsFunc(narrow.Conditions, func(n policy.Condition) bool { return implies(n, w) })
		})
}

// coversAction reports whether an action pattern matches all that another one
// does.
func coversAction(wide, narrow string) bool {
	wide, narrow = glob.LowerASCII(wide), glob.LowerASCII(narrow)
	return wide == narrow || !strings.Contains(wide, "?") && glob.Parse(wide).Match(glob.TextOf(narrow))
}

// reaches reports whether a resource takes in all that another one does, where
// it is the same or ends in its only wildcard.
func reaches(wide, narrow string) bool {
	return wide == narrow || strings.Count(wide, "*") == 1 && !strings.ContainsAny(wide, "?$") && within(narrow, wide)
}

// implies reports whether a condition holds wherever another one does.
func implies(narrow, wide policy.Condition) bool {
	switch {
	case strings.EqualFold(narrow.Key, wide.Key) && strings.EqualFold(narrow.Operator, wide.Operator):
		has := func(v string) bool { return slices.Contains(wide.Values, v) }
		if listsValues(wide.Operator) {
			return every(narrow.Values, has)
		}
		return every(narrow.Values, has) && len(narrow.Values) == len(wide.Values)
	case strings.EqualFold(narrow.Key, sourceARN) && strings.EqualFold(wide.Key, sourceAccount) && listsValues(wide.Operator):
		// CloudTrail acts for the account in the trail's ARN.
		source, ok := sourceOf(narrow)
		return ok && every(source.accounts, func(id string) bool { return slices.Contains(wide.Values, id) })
	}
	return false
}

// listsValues reports whether a condition with the operator holds for the values
// that it lists, so that one value more lets more through.
func listsValues(operator string) bool {
	switch strings.ToLower(operator) {
	case "stringequals", "stringlike", "arnequals", "arnlike":
		return true
	}
	return false
}
