package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// StatementKind says which of the statements that AWS documents one is.
type StatementKind uint8

// The kinds, in AWS's order.
const (
	// ACLStatement lets CloudTrail read the bucket's ACL.
	ACLStatement StatementKind = iota
	// WriteStatement lets it write the files of the trail's account.
	WriteStatement
	// OrganizationStatement lets it write the files of the organization.
	OrganizationStatement
)

// Action returns the one action that AWS documents for the kind.
func (k StatementKind) Action() string {
	if k == ACLStatement {
		return "s3:GetBucketAcl"
	}
	return "s3:PutObject"
}

// Sids returns the Sids that AWS documents for the kind: first the one for the
// trails of one account, then the one for those of several, if it has one.
func (k StatementKind) Sids() []string {
	switch k {
	case ACLStatement:
		return []string{"AWSCloudTrailAclCheck20150319", "AWSCloudTrailAclCheck20131101"}
	case WriteStatement:
		return []string{"AWSCloudTrailWrite20150319", "AWSCloudTrailWrite20131101"}
	default:
		return []string{"AWSCloudTrailOrganizationWrite20150319"}
	}
}

// ErrNoOrganization is the error of [Documented] where the id of the
// organization is needed and not known.
var ErrNoOrganization = errors.New("the organization id of an organization trail is not known")

// MaxSourceARNs is how many trails a documented statement lists by their ARNs.
// More are listed by their accounts: a policy has 20 KB, and the ARNs of a
// hundred trails would take most of them.
const MaxSourceARNs = 25

// Statement is a statement that AWS documents for trails: an Allow of one
// action to [ServicePrincipal], for the files that it names and for its trails
// alone. The conditions are all StringEquals.
type Statement struct {
	Kind   StatementKind
	Sid    string
	Action string
	// Resources are ARNs. Each is a literal or ends in its only "*".
	Resources []string
	// ACL is what s3:x-amz-acl has to be, empty: there is no such condition.
	ACL string
	// SourceARNs are what aws:SourceArn may be: the ARNs of the trails. There are
	// none if they are more than [MaxSourceARNs].
	SourceARNs []string
	// SourceAccounts are what aws:SourceAccount may be, if there are no
	// SourceARNs: the accounts of the trails.
	SourceAccounts []string
	// principalListed is whether the principal is written as a list, as AWS
	// does in its policy for organization trails, and not as a string.
	principalListed bool
}

// Text returns the statement as indented JSON.
func (st Statement) Text() []byte { return encode(st.members()) }

// statementMembers are the members of a statement in the order of AWS's
// examples.
type statementMembers struct {
	Sid       string
	Effect    string
	Principal struct{ Service any }
	Action    string
	Resource  any
	Condition struct {
		StringEquals struct {
			ACL           string `json:"s3:x-amz-acl,omitempty"`
			SourceARN     any    `json:"aws:SourceArn,omitempty"`
			SourceAccount any    `json:"aws:SourceAccount,omitempty"`
		}
	}
}

func (st Statement) members() statementMembers {
	m := statementMembers{Sid: st.Sid, Effect: "Allow", Action: st.Action, Resource: oneOrList(st.Resources)}
	m.Principal.Service = ServicePrincipal
	if st.principalListed {
		m.Principal.Service = []string{ServicePrincipal}
	}
	m.Condition.StringEquals.ACL = st.ACL
	if len(st.SourceAccounts) > 0 {
		m.Condition.StringEquals.SourceAccount = oneOrList(st.SourceAccounts)
	} else {
		m.Condition.StringEquals.SourceARN = oneOrList(st.SourceARNs)
	}
	return m
}

// Serves reports whether the statement is for a trail, by its ARN.
func (st Statement) Serves(arn string) bool {
	return slices.Contains(st.SourceARNs, arn) || slices.Contains(st.SourceAccounts, Trail{ARN: arn}.Account())
}

