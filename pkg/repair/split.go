package repair

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// bindable says why the statement cannot be bound, if it cannot.
func (g grant) bindable() error {
	if !g.isList() {
		return errors.New("it says by a Not element what it grants")
	}
	legacy := false
	for _, e := range g.st.Principals.Entries {
		legacy = legacy || isLegacy(e)
		if e.Value == "*" {
			return errors.New(`it grants to everybody (Principal "*"), and who relies on that cannot be seen; ` +
				"name who may, CloudTrail in a statement of its own")
		}
	}
	switch {
	case legacy && g.isBound():
		return errors.New("it holds a condition that was not written for CloudTrail's service principal")
	case !legacy && !slices.ContainsFunc(g.st.Principals.Entries, isCloudTrail):
		return errors.New("it does not name CloudTrail by its service principal")
	}
	return nil
}

// split returns CloudTrail's part of the statement, bound, and the rest for the
// other principals, nil if there are none. But for Principal, Sid and the new
// condition both are as they were, byte for byte.
func (g grant) split(b binding, taken map[string]bool) (own, rest []byte, err error) {
	others := map[policy.PrincipalType][]string{}
	legacy, shared := false, false
	for _, e := range g.st.Principals.Entries {
		switch {
		case isLegacy(e):
			legacy = true
		case !isCloudTrail(e):
			shared = true
			others[e.Type] = append(others[e.Type], e.Value)
		}
	}
	own = g.text
	set := func(values []string, path ...string) {
		if err == nil {
			own, err = policy.SetMember(own, values, path...)
		}
	}
	if shared || legacy {
		for _, kind := range []policy.PrincipalType{policy.AWS, policy.Federated, policy.CanonicalUser} {
			if err == nil {
				own, err = policy.DeleteMember(own, "Principal", string(kind))
			}
		}
		set([]string{trail.ServicePrincipal}, "Principal", "Service")
	}
	if shared && g.st.Sid != "" {
		set([]string{freeSid(g.st.Sid+"CloudTrail", taken)}, "Sid")
	}
	if g.tests(b.key) {
		return nil, nil, fmt.Errorf("it has a condition on %s already, which fits any account", b.key)
	}
	set(b.values, "Condition", "StringEquals", b.key)
	if err != nil {
		return nil, nil, fmt.Errorf("bind the grant: %w", err)
	}
	if !shared {
		return own, nil, nil
	}
	rest, err = g.without(others, legacy)
	return own, rest, err
}

// without returns the statement for the other principals alone.
func (g grant) without(others map[policy.PrincipalType][]string, legacy bool) ([]byte, error) {
	rest := g.text
	kinds := []policy.PrincipalType{policy.Service}
	if legacy {
		kinds = append(kinds, policy.AWS)
	}
	for _, kind := range kinds {
		var err error
		if left := others[kind]; len(left) > 0 {
			rest, err = policy.SetMember(rest, left, "Principal", string(kind))
		} else {
			rest, err = policy.DeleteMember(rest, "Principal", string(kind))
		}
		if err != nil {
			return nil, fmt.Errorf("take CloudTrail out of the statement: %w", err)
		}
	}
	return rest, nil
}

// tests reports whether the statement has the condition under StringEquals that
// a binding by the key adds.
func (g grant) tests(key string) bool {
	return slices.ContainsFunc(g.st.Conditions, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, key)
	})
}

// newPrincipal says that CloudTrail's accounts of old policies give way to the
// service, if the statement names some.
func (g grant) newPrincipal() string {
	if !slices.ContainsFunc(g.st.Principals.Entries, isLegacy) {
		return ""
	}
	return ", and names CloudTrail by its service principal instead of its accounts of old policies, which serve few regions"
}

// freeSid returns the Sid, with a number if it is taken, and takes it.
func freeSid(base string, taken map[string]bool) string {
	sid := base
	for n := 2; taken[sid]; n++ {
		sid = base + siblingMark + strconv.Itoa(n)
	}
	taken[sid] = true
	return sid
}

// grantsAll says what a statement with accounts of old policies grants beyond
// what AWS documents for those that it is bound to, once its principal is the
// service.
func (d *documented) grantsAll(g grant, b binding) error {
	if !slices.ContainsFunc(g.st.Principals.Entries, isLegacy) {
		return nil
	}
	documented := func(action, resource string) bool {
		if b.key != sourceARN {
			return d.isFolderOf(action, resource)
		}
		return !slices.ContainsFunc(b.trails, func(t trail.Trail) bool { return !d.grants(action, t.ARN, resource) })
	}
	for _, action := range g.st.Actions.List {
		for _, resource := range g.st.Resources.List {
			if !noSuchRequest(action, resource) && !documented(action, resource) {
				return fmt.Errorf("for the service principal, %s on %s is more than AWS documents", action, resource)
			}
		}
	}
	return nil
}

// isFolderOf reports whether AWS documents a grant of the action on the resource
// for some account or organization: a write into its folder, and a look at the
// bucket's ACL.
func (d *documented) isFolderOf(action, resource string) bool {
	bucket, key, isObject := strings.Cut(resource, "/")
	switch {
	case strings.EqualFold(action, trail.ACLStatement.Action()):
		return !isObject && !strings.ContainsAny(bucket, "*?$")
	case strings.EqualFold(action, trail.WriteStatement.Action()):
		f, ok := folderOf(resource)
		folder, whole := strings.CutSuffix(key, "/*")
		return ok && !f.any && whole && !strings.ContainsAny(bucket+folder, "*?$") &&
			strings.HasSuffix(folder, "AWSLogs/"+f.account+f.organization)
	}
	return false
}
