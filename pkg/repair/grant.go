package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// grant is a statement of the policy that a plan may widen.
type grant struct {
	index   int // in the policy as it is
	text    []byte
	st      *policy.Statement
	reasons []string // why it was changed; empty: it was not
	action  string   // "mend", once it was changed
}

// readGrant reads the text of one statement.
func readGrant(index int, text []byte) (grant, error) {
	doc, err := alone(text)
	if err != nil {
		return grant{}, err
	}
	return grant{index: index, text: text, st: doc.At(0)}, nil
}

// alone returns a policy that holds one statement only.
func alone(text []byte) (*policy.Document, error) {
	wrapped := slices.Concat([]byte(`{"Version":"2012-10-17","Statement":[`), text, []byte(`]}`))
	doc, err := policy.Parse(wrapped)
	if err != nil {
		return nil, fmt.Errorf("read a statement: %w", err)
	}
	if doc.Len() != 1 {
		return nil, fmt.Errorf("read a statement: got %d", doc.Len())
	}
	return doc, nil
}

// forCloudTrail reports whether a statement allows something to CloudTrail's
// service principal and to nobody else, and says what by listing it.
func forCloudTrail(st *policy.Statement) bool {
	return lists(st) && len(st.Principals.Entries) > 0 &&
		!slices.ContainsFunc(st.Principals.Entries, func(e policy.Principal) bool { return !isCloudTrail(e) })
}

// lists reports whether a statement is an Allow without a Not element.
func lists(st *policy.Statement) bool {
	return st.Effect == policy.Allow && !st.Principals.Not && !st.Actions.Not && !st.Resources.Not
}

func isCloudTrail(p policy.Principal) bool {
	return p.Type == policy.Service && p.Value == trail.ServicePrincipal
}

// isLegacy reports whether a principal is CloudTrail's account of old policies
// for some region.
func isLegacy(p policy.Principal) bool {
	_, ok := trail.LegacyRegion(p.Value)
	return ok && p.Type == policy.AWS
}

// sourceARN is the condition key that binds a grant to trails.
const sourceARN = "aws:SourceArn"

// binding returns the condition that binds the grant to trails. There is none
// if no condition, or more than one, tests the trail's ARN, or one that does
// not list what it lets through.
func (g grant) binding() (policy.Condition, bool) {
	var found []policy.Condition
	for _, c := range g.st.Conditions {
		if strings.EqualFold(c.Key, sourceARN) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return policy.Condition{}, false
	}
	switch found[0].Operator {
	case "StringEquals", "StringLike", "ArnEquals", "ArnLike":
		return found[0], true
	default:
		return policy.Condition{}, false
	}
}

// asksACL reports whether the grant holds only for files that the bucket's
// owner is given full control of.
func (g grant) asksACL() bool {
	return slices.ContainsFunc(g.st.Conditions, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, "s3:x-amz-acl") &&
			slices.Equal(c.Values, []string{"bucket-owner-full-control"})
	})
}

// does reports whether the grant lists the action.
func (g grant) does(action string) bool {
	return slices.ContainsFunc(g.st.Actions.List, func(a string) bool { return strings.EqualFold(a, action) })
}

// reaches reports whether the grant lists a resource that takes in another.
func (g grant) reaches(resource string) bool {
	return slices.ContainsFunc(g.st.Resources.List, func(have string) bool {
		return have == resource || strings.Count(have, "*") == 1 && !strings.ContainsAny(have, "?$") && within(resource, have)
	})
}

// with returns the grant with a member of its statement set.
func (g grant) with(values []string, path ...string) (grant, error) {
	text, err := policy.SetMember(g.text, values, path...)
	if err != nil {
		return grant{}, fmt.Errorf("set %s: %w", strings.Join(path, " "), err)
	}
	return g.rewritten(text)
}

// rewritten returns the grant with another text.
func (g grant) rewritten(text []byte) (grant, error) {
	out, err := readGrant(g.index, text)
	if err != nil {
		return grant{}, err
	}
	out.reasons, out.action = slices.Clone(g.reasons), g.action
	return out, nil
}

// folder is whose files a resource of a policy may hold.
type folder struct {
	account      string // of twelve digits
	organization string
	any          bool // anybody's
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
	case whole && isAccount(owner):
		return folder{account: owner}, true
	case whole && strings.HasPrefix(owner, "o-") && !strings.ContainsAny(owner, "*?$"):
		return folder{organization: owner}, true
	default:
		return folder{any: true}, strings.ContainsAny(key, "*?$")
	}
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// accountOf returns the account of a trail's ARN, or "" if the text is not
// the ARN of a trail, and whether it is a pattern for several accounts.
func accountOf(arn string) (account string, pattern bool) {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[0] != "arn" {
		return "", strings.ContainsAny(arn, "*?$")
	}
	if isAccount(fields[4]) {
		return fields[4], false
	}
	return "", strings.ContainsAny(fields[4], "*?$")
}
