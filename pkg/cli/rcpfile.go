package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// rcpFlag is the flag of the resource control policies that are in effect for the bucket.
type rcpFlag struct {
	RCP []string `name:"rcp" placeholder:"FILE" help:"A resource control policy that is in effect for the bucket's account, bare or as \"aws organizations describe-policy\" prints it; repeat it for all of them. Default: not known."`
}

const (
	expectRCP = `a resource control policy, or the output of "aws organizations describe-policy"`
	typeRCP   = "RESOURCE_CONTROL_POLICY"
)

// loadRCPs reads the policies. They are those of the bucket's owner.
func (f *rcpFlag) loadRCPs(sys *system, owner string, trails []trail.Trail) ([]delivery.RCPs, error) {
	if len(f.RCP) == 0 {
		return nil, nil
	}
	out := delivery.RCPs{Account: owner}
	for _, path := range f.RCP {
		p, err := sys.readRCP(path)
		if err != nil {
			return nil, err
		}
		out.Policies = append(out.Policies, p)
	}
	if slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.Organization && t.Account() == owner }) {
		printf(sys.stderr, "trailwarden: warning: --rcp has no effect: %s is the management account of the organization, "+
			"of whose resources no resource control policy speaks\n", owner)
	}
	return []delivery.RCPs{out}, nil
}

// readRCP reads a resource control policy in any of the forms that the AWS CLI prints: all of
// it, with --query Policy, with --query Policy.Content, or the policy itself. A bare one is
// called by the name of its file.
func (sys *system) readRCP(path string) (policy.RCP, error) {
	s, err := sys.read(path, maxPolicyFile, expectRCP)
	if err != nil {
		return policy.RCP{}, err
	}
	type described struct {
		Content       string
		PolicySummary struct{ ID, Name, Type string }
	}
	var form struct {
		described

		Policy    described
		Statement json.RawMessage
	}
	text, name := string(s.text), strings.TrimSuffix(filepath.Base(s.name), ".json")
	switch found := &form.Policy; {
	case json.Unmarshal(s.text, &text) == nil:
	case json.Unmarshal(s.text, &form) != nil || form.Statement != nil:
		form.described = described{}
	default:
		if found.Content == "" {
			found = &form.described
		}
		if found.Content == "" {
			return policy.RCP{}, s.errorf("no Content in it; expected %s", expectRCP)
		}
		if of := found.PolicySummary.Type; of != "" && of != typeRCP {
			return policy.RCP{}, s.errorf("a policy of type %s; expected %s", of, expectRCP)
		}
		text, form.described = found.Content, *found
		name = found.PolicySummary.Name
	}
	p, err := policy.ParseRCP(form.PolicySummary.ID, name, []byte(text))
	if err != nil {
		return policy.RCP{}, s.errorf("%w; expected %s", err, expectRCP)
	}
	if faults := p.Faults(); len(faults) > 0 {
		return policy.RCP{}, s.errorf("%s; expected %s", faults[0], expectRCP)
	}
	return p, nil
}
