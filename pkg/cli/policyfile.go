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
	text, err := unwrapPolicy(s)
	if err != nil {
		return nil, err
	}
	d, err := policy.Parse(text)
	if err != nil {
		return nil, s.errorf("%w; expected %s", err, expectPolicy)
	}
	if others := otherBuckets(d, bucket); len(others) > 0 {
		return nil, s.errorf("the policy of another bucket: its resources are in %s; expected the policy of %s",
			strings.Join(others, ", "), bucket)
	}
	return &policyFile{source: s, document: d, bare: bytes.Equal(text, s.text)}, nil
}

// unwrapPolicy finds the policy's text in one of the forms that the AWS CLI
// prints: {"Policy": "…"}, with --query Policy a JSON string, or with --output
// text the policy itself.
func unwrapPolicy(s source) ([]byte, error) {
	var inner string
	if json.Unmarshal(s.text, &inner) == nil {
		return []byte(inner), nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(s.text, &members); err != nil {
		switch {
		case json.Valid(s.text):
			return nil, s.errorf("not a JSON object; expected %s", expectPolicy)
		case s.text[0] != '{':
			return nil, s.errorf("not JSON; expected %s", expectPolicy)
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
		return nil, s.errorf("its Policy is not a policy's text; expected %s", expectPolicy)
	case members["trailList"] != nil || members["Trail"] != nil || members["TrailARN"] != nil:
		return nil, s.errorf("a list of trails; expected %s", expectPolicy)
	default:
		return nil, s.errorf("no Statement in it; expected %s", expectPolicy)
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
