package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

const oneTrail = `{"trailList":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org","S3BucketName":"logs"}]}`

// declare reads the configuration from the environment and what it declares from
// the objects of a bucket.
func declare(
	ctx context.Context, t *testing.T, b awsfake.Bucket, variables map[string]string, fail func(awsfake.Call) *awsfake.Fault,
) (guardrail.Config, error) {
	t.Helper()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(b)
	fake.Fail(fail)
	variables["AWS_REGION"], variables["TRAILWARDEN_ACCOUNT"] = region, account
	config, err := ReadConfig(lookupIn(with(variables)))
	if err != nil {
		return guardrail.Config{}, err
	}
	return withDeclared(ctx, awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: account}), config)
}

func TestDeclaredObjects(t *testing.T) {
	t.Parallel()
	objects := map[string]string{
		"a/trails.json": oneTrail,
		"owners.txt":    "logs=444455556666\r\nmore.logs=777788889999,\n\nlast=444455556666\n",
	}
	for name, b := range map[string]awsfake.Bucket{
		"in this region": {Name: "lists", Objects: objects},
		"in another one": {Name: "lists", Objects: objects, Region: "eu-west-1"},
	} {
		got, err := declare(t.Context(), t, b, map[string]string{
			"TRAILWARDEN_TRAILS_OBJECT": "s3://lists/a/trails.json", "TRAILWARDEN_BUCKET_OWNERS_OBJECT": "s3://lists/owners.txt",
		}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Trails) != 1 || got.Trails[0].Bucket != "logs" {
			t.Errorf("%s: trails %+v", name, got.Trails)
		}
		want := map[string]string{"logs": "444455556666", "more.logs": "777788889999", "last": "444455556666"}
		if diff := cmp.Diff(want, got.Owners); diff != "" {
			t.Errorf("%s: owners (-want +got):\n%s", name, diff)
		}
	}
}

// A list that was declared and cannot be read stops the start in one line. It is
// never taken for an empty one.
func TestDeclaredObjectsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const trails, owners = "TRAILWARDEN_TRAILS_OBJECT", "TRAILWARDEN_BUCKET_OWNERS_OBJECT"
	refused := func(c awsfake.Call) *awsfake.Fault {
		return &awsfake.Fault{
			Status: http.StatusForbidden, Code: "AccessDenied",
			Message: "User is not authorized to perform: s3:GetObject\nbecause no identity-based policy allows it",
		}
	}
	throttled := func(awsfake.Call) *awsfake.Fault {
		return &awsfake.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
	}
	lost := func(awsfake.Call) *awsfake.Fault { return &awsfake.Fault{Drop: true} }
	foreign := func(b *awsfake.Bucket) { b.Owner = "999999999999" }
	for name, test := range map[string]struct {
		variable, text string
		change         func(*awsfake.Bucket)
		fail           func(awsfake.Call) *awsfake.Fault
		says           string
	}{
		"no such bucket":          {variable: trails, change: func(b *awsfake.Bucket) { b.Name = "other" }, says: "NoSuchBucket"},
		"no such key":             {variable: trails, change: func(b *awsfake.Bucket) { b.Objects = nil }, says: "NoSuchKey"},
		"somebody else's bucket":  {variable: trails, text: oneTrail, change: foreign, says: "AccessDenied"},
		"no permission":           {variable: trails, text: oneTrail, fail: refused, says: "not authorized to perform: s3:GetObject because"},
		"no permission at owners": {variable: owners, text: "logs=444455556666", fail: refused, says: "not authorized"},
		"throttled":               {variable: trails, text: oneTrail, fail: throttled, says: "SlowDown"},
		"connection lost":         {variable: trails, text: oneTrail, fail: lost, says: "EOF"},
		"empty":                   {variable: trails, says: "(empty; expected"},
		"empty list":              {variable: trails, text: `{"trailList":[]}`, says: "no trails in it"},
		"no list":                 {variable: trails, text: `{}`, says: "no trailList in it"},
		"a policy":                {variable: trails, text: `{"Statement":[]}`, says: "this is a policy"},
		"cut off":                 {variable: trails, text: oneTrail[:60], says: "not JSON"},
		"UTF-16":                  {variable: trails, text: "\xff\xfe{\x00}\x00", says: "not JSON"},
		"no bucket":               {variable: trails, text: strings.Replace(oneTrail, "S3BucketName", "Bucket", 1), says: "no S3BucketName"},
		"too large":               {variable: trails, text: oneTrail + strings.Repeat(" ", maxDeclared), says: "more than 5242880 bytes"},
		"empty owners":            {variable: owners, says: "it is empty"},
		"blank owners":            {variable: owners, text: " \n,\r\n", says: "it is empty"},
		"owners in JSON":          {variable: owners, text: `{"logs":"444455556666"}`, says: "no such pair"},
		"two owners":              {variable: owners, text: "logs=444455556666\nlogs=777788889999", says: "two owners"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := awsfake.Bucket{Name: "lists", Objects: map[string]string{"list": test.text}}
			if test.change != nil {
				test.change(&b)
			}
			_, err := declare(t.Context(), t, b, map[string]string{test.variable: "s3://lists/list"}, test.fail)
			if err == nil {
				t.Fatal("it starts")
			}
			line := err.Error()
			if !strings.HasPrefix(line, test.variable+` is "s3://lists/list": expected an object with `) ||
				!strings.Contains(line, test.says) || strings.ContainsAny(line, "\r\n") {
				t.Errorf("got %q, want a line with %q", line, test.says)
			}
		})
	}
}

