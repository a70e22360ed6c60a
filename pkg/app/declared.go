package app

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Lambda's environment holds 4 KB in all, which is some eight trails as AWS
// prints them. Longer lists come from objects in S3. An object that cannot be
// read, or that holds no list, stops the start: a guard that does not know the
// trails that it was told of would call their buckets unused.

// Object is the address of an object in a bucket of the functions' account. The
// zero Object is none.
type Object struct{ Bucket, Key string }

// String returns the address as s3://bucket/key.
func (o Object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

func object(s string) (Object, error) {
	// A key as it may stand in an IAM policy without meaning more than itself.
	match := regexp.MustCompile(`^s3://([^/]+)/([A-Za-z0-9!_.'()/=+@:,-]+)$`).FindStringSubmatch(s)
	if match == nil || !arn.Bucket(match[1]).Valid() {
		return Object{}, errUnexpected
	}
	return Object{Bucket: match[1], Key: match[2]}, nil
}

const (
	// maxDeclared bounds the size of such an object, in bytes: some ten thousand
	// trails.
	maxDeclared = 5 << 20
	// startTime bounds how long the objects are waited for. Lambda gives a start
	// ten seconds.
	startTime = 8 * time.Second
)

// withDeclared returns the guard's configuration with what the objects hold. The
// error is a [VariableError].
func withDeclared(ctx context.Context, clients *awsapi.Clients, c Config) (guardrail.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	guard := c.Guard
	var trailsErr, ownersErr error
	if c.TrailsObject != (Object{}) {
		guard.Trails, trailsErr = readDeclared(ctx, clients, "TRAILWARDEN_TRAILS_OBJECT", c.TrailsObject, declaredTrails, declared)
	}
	if c.OwnersObject != (Object{}) {
		expected := declaredOwners + " or ends of lines"
		guard.Owners, ownersErr = readDeclared(ctx, clients, "TRAILWARDEN_BUCKET_OWNERS_OBJECT", c.OwnersObject, expected, someOwners)
	}
	return guard, errors.Join(trailsErr, ownersErr)
}

// withAccepted returns the configuration with the weaknesses that are accepted. A list that
// cannot be read now stops the start, and is read with the next one: an environment without it
// would tell what others hold to be accepted, in turns. Fault is why there is none to be had, in
// a line: then nothing is accepted, so that more is told and not less.
func withAccepted(ctx context.Context, clients *awsapi.Clients, c Config) (_ guardrail.Config, fault, err error) {
	if c.AcceptedObject == (Object{}) {
		return c.Guard, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	const name = "TRAILWARDEN_ACCEPTED_OBJECT"
	parse := func(s string) ([]delivery.Acceptance, error) { return delivery.ParseAcceptances([]byte(s)) }
	c.Guard.Accepted, err = readDeclared(ctx, clients, name, c.AcceptedObject, delivery.ExpectAcceptances, parse)
	if port, ok := errors.AsType[*guardrail.PortError](err); ok && port.Class == guardrail.Transient {
		return c.Guard, nil, err
	}
	return c.Guard, err, nil
}

// someOwners reads pairs as [owners] does. None are a failure.
func someOwners(s string) (map[string]string, error) {
	byBucket, err := owners(s)
	if err == nil && len(byBucket) == 0 {
		err = errors.New("it is empty")
	}
	return byBucket, err
}

func readDeclared[T any](
	ctx context.Context, clients *awsapi.Clients, name string, o Object, expected string, parse func(string) (T, error),
) (T, error) {
	text, err := awsapi.Object(ctx, clients, o.Bucket, o.Key, maxDeclared)
	var parsed T
	if err == nil {
		parsed, err = parse(string(text))
	}
	if err != nil {
		// A line stays a line, whatever S3 or the object says.
		reason := strings.Join(strings.Fields(err.Error()), " ")
		return parsed, &VariableError{Name: name, Value: o.String(), Expected: "an object with " + expected + " (" + reason + ")", Err: err}
	}
	return parsed, nil
}
