package inmem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Description is an account as a file describes it. In the file, trails may
// also be the output of describe-trails, statuses an object of the outputs of
// get-trail-status by the trails' names, buckets an object of the outputs of
// get-bucket-policy by the buckets' names. A further member, selectors, has
// outputs of get-event-selectors.
type Description struct {
	Account      string             `json:"account"`
	Region       string             `json:"region"`
	Organization trail.Organization `json:"organization"`
	// EnabledRegions are all regions that the account has enabled; none: that is
	// not known.
	EnabledRegions []string      `json:"enabledRegions,omitempty"`
	Trails         []trail.Trail `json:"trails"`
	// Statuses are what CloudTrail reports; a trail without one is logging.
	Statuses []trail.Status `json:"statuses,omitempty"`
	Buckets  []Bucket       `json:"buckets"`
	// Reserialize says that S3 gives policies back in a spelling of its own.
	Reserialize bool `json:"reserialize,omitempty"`
}

// Bucket is a bucket of a description. Policy is the policy's JSON, or nothing.
type Bucket struct {
	Name   string `json:"name"`
	Owner  string `json:"owner,omitempty"`  // default: the account
	Region string `json:"region,omitempty"` // default: the account's region
	Payer  string `json:"payer,omitempty"`  // default: BucketOwner
	// Policy is a JSON object, a JSON string that holds one, or the output of
	// get-bucket-policy.
	Policy jsonText `json:"policy,omitempty"`
	// Unreadable says that the account may not read the bucket's policy.
	Unreadable bool `json:"unreadable,omitempty"`
}

// What is expected, for errors.
const (
	expectDescription = "a description of an account: an object with account, region, trails and buckets"
	expectStatus      = `the output of "aws cloudtrail get-trail-status"`
	expectPolicy      = `a policy, or the output of "aws s3api get-bucket-policy"`
	expectBuckets     = "a list of objects with name and policy"
)

// ReadDescription reads the description of an account. The error is one line
// that says what is wrong and what was expected.
func ReadDescription(r io.Reader) (Description, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Description{}, err
	}
	d, err := readDescription(text)
	if err != nil {
		return Description{}, err
	}
	return d, nil
}

func readDescription(text []byte) (Description, error) {
	var d Description
	file := struct {
		*Description
		Trails    json.RawMessage `json:"trails"`
		Selectors json.RawMessage `json:"selectors"`
		Statuses  json.RawMessage `json:"statuses"`
		Buckets   json.RawMessage `json:"buckets"`
	}{Description: &d}
	if err := decode(text, &file, expectDescription); err != nil {
		return d, err
	}
	if !arn.Account(d.Account).Valid() {
		return d, fmt.Errorf("account is %q; expected 12 digits", d.Account)
	}
	if d.Region == "" {
		return d, errors.New("region is missing; expected a region such as eu-central-1")
	}
	if _, err := arn.ParseRegion(d.Region); err != nil {
		return d, fmt.Errorf("region is %q; %w", d.Region, err)
	}
	var err error
	if d.Trails, err = readTrails(file.Trails); err != nil {
		return d, fmt.Errorf("trails: %w", err)
	}
	if d.Trails, err = withSelectors(d.Trails, file.Selectors); err != nil {
		return d, fmt.Errorf("selectors: %w", err)
	}
	if d.Statuses, err = readStatuses(file.Statuses, d.Trails); err != nil {
		return d, err
	}
	if d.Buckets, err = readBuckets(file.Buckets); err != nil {
		return d, err
	}
	return d, nil
}

// readTrails reads trails as describe-trails prints them, whole or as a list. An
// account may have none.
func readTrails(raw json.RawMessage) ([]trail.Trail, error) {
	list := raw
	var output struct {
		List json.RawMessage `json:"trailList"`
	}
	if json.Unmarshal(raw, &output) == nil && output.List != nil {
		list = output.List
	}
	var trails []json.RawMessage
	if isAbsent(raw) || json.Unmarshal(list, &trails) == nil && len(trails) == 0 {
		return nil, nil
	}
	return trail.Parse(raw)
}

// withSelectors adds what outputs of get-event-selectors say: one, or a list.
func withSelectors(trails []trail.Trail, raw json.RawMessage) ([]trail.Trail, error) {
	if isAbsent(raw) {
		return trails, nil
	}
	outputs := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &outputs); err != nil {
			return nil, err
		}
	}
	for _, output := range outputs {
		var err error
		if trails, err = trail.WithSelectors(trails, output); err != nil {
			return nil, err
		}
	}
	return trails, nil
}

