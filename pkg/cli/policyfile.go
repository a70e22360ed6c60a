package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

const expectPolicy = `a bucket policy, or the output of "aws s3api get-bucket-policy"`

// policyFile is a bucket policy and the file that it was read from.
type policyFile struct {
	source
	document *policy.Document
	bare     bool // the file is the policy, and not a text that holds it
}

// readPolicy reads the policy of a bucket.
func (sys *system) readPolicy(path, bucket string) (*policyFile, error) {
	s, err := sys.read(path, maxPolicyFile, expectPolicy)
	if err != nil {
		return nil, err
	}
	d, bare, err := s.policy(policy.S3(), expectPolicy)
	if err != nil {
		return nil, err
	}
	if others := otherBuckets(d, bucket); len(others) > 0 {
		return nil, s.errorf("the policy of another bucket: its resources are in %s; expected the policy of %s",
			strings.Join(others, ", "), bucket)
	}
	return &policyFile{source: s, document: d, bare: bare}, nil
}

// policy reads the source as a policy of a service, bare or in what the AWS CLI prints.
func (s source) policy(dialect policy.Dialect, expected string) (d *policy.Document, bare bool, err error) {
	text, err := unwrapPolicy(s, expected)
	if err != nil {
		return nil, false, err
	}
	if d, err = dialect.Parse(text); err != nil {
		return nil, false, s.errorf("%w; expected %s", err, expected)
	}
	if of := serviceOf(d); of != "" && of != dialect.Service {
		return nil, false, s.errorf("%s; expected %s", whosePolicy(of), expected)
	}
	return d, bytes.Equal(text, s.text), nil
}

// serviceOf is the service that the policy's actions are of, if they are of one that is known
// here; empty: of several, of none, or of another.
func serviceOf(d *policy.Document) string {
	service := ""
	for _, st := range d.All() {
		for _, action := range st.Actions.List {
			of, ok := policy.DialectOf(action)
			switch {
			case action == "*":
				continue
			case !ok || service != "" && service != of.Service:
				return ""
			}
			service = of.Service
		}
	}
	return service
}

func whosePolicy(service string) string {
	switch service {
	case policy.KMS().Service:
		return "the policy of a KMS key"
	case policy.SNS().Service:
		return "the policy of an SNS topic"
	}
	return "the policy of a bucket"
}

// unwrapPolicy finds the policy's text in one of the forms that the AWS CLI
// prints: {"Policy": "…"}, with --query Policy a JSON string, or with --output
// text the policy itself.
func unwrapPolicy(s source, expected string) ([]byte, error) {
	var inner string
	if json.Unmarshal(s.text, &inner) == nil {
		return []byte(inner), nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(s.text, &members); err != nil {
		switch {
		case json.Valid(s.text):
			return nil, s.errorf("not a JSON object; expected %s", expected)
		case s.text[0] != '{':
			return nil, s.errorf("not JSON; expected %s", expected)
		}
		// policy.Parse says what is wrong in it.
		return s.text, nil
	}
	_, statements := members["Statement"]
	switch wrapped, ok := members["Policy"]; {
	case statements:
		return s.text, nil
	case ok && json.Unmarshal(wrapped, &inner) == nil && strings.TrimSpace(inner) != "":
		return []byte(inner), nil
	case ok:
		return nil, s.errorf("its Policy is not a policy's text; expected %s", expected)
	case members["KeyMetadata"] != nil:
		return nil, s.errorf("a key, and not its policy; expected %s", expected)
	case members["Attributes"] != nil:
		return nil, s.errorf("a topic, and not its policy; expected %s", expected)
	case members["trailList"] != nil || members["Trail"] != nil || members["TrailARN"] != nil:
		return nil, s.errorf("a list of trails; expected %s", expected)
	default:
		return nil, s.errorf("no Statement in it; expected %s", expected)
	}
}

// otherBuckets returns the buckets that the policy names, if it can say
// nothing about the given one. A policy that S3 would store names its own
// bucket in every statement.
func otherBuckets(d *policy.Document, bucket string) []string {
	var others []string
	for _, s := range d.All() {
		for _, pattern := range s.Resources.List {
			name, ok := bucketOf(pattern)
			if !ok || name == bucket || s.Resources.Not {
				return nil
			}
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return slices.Compact(others)
}

// bucketOf returns the bucket that a resource pattern names, if it names one.
func bucketOf(pattern string) (string, bool) {
	a := arn.Split(pattern)
	name, _, _ := strings.Cut(a.Resource, "/")
	return name, a.Service == "s3" && name != "" && !strings.ContainsAny(name, "*?$")
}
