package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// requiredCommand prints the documented policy.
type requiredCommand struct {
	Trails         string `required:"" placeholder:"FILE" help:"The output of \"aws cloudtrail describe-trails\"; - reads standard input."`
	Bucket         string `placeholder:"NAME" help:"The bucket, where the trails use several."`
	OrganizationID string `placeholder:"ID" help:"The organization of the trails' account (o-…), which organization trails need."`
	Target         string `enum:"bucket,key,topic,topic-key" default:"bucket" placeholder:"TARGET" help:"Whose policy: bucket; key or topic, the statements for those of the trails; topic-key, for the key of the topic."`
	BucketKey      string `enum:"on,off," default:"" placeholder:"on|off" help:"Whether the bucket's default encryption uses S3 Bucket Keys, with --target key."`
}

// Run prints the policy, or the statements for the policy of a key or topic.
func (c *requiredCommand) Run(sys *system) error {
	organization, err := parseOrganization(c.OrganizationID)
	if err != nil {
		return err
	}
	trails, s, err := sys.readTrails(c.Trails)
	if err != nil {
		return err
	}
	buckets := bucketsOf(trails)
	switch {
	case c.Bucket == "" && len(buckets) > 1:
		return s.errorf("its trails use several buckets (%s); choose one with --bucket", strings.Join(buckets, ", "))
	case c.Bucket == "":
		c.Bucket = buckets[0]
	default:
		if c.Bucket, err = parseBucket(c.Bucket); err != nil {
			return err
		}
	}
	if trails, err = trailsInto(s, trails, c.Bucket); err != nil {
		return err
	}
	if c.Target != "bucket" {
		return c.printChain(sys, s, trails)
	}
	if others := otherPolicies(trails); len(others) > 0 {
		printf(sys.stderr, "trailwarden: note: the trails use other policies too; --target %s prints what AWS documents for them\n", strings.Join(others, " or "))
	}
	text, err := trail.DocumentedPolicy(trails, trail.Environment{Bucket: c.Bucket, Organization: organization})
	switch {
	case errors.Is(err, trail.ErrNoOrganization):
		return s.errorf("%w; give it with --organization-id", err)
	case err != nil:
		return s.errorf("%w", err)
	}
	_, err = fmt.Fprintf(sys.stdout, "%s\n", bytes.TrimRight(text, "\n"))
	return err
}

// otherPolicies are the targets that the trails have beside the bucket.
func otherPolicies(trails []trail.Trail) []string {
	var out []string
	if slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.KMSKeyID != "" }) {
		out = append(out, "key")
	}
	if slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.SNSTopic != "" }) {
		out = append(out, "topic")
	}
	return out
}

// printChain prints the documented statements for the keys or topics of the trails: they are
// added to what the policy says already.
func (c *requiredCommand) printChain(sys *system, s source, trails []trail.Trail) error {
	of, what := func(t trail.Trail) string { return t.SNSTopic }, "topic"
	if c.Target == "key" {
		of, what = func(t trail.Trail) string { return t.KMSKeyID }, "KMS key"
	}
	var list []documentedJSON
	for _, name := range usedBy(trails, of) {
		users := slices.DeleteFunc(slices.Clone(trails), func(t trail.Trail) bool { return of(t) != name })
		out := documentedJSON{ARN: name, Statements: []json.RawMessage{}}
		var statements []trail.ChainStatement
		switch c.Target {
		case "key":
			statements = trail.KeyStatements(users, trail.Switch(c.BucketKey))
		case "topic":
			statements = trail.TopicStatements(users, name)
		default:
			statements, out.ARN, out.Topic = trail.TopicKeyStatements(users, name), "", name
		}
		for _, st := range statements {
			out.Statements = append(out.Statements, st.Text())
		}
		list = append(list, out)
	}
	if len(list) == 0 {
		return s.errorf("none of the trails that deliver into %s has a %s", c.Bucket, what)
	}
	return printJSON(sys.stdout, list)
}

// documentedJSON is what AWS documents for the policy of a key or topic.
type documentedJSON struct {
	ARN        string            `json:"arn,omitempty"`   // as the trail names it; none for the key of a topic
	Topic      string            `json:"topic,omitempty"` // of which it is the key
	Statements []json.RawMessage `json:"statements"`
}

// usedBy are the names that trails give to something, in order, each once.
func usedBy(trails []trail.Trail, of func(trail.Trail) string) []string {
	var out []string
	for _, t := range trails {
		if name := of(t); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
