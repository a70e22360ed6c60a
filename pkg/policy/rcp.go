package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// RCP is a resource control policy of AWS Organizations. It says what nobody may do with the
// resources of the accounts that it is attached to, and grants nothing. It names actions of
// several services, so that it is read in the dialect of the request: [Dialect.Under].
//
// Sources: "RCP syntax", orgs_manage_policies_rcps_syntax.html, and "Resource control policies
// (RCPs)", orgs_manage_policies_rcps.html, in the user guide of AWS Organizations, read in 2026.
type RCP struct {
	ID   string // "p-examplercp1"; empty: not known
	Name string // by which people know it, or empty

	document *Document
}

// maxRCPSize is the limit of AWS Organizations on a resource control policy, in characters.
// The console saves it without white space. Source: orgs_reference_limits.html.
const maxRCPSize = 5120

// labelOfRCP begins the label of a statement of a resource control policy. No Sid begins so,
// so that nobody looks for the statement in the policy of the bucket.
const labelOfRCP = "rcp:"

// ParseRCP reads the text of a resource control policy. It fails where the text is not one JSON
// object with a list of statements, with an error that wraps [ErrSyntax]. What AWS
// Organizations would refuse besides is left to [RCP.Faults].
func ParseRCP(id, name string, text []byte) (RCP, error) {
	d, err := S3().Parse(text)
	switch {
	case err != nil:
		return RCP{}, err
	case d.malformed || d.list == nil:
		return RCP{}, fmt.Errorf("read policy: %w with one Version and one list of statements", ErrSyntax)
	}
	return RCP{ID: id, Name: name, document: d}, nil
}

// Text returns the policy's text as it was read.
func (p RCP) Text() []byte { return p.document.Text() }

// String is what people call the policy, with its id.
func (p RCP) String() string {
	switch {
	case p.Name == "":
		return cmp.Or(p.ID, "without a name")
	case p.ID == "":
		return p.Name
	}
	return p.Name + " (" + p.ID + ")"
}

// Denies reports whether a statement of the policy may match an action of one of the services,
// by their prefixes ("s3"). The rest says nothing to them.
func (p RCP) Denies(services ...string) bool {
	for i := range p.document.statements {
		s := &p.document.statements[i]
		if s.effect == Allow {
			continue
		}
		if s.action.not || s.action.malformed {
			return true
		}
		for _, action := range s.action.patterns {
			for _, service := range services {
				if action.Continues(service + ":") {
					return true
				}
			}
		}
	}
	return false
}

// Faults returns what AWS Organizations would refuse about the policy, in words, the first of
// each statement.
func (p RCP) Faults() []string {
	d := p.document
	var out []string
	if n := utf8.RuneCount(jsontext.Compact(d.text)); n > maxRCPSize {
		out = append(out, fmt.Sprintf("it has %d characters without white space; AWS Organizations takes %d", n, maxRCPSize))
	}
	if !d.variables {
		out = append(out, `its Version is not "`+currentVersion+`"`)
	}
	for i := range d.statements {
		s := &d.statements[i]
		if fault := faultOfRCP(s); fault != "" {
			out = append(out, "statement "+s.src.label+" "+fault)
		}
	}
	return out
}

// faultOfRCP says what AWS Organizations would refuse about a statement; empty: nothing.
func faultOfRCP(s *compiledStatement) string {
	anyone := len(s.principal.entries) == 1 && s.principal.entries[0].Value == "*" && !s.principal.malformed
	has := func(name string) bool {
		_, count := s.node.Member(name)
		return count > 0
	}
	switch {
	case !has("Principal") && !has("NotPrincipal"):
		return "has no Principal, as in a service control policy"
	case s.effect == Allow && !s.allowsAll():
		return "allows, which only RCPFullAWSAccess does; a resource control policy denies"
	case s.effect == "":
		return "has no Effect that is Deny"
	case has("NotPrincipal"), has("NotAction"):
		return "has NotPrincipal or NotAction, which resource control policies do not know"
	case !anyone:
		return `has another Principal than "*"`
	case !has("Action"):
		return "has no Action"
	case !has("Resource") && !has("NotResource"):
		return "has no Resource"
	case s.malformed, s.malformedCondition, s.action.malformed, s.resource.malformed:
		return "cannot be read"
	}
	return ""
}

// allowsAll reports whether an Allow is that of RCPFullAWSAccess, which AWS attaches everywhere
// and nobody can detach.
func (s *compiledStatement) allowsAll() bool {
	return len(s.conditions) == 0 && !s.action.not && !s.resource.not && len(s.src.Actions.List) == 1 && s.src.Actions.List[0] == "*" &&
		len(s.src.Resources.List) == 1 && s.src.Resources.List[0] == "*"
}

// Under returns resource control policies as one document of the dialect. It allows all that
// they let through: RCPFullAWSAccess stands first, for all Allows. So a request has to be allowed
// by it and by the policy of the resource.
//
// The statements have the labels "rcp:ID/Sid", with the policy's name where its id is not known.
func (d Dialect) Under(policies []RCP) (*Document, error) {
	texts := [][]byte{[]byte(`{"Sid":"RCPFullAWSAccess","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)}
	labels := []string{labelOfRCP + "RCPFullAWSAccess"}
	for _, p := range policies {
		for i := range p.document.statements {
			s := &p.document.statements[i]
			if s.effect == Allow {
				continue
			}
			texts = append(texts, p.document.StatementText(i))
			labels = append(labels, labelOfRCP+cmp.Or(p.ID, p.Name, "-")+"/"+s.src.label)
		}
	}
	out, err := d.Parse(fmt.Appendf(nil, `{"Version":%q,"Statement":[%s]}`, currentVersion, bytes.Join(texts, []byte(","))))
	if err != nil {
		return nil, err // does not happen: the statements were parsed before
	}
	for i := range out.statements {
		out.statements[i].src.label = labels[i]
	}
	return out, nil
}
