package inmem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Description is an account as a file describes it.
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
	// Policy is a JSON object, or a JSON string that holds one.
	Policy jsonText `json:"policy,omitempty"`
	// Unreadable says that the account may not read the bucket's policy.
	Unreadable bool `json:"unreadable,omitempty"`
}

type jsonText []byte

// UnmarshalJSON takes an object as it is spelled, or a string that holds one.
func (t *jsonText) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		*t = nil
		return nil
	}
	if text[0] != '"' {
		*t = bytes.Clone(text)
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*t = jsonText(s)
	return nil
}

// MarshalJSON writes JSON as it is, and any other text as a string.
func (t jsonText) MarshalJSON() ([]byte, error) {
	if json.Valid(t) {
		return t, nil
	}
	return json.Marshal(string(t))
}

// ReadDescription reads the description of an account. The error is one line
// that says what is wrong and what was expected.
func ReadDescription(r io.Reader) (Description, error) {
	var d Description
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return Description{}, fmt.Errorf("description of an account: %w", explain(err))
	}
	if decoder.More() {
		return Description{}, errors.New("description of an account: more than one JSON value")
	}
	if err := d.check(); err != nil {
		return Description{}, fmt.Errorf("description of an account: %w", err)
	}
	return d, nil
}

// explain turns the decoder's words into those of a user.
func explain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("empty; expected an object with account, region, trails and buckets")
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is a %s; expected a %s", field(wrong.Field), wrong.Value, wrong.Type.Kind())
	}
	return err
}

func field(name string) string {
	if name == "" {
		return "the whole"
	}
	return name
}

func (d Description) check() error {
	if !arn.Account(d.Account).Valid() {
		return fmt.Errorf("account is %q; expected 12 digits", d.Account)
	}
	if d.Region == "" {
		return errors.New("region is missing")
	}
	arns, names := map[string]bool{}, map[string]bool{}
	for i, t := range d.Trails {
		if t.Account() == "" || t.Bucket == "" {
			return fmt.Errorf("trails[%d]: TrailARN and S3BucketName are needed", i)
		}
		if arns[t.ARN] {
			return fmt.Errorf("trails[%d]: %s is there twice", i, t.ARN)
		}
		arns[t.ARN] = true
	}
	for i, s := range d.Statuses {
		if !arns[s.ARN] {
			return fmt.Errorf("statuses[%d]: there is no trail %q", i, s.ARN)
		}
	}
	for i, b := range d.Buckets {
		if b.Name == "" || names[b.Name] {
			return fmt.Errorf("buckets[%d]: the name %q is empty or there twice", i, b.Name)
		}
		if b.Payer != "" && b.Payer != delivery.PayerOwner && b.Payer != delivery.PayerRequester {
			return fmt.Errorf("buckets[%d]: payer is %q; expected BucketOwner or Requester", i, b.Payer)
		}
		names[b.Name] = true
	}
	return nil
}
