package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The Sids that AWS documents: for the trails of one account, and for those
// of several.
const (
	SidACL               = "AWSCloudTrailAclCheck20150319"
	SidWrite             = "AWSCloudTrailWrite20150319"
	SidOrganizationWrite = "AWSCloudTrailOrganizationWrite20150319"
	SidSharedACL         = "AWSCloudTrailAclCheck20131101"
	SidSharedWrite       = "AWSCloudTrailWrite20131101"
)

// ErrNoOrganization is the error of [Documented] where the id of the
// organization is needed and not known.
var ErrNoOrganization = errors.New("the organization id of an organization trail is not known")

// words is a member that is a string if it holds one value and else a list.
type words []string

func (w words) MarshalJSON() ([]byte, error) {
	var v any = []string(w)
	if len(w) == 1 {
		v = w[0]
	}
	return encode(v, "")
}

// statement has its members in the order of AWS's examples.
type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    string
	Resource  words
	Condition condition
}

type principal struct {
	// Service is a list in AWS's policy for organization trails and a string in
	// the others.
	Service any
}

type condition struct {
	StringEquals struct {
		ACL       string `json:"s3:x-amz-acl,omitempty"`
		SourceARN words  `json:"aws:SourceArn"`
	}
}

// Documented returns the statements that AWS documents for trails that share
// the bucket, in AWS's order, each as indented JSON. Trails share statements
// as AWS documents it for several accounts. A trail's prefix of which it is
// not sure how CloudTrail joins it is granted in every way.
//
// The statements are what package repair adds to a policy, so their form is
// part of the contract: [Requirements] is allowed by them in full.
// Source: create-s3-bucket-policy-for-cloudtrail.html and
// cloudtrail-set-bucket-policy-for-multiple-accounts.html.
func Documented(trails []Trail, s Environment) ([][]byte, error) {
	if err := shareBucket(trails, s); err != nil {
		return nil, err
	}
	aclSid, writeSid := SidACL, SidWrite
	if severalAccounts(trails) {
		aclSid, writeSid = SidSharedACL, SidSharedWrite
	}
	var service any = ServicePrincipal
	if slices.ContainsFunc(trails, func(t Trail) bool { return t.Organization }) {
		service = []string{ServicePrincipal}
	}
	acl := statement{Sid: aclSid, Effect: "Allow", Principal: principal{service}, Action: "s3:GetBucketAcl"}
	write := statement{Sid: writeSid, Effect: "Allow", Principal: principal{service}, Action: "s3:PutObject"}
	write.Condition.StringEquals.ACL = "bucket-owner-full-control"
	members := write
	members.Sid = SidOrganizationWrite
	for _, t := range trails {
		l := layout{trail: t, setting: s}
		acl.grant(t, []string{l.bucketARN()})
		write.grant(t, l.granted(t.Account()))
		if t.Organization {
			if s.Organization.ID == "" {
				return nil, fmt.Errorf("trail %s: %w", t.ARN, ErrNoOrganization)
			}
			members.grant(t, l.granted(s.Organization.ID))
		}
	}
	list := []statement{acl, write}
	if len(members.Resource) > 0 {
		list = append(list, members)
	}
	texts := make([][]byte, len(list))
	for i, st := range list {
		text, err := encode(st, "    ")
		if err != nil {
			return nil, fmt.Errorf("write statement %s: %w", st.Sid, err)
		}
		texts[i] = text
	}
	return texts, nil
}

// DocumentedPolicy returns the statements of Documented as a whole policy,
// indented.
func DocumentedPolicy(trails []Trail, s Environment) ([]byte, error) {
	texts, err := Documented(trails, s)
	if err != nil {
		return nil, err
	}
	p := struct {
		Version   string
		Statement []json.RawMessage
	}{Version: "2012-10-17"}
	for _, text := range texts {
		p.Statement = append(p.Statement, text)
	}
	return encode(p, "    ")
}

// grant adds what a trail needs to the statement.
func (st *statement) grant(t Trail, resources []string) {
	c := &st.Condition.StringEquals
	for _, r := range resources {
		if !slices.Contains(st.Resource, r) {
			st.Resource = append(st.Resource, r)
		}
	}
	if !slices.Contains(c.SourceARN, t.ARN) {
		c.SourceARN = append(c.SourceARN, t.ARN)
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

// encode writes JSON as it is read in AWS's pages: "<" and "&" stay.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