func TestDeclaredObjectsThatHang(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // sooner than startTime, for the test's sake
	defer cancel()
	_, err := declare(ctx, t, awsfake.Bucket{Name: "lists"}, map[string]string{"TRAILWARDEN_TRAILS_OBJECT": "s3://lists/list"},
		func(awsfake.Call) *awsfake.Fault { return &awsfake.Fault{Hang: time.Minute} })
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Error(err)
	}
}

func TestReadConfigOfObjects(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]Object{
		"s3://my-lists/trails.json":   {"my-lists", "trails.json"},
		"s3://my.lists/a/b=c/d,e@f:g": {"my.lists", "a/b=c/d,e@f:g"},
		" s3://my-lists/a ":           {"my-lists", "a"},
	} {
		config, err := ReadConfig(lookupIn(with(map[string]string{"TRAILWARDEN_TRAILS_OBJECT": value})))
		if err != nil || config.TrailsObject != want {
			t.Errorf("%q is %v, %v", value, config.TrailsObject, err)
		}
	}
	for _, value := range []string{
		"s3://", "s3://my-lists", "s3://my-lists/", "my-lists/a", "S3://my-lists/a", "s3://a/b", "s3://my lists/a",
		"s3://my-lists/*", "s3://my-lists/${aws:username}", "s3://my-lists/a?versionId=1",
	} {
		if _, err := ReadConfig(lookupIn(with(map[string]string{"TRAILWARDEN_BUCKET_OWNERS_OBJECT": value}))); err == nil {
			t.Errorf("%q is taken", value)
		}
	}
	_, err := ReadConfig(lookupIn(with(map[string]string{"TRAILWARDEN_TRAILS": oneTrail, "TRAILWARDEN_TRAILS_OBJECT": "s3://my-lists/a"})))
	if err == nil || err.Error() != `TRAILWARDEN_TRAILS_OBJECT is "s3://my-lists/a": expected nothing, since TRAILWARDEN_TRAILS is set` {
		t.Errorf("both are taken: %v", err)
	}
	// As the functions start: what the object holds is asked for.
	config := defaults()
	config.Endpoint, config.TrailsObject = "http://127.0.0.1:1", Object{"my-lists", "a"}
	if _, err := NewFunctions(t.Context(), config, lookupIn(least()), slog.New(slog.DiscardHandler), nil); err == nil {
		t.Error("the functions start without what they are to read")
	}
}