// readBuckets reads a list of buckets, or an object that has their policies by
// their names.
func readBuckets(raw json.RawMessage) ([]Bucket, error) {
	entries, names, err := entriesOf(raw)
	if err != nil {
		return nil, fmt.Errorf("buckets: %w; expected %s, or an object that has policies by the buckets' names", err, expectBuckets)
	}
	var buckets []Bucket
	seen := map[string]bool{}
	for i, entry := range entries {
		at := fmt.Sprintf("buckets[%d]", i)
		var b Bucket
		if names != nil {
			at = fmt.Sprintf("buckets[%q]", names[i])
			b.Name = names[i]
		}
		if isPolicy(entry, names != nil) {
			err = b.Policy.UnmarshalJSON(entry)
		} else {
			err = decode(entry, &b, expectBuckets)
		}
		if err == nil {
			err = b.check()
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", at, err)
		case seen[b.Name]:
			return nil, fmt.Errorf("%s: the bucket %q is there twice; expected each once", at, b.Name)
		}
		seen[b.Name] = true
		buckets = append(buckets, b)
	}
	return buckets, nil
}

// isPolicy reports whether the entry of a bucket is its policy alone, which has
// no name in it.
func isPolicy(entry json.RawMessage, named bool) bool {
	var o map[string]json.RawMessage
	if json.Unmarshal(entry, &o) != nil {
		return named
	}
	return named && (o["Statement"] != nil || o["Policy"] != nil && len(o) == 1)
}

func (b Bucket) check() error {
	if b.Name == "" || strings.ContainsAny(b.Name, ":/ ") {
		return fmt.Errorf("name is %q; expected the name of a bucket", b.Name)
	}
	if b.Owner != "" && !arn.Account(b.Owner).Valid() {
		return fmt.Errorf("owner is %q; expected an account id of 12 digits", b.Owner)
	}
	if b.Region != "" && !arn.Region(b.Region).Valid() {
		return fmt.Errorf("region is %q; expected a region such as eu-central-1", b.Region)
	}
	if b.Payer != "" && b.Payer != delivery.PayerOwner && b.Payer != delivery.PayerRequester {
		return fmt.Errorf("payer is %q; expected BucketOwner or Requester", b.Payer)
	}
	return nil
}

type jsonText []byte

// UnmarshalJSON takes an object as it is spelled, a string that holds one, or
// the output of get-bucket-policy, which holds a string.
func (t *jsonText) UnmarshalJSON(text []byte) error {
	*t = nil
	if isAbsent(text) {
		return nil
	}
	inner := text
	for range 3 { // an output, its string, and what somebody has put into a string
		var s string
		var output map[string]json.RawMessage
		switch {
		case json.Unmarshal(inner, &s) == nil:
			inner = []byte(s)
		case json.Unmarshal(inner, &output) == nil && output["Policy"] != nil && len(output) == 1:
			inner = output["Policy"]
		}
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(inner, &object); err != nil || object == nil {
		return fmt.Errorf("policy is %s; expected %s", kindOf(inner), expectPolicy)
	}
	*t = bytes.Clone(inner)
	return nil
}

// MarshalJSON writes JSON as it is, and any other text as a string.
func (t jsonText) MarshalJSON() ([]byte, error) {
	if json.Valid(t) {
		return t, nil
	}
	return json.Marshal(string(t))
}

// decode reads the one JSON value of a text, with no member that is not known.
func decode(text []byte, into any, expected string) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explain(err, expected)
	}
	if decoder.More() {
		return fmt.Errorf("more than one JSON value; expected %s", expected)
	}
	return nil
}

// explain turns the decoder's words into those of a user.
func explain(err error, expected string) error {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("empty; expected %s", expected)
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("not JSON (%w); expected %s", err, expected)
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("it is %s; expected %s", article(wrong.Value), expected)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is %s; expected %s", wrong.Field, article(wrong.Value), typeName(wrong.Type.String()))
	}
	if name, ok := bytes.CutPrefix([]byte(err.Error()), []byte("json: unknown field ")); ok {
		return fmt.Errorf("unknown field %s; expected %s", name, expected)
	}
	return err // of a member, which says what it expects
}

// article names a kind of JSON value, as encoding/json calls it, in words.
func article(kind string) string {
	switch kind {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "a truth value"
	}
	return "a " + kind
}

func typeName(goType string) string {
	switch goType {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "time.Time":
		return "a time such as 2026-01-31T12:00:00Z"
	case "[]string":
		return "a list of strings"
	}
	return "an object"
}

// kindOf names what kind of JSON value a text is.
func kindOf(text []byte) string {
	var v any
	if len(text) == 0 {
		return "an empty string"
	}
	if json.Unmarshal(text, &v) != nil {
		return "no JSON"
	}
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a truth value"
	case []any:
		return "a list"
	case nil:
		return "null"
	}
	return "an object"
}

func isAbsent(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

// entriesOf returns the entries of a list, or those of an object with their
// names, sorted.
func entriesOf(raw json.RawMessage) (entries []json.RawMessage, names []string, err error) {
	if isAbsent(raw) || json.Unmarshal(raw, &entries) == nil {
		return entries, nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil, nil, fmt.Errorf("it is %s", kindOf(raw))
	}
	names = slices.Sorted(maps.Keys(object))
	for _, name := range names {
		entries = append(entries, object[name])
	}
	return entries, names, nil
}
