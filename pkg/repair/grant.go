package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// grant is a statement that a plan may change.
type grant struct {
	text []byte
	st   *policy.Statement
}

func grantAt(doc *policy.Document, index int) grant {
	return grant{text: doc.StatementText(index), st: doc.At(index)}
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

// isList reports whether the statement is an Allow that lists what it grants
// and to whom, without a Not element.
func (g grant) isList() bool {
	return g.st.Effect == policy.Allow && !g.st.Principals.Not && !g.st.Actions.Not && !g.st.Resources.Not
}

// forCloudTrail reports whether the statement grants by a list to CloudTrail's
// service principal and to nobody else.
func (g grant) forCloudTrail() bool {
	return g.isList() && len(g.st.Principals.Entries) > 0 &&
		!slices.ContainsFunc(g.st.Principals.Entries, func(e policy.Principal) bool { return !isCloudTrail(e) })
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

// lists reports whether the grant lists the action.
func (g grant) lists(action string) bool {
	return slices.ContainsFunc(g.st.Actions.List, func(a string) bool { return strings.EqualFold(a, action) })
}

// reaches reports whether the grant lists a resource that takes in another.
func (g grant) reaches(resource string) bool {
	return slices.ContainsFunc(g.st.Resources.List, func(have string) bool { return reaches(have, resource) })
}

// noSuchRequest reports whether there is no request of the action for anything
// that the resource names: a bucket's ACL is not asked of an object.
func noSuchRequest(action, resource string) bool {
	bucket, _, isObject := strings.Cut(resource, "/")
	if strings.EqualFold(action, trail.ACLStatement.Action()) {
		return isObject && !strings.ContainsAny(bucket, "*?$")
	}
	return strings.EqualFold(action, trail.WriteStatement.Action()) && !isObject && !strings.ContainsAny(bucket, "*?$")
}

// The condition keys that bind a grant to trails, and to their accounts.
const (
	sourceARN     = "aws:SourceArn"
	sourceAccount = "aws:SourceAccount"
)

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

// accountCondition returns the condition that lists accounts of trails, if
// there is one beside the list of trails.
func (g grant) accountCondition() (policy.Condition, bool) {
	i := slices.IndexFunc(g.st.Conditions, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, "aws:SourceAccount")
	})
	if i < 0 {
		return policy.Condition{}, false
	}
	return g.st.Conditions[i], true
}

// asksACL reports whether the grant holds only for files that the bucket's
// owner is given full control of.
func (g grant) asksACL() bool {
	return slices.ContainsFunc(g.st.Conditions, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, "s3:x-amz-acl") &&
			slices.Equal(c.Values, []string{"bucket-owner-full-control"})
	})
}

// isBound reports whether a condition says for whom CloudTrail must be at work:
// for a trail, an account or an organization.
func (g grant) isBound() bool {
	return slices.ContainsFunc(g.st.Conditions, func(c policy.Condition) bool {
		key := strings.ToLower(c.Key)
		return !strings.Contains(c.Operator, "Not") && c.Operator != "Null" &&
			(key == strings.ToLower(sourceARN) || key == "aws:sourceaccount" || key == "aws:sourceorgid" || key == "aws:sourceorgpaths")
	})
}