// A list of accepted weaknesses that is none accepts nothing, so that more is told. One that
// cannot be read just now is read with the next start.
func TestAcceptedObject(t *testing.T) {
	t.Parallel()
	const list = `[{"finding":"source-arn-missing","bucket":"logs","reason":"r","owner":"o","until":"2027-03-31"}]`
	answer := func(status int, code string) func(awsfake.Call) *awsfake.Fault {
		return func(awsfake.Call) *awsfake.Fault { return &awsfake.Fault{Status: status, Code: code} }
	}
	for name, test := range map[string]struct {
		text          string
		fail          func(awsfake.Call) *awsfake.Fault
		accepts       int
		starts, fault bool
	}{
		"a list":         {list, nil, 1, true, false},
		"an empty list":  {"[]", nil, 0, true, false},
		"no list":        {`{}`, nil, 0, true, true},
		"empty":          {"", nil, 0, true, true},
		"an outage":      {strings.Replace(list, "source-arn-missing", "log-files-denied", 1), nil, 0, true, true},
		"a slip":         {strings.Replace(list, "owner", "ownr", 1), nil, 0, true, true},
		"no permission":  {list, answer(http.StatusForbidden, "AccessDenied"), 0, true, true},
		"no object":      {list, answer(http.StatusNotFound, "NoSuchKey"), 0, true, true},
		"throttled":      {list, answer(http.StatusServiceUnavailable, "SlowDown"), 0, false, false},
		"no connection":  {list, func(awsfake.Call) *awsfake.Fault { return &awsfake.Fault{Drop: true} }, 0, false, false},
		"far too large":  {list + strings.Repeat(" ", maxDeclared), nil, 0, true, true},
		"nothing is set": {"", nil, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := awsfake.New(t, account, region)
			fake.PutBucket(awsfake.Bucket{Name: "lists", Objects: map[string]string{"accepted": test.text}})
			fake.Fail(test.fail)
			variables := with(map[string]string{
				"AWS_REGION": region, "TRAILWARDEN_ACCOUNT": account, "TRAILWARDEN_ACCEPTED_OBJECT": "s3://lists/accepted",
			})
			if name == "nothing is set" {
				delete(variables, "TRAILWARDEN_ACCEPTED_OBJECT")
			}
			config, err := ReadConfig(lookupIn(variables))
			if err != nil {
				t.Fatal(err)
			}
			got, fault, err := withAccepted(t.Context(), awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: account}), config)
			if (err == nil) != test.starts || (fault != nil) != test.fault || len(got.Accepted) != test.accepts {
				t.Errorf("starts %v (%v), fault %v, accepts %d", err == nil, err, fault, len(got.Accepted))
			}
			if fault != nil && strings.ContainsAny(fault.Error(), "\r\n") {
				t.Errorf("not one line: %q", fault)
			}
		})
	}
}

// The sweep counts the entries that have ended or accept nothing.
func TestAcceptedIdle(t *testing.T) {
	t.Parallel()
	entry := func(bucket, until string) delivery.Acceptance {
		return delivery.Acceptance{Finding: delivery.SourceARNMissingID, Bucket: bucket, Reason: "r", Owner: "platform", Until: until}
	}
	unbound := strings.ReplaceAll(healthyOne(), `"aws:SourceArn":"`+trailARN+`"`, `"aws:SecureTransport":"true"`)
	for name, test := range map[string]struct {
		entries []delivery.Acceptance
		fault   error
		want    float64
		says    string
	}{
		"none":          {nil, nil, 0, ""},
		"of use":        {[]delivery.Acceptance{entry(bucket, "2026-12-31")}, nil, 0, ""},
		"ended":         {[]delivery.Acceptance{entry(bucket, "2026-09-12")}, nil, 1, "has ended on 2026-09-12; ask platform"},
		"of no use":     {[]delivery.Acceptance{entry(bucket, "2026-12-31"), entry("gone", "2026-12-31")}, nil, 1, "entry 2, source-arn-missing of gone, accepts nothing"},
		"no list there": {nil, errors.New("no list"), 1, "no list"},
	} {
		b := newHarness(t, unbound, nil, func(c *Config) { c.Guard.Accepted = test.entries })
		b.acceptedFault = test.fault
		if _, err := b.Sweep(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := b.sum(t, MetricAcceptedIdle); got != test.want || !strings.Contains(b.log.String(), test.says) {
			t.Errorf("%s: counted %v, want %v; log %s", name, got, test.want, b.log)
		}
	}
}