// oneOrList is a string if there is one value and else a list.
func oneOrList(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

// Documented returns the statements that AWS documents for trails that share
// the bucket, in the order of their kinds. Trails share statements as AWS
// documents it for several accounts. A trail's prefix of which it is not sure
// how CloudTrail joins it is granted in every way.
//
// The statements are what package repair adds to a policy, so their text is
// part of the contract: [Requirements] is allowed by them in full. It fails if
// one policy cannot serve all of the trails, and with [ErrNoOrganization].
// Source: create-s3-bucket-policy-for-cloudtrail.html and
// cloudtrail-set-bucket-policy-for-multiple-accounts.html.
func Documented(trails []Trail, s Environment) ([]Statement, error) {
	if err := shareBucket(trails, s); err != nil {
		return nil, err
	}
	acl, write := newStatement(ACLStatement, trails), newStatement(WriteStatement, trails)
	members := newStatement(OrganizationStatement, trails)
	for _, t := range trails {
		l := layout{trail: t, env: s}
		acl.grant(t, []string{l.bucketARN()})
		write.grant(t, l.granted(t.Account()))
		if t.Organization {
			if s.Organization.ID == "" {
				return nil, fmt.Errorf("trail %s: %w", t.ARN, ErrNoOrganization)
			}
			members.grant(t, l.granted(s.Organization.ID))
		}
	}
	out := []Statement{acl, write}
	if len(members.Resources) > 0 {
		out = append(out, members)
	}
	for i := range out {
		out[i].bindMany()
	}
	return out, nil
}

// bindMany lists the accounts in place of the trails, if these are many.
func (st *Statement) bindMany() {
	if len(st.SourceARNs) <= MaxSourceARNs {
		return
	}
	for _, arn := range st.SourceARNs {
		if a := (Trail{ARN: arn}).Account(); !slices.Contains(st.SourceAccounts, a) {
			st.SourceAccounts = append(st.SourceAccounts, a)
		}
	}
	st.SourceARNs = nil
}

// DocumentedPolicy returns the statements of Documented as a whole policy,
// indented.
func DocumentedPolicy(trails []Trail, s Environment) ([]byte, error) {
	statements, err := Documented(trails, s)
	if err != nil {
		return nil, err
	}
	p := struct {
		Version   string
		Statement []statementMembers
	}{Version: "2012-10-17"}
	for _, st := range statements {
		p.Statement = append(p.Statement, st.members())
	}
	return encode(p), nil
}

// newStatement returns a statement of the kind that grants nothing yet.
func newStatement(k StatementKind, trails []Trail) Statement {
	st := Statement{Kind: k, Sid: k.Sids()[0], Action: k.Action()}
	if sids := k.Sids(); severalAccounts(trails) {
		st.Sid = sids[len(sids)-1]
	}
	if k != ACLStatement {
		st.ACL = "bucket-owner-full-control"
	}
	st.principalListed = slices.ContainsFunc(trails, func(t Trail) bool { return t.Organization })
	return st
}

// grant adds what a trail needs to the statement.
func (st *Statement) grant(t Trail, resources []string) {
	for _, r := range resources {
		if !slices.Contains(st.Resources, r) {
			st.Resources = append(st.Resources, r)
		}
	}
	if !slices.Contains(st.SourceARNs, t.ARN) {
		st.SourceARNs = append(st.SourceARNs, t.ARN)
	}
}

// granted are the Resource patterns for everything below a folder of AWSLogs.
func (l layout) granted(folder string) []string {
	// What a pattern would take for its own is written as its variable.
	literal := strings.NewReplacer("*", "${*}", "?", "${?}", "${", "${$}{")
	var out []string
	for _, p := range l.prefixes() {
		out = append(out, l.bucketARN()+"/"+literal.Replace(p)+"AWSLogs/"+folder+"/*")
	}
	return out
}

func severalAccounts(trails []Trail) bool {
	return slices.ContainsFunc(trails, func(t Trail) bool { return t.Account() != trails[0].Account() })
}

// shareBucket checks that one policy can serve all of the trails.
func shareBucket(trails []Trail, s Environment) error {
	if len(trails) == 0 {
		return errors.New("no trails")
	}
	bucket := s.Bucket
	if bucket == "" {
		bucket = trails[0].Bucket
	}
	for _, t := range trails {
		if t.Bucket != bucket {
			return fmt.Errorf("trail %s uses bucket %s, not %s", t.ARN, t.Bucket, bucket)
		}
		if t.Partition() != trails[0].Partition() {
			return fmt.Errorf("trail %s is in partition %s, not %s", t.ARN, t.Partition(), trails[0].Partition())
		}
	}
	return nil
}

// encode writes indented JSON as it is read in AWS's pages: "<" and "&" stay.
// What it is given holds strings only, which can always be written.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "    ")
	_ = e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n")
}
