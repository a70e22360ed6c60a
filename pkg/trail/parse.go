package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// expected ends the errors of Parse.
const expected = `expected the output of "aws cloudtrail describe-trails"`

// Parse reads trails from what the AWS CLI prints: the output of
// describe-trails, get-trail or a bare list. The error is one line that says
// what was expected. A list without trails is an error.
func Parse(text []byte) ([]Trail, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if len(text) == 0 {
		return nil, errors.New("empty; " + expected)
	}
	list, err := entries(text)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("no trails in it; " + expected + " with at least one trail")
	}
	seen := map[string]Trail{}
	var trails []Trail
	for i, entry := range list {
		t, err := parseTrail(entry)
		if err != nil {
			return nil, fmt.Errorf("trail %d%s: %w", i+1, nameOf(entry), err)
		}
		// Shadow copies of a trail say the same as the trail.
		if first, ok := seen[t.ARN]; ok {
			if first != t {
				return nil, fmt.Errorf("trail %d: %s is listed twice with different settings", i+1, t.ARN)
			}
			continue
		}
		seen[t.ARN] = t
		trails = append(trails, t)
	}
	return trails, nil
}

// entries finds the trails in one of the forms.
func entries(text []byte) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if text[0] == '[' {
		if err := decode(text, &list); err != nil {
			return nil, err
		}
		return list, nil
	}
	if text[0] != '{' {
		return nil, errors.New("not JSON; " + expected)
	}
	var object map[string]json.RawMessage
	if err := decode(text, &object); err != nil {
		return nil, err
	}
	switch {
	case object["trailList"] != nil:
		if err := json.Unmarshal(object["trailList"], &list); err != nil {
			return nil, errors.New("trailList is not a list; " + expected)
		}
		return list, nil
	case object["Trail"] != nil:
		return []json.RawMessage{object["Trail"]}, nil
	case object["Trails"] != nil:
		return nil, errors.New("this is the output of list-trails, which names no buckets; " + expected)
	case object["TrailARN"] != nil:
		return []json.RawMessage{text}, nil
	case object["Statement"] != nil || object["Policy"] != nil:
		return nil, errors.New("this is a policy; " + expected)
	default:
		return nil, errors.New("no trailList in it; " + expected)
	}
}

// decode reads the one JSON value of a text.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not JSON (%w); %s", err, expected)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value; " + expected)
	}
	return nil
}

func parseTrail(entry json.RawMessage) (Trail, error) {
	var t Trail
	if err := json.Unmarshal(entry, &t); err != nil {
		return Trail{}, fmt.Errorf("%w; %s", err, expected)
	}
	if t.ARN == "" {
		return Trail{}, errors.New("no TrailARN; " + expected)
	}
	if _, err := arn.ParseTrail(t.ARN); err != nil {
		return Trail{}, fmt.Errorf("TrailARN %s is no trail's ARN; %w", quoted(t.ARN), err)
	}
	if t.Bucket == "" {
		return Trail{}, errors.New("no S3BucketName; " + expected)
	}
	if _, err := arn.ParseBucket(t.Bucket); err != nil {
		return Trail{}, fmt.Errorf("S3BucketName %s is no bucket's name; %w", quoted(t.Bucket), err)
	}
	t.HomeRegion = t.region()
	t.Name = t.name()
	return t, nil
}

// nameOf is the name that an entry has, in parentheses, for people to find it
// by; empty if it has none.
func nameOf(entry json.RawMessage) string {
	var t struct{ Name string }
	if json.Unmarshal(entry, &t) != nil || t.Name == "" {
		return ""
	}
	return " (" + quoted(t.Name) + ")"
}

// quoted cuts long values, so that an error stays a line.
func quoted(s string) string {
	const longest = 200
	if len(s) > longest {
		return fmt.Sprintf("%q…", s[:longest])
	}
	return fmt.Sprintf("%q", s)
}
