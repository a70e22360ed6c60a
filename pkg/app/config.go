package app

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const day = 24 * time.Hour

// VariableError is one variable of the environment that is missing or wrong.
type VariableError struct {
	Name     string
	Value    string // empty: it is not set
	Expected string
	Err      error // why, where that is known
}

// Unwrap returns why the variable is wrong.
func (e *VariableError) Unwrap() error { return e.Err }

// Error returns the variable, its value, and what was expected, in one line.
func (e *VariableError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s is not set: expected %s", e.Name, e.Expected)
	}
	return fmt.Sprintf("%s is %s: expected %s", e.Name, quoted(e.Value), e.Expected)
}

// quoted cuts long values, so that a line stays a line.
func quoted(s string) string {
	const longest = 80
	if len(s) > longest {
		return strconv.Quote(s[:longest]) + "…"
	}
	return strconv.Quote(s)
}

// ReadConfig reads the configuration. The error names every variable that is
// missing or wrong, one per line, and what was expected. A variable that is
// empty counts as not set, since that is how a template passes a parameter
// without a value.
//
// The variables are AWS_REGION, AWS_ENDPOINT_URL and, with the prefix
// TRAILWARDEN_: ACCOUNT, TOPIC_ARN, TABLE, SCOPE, ROLE, RESTORER_ROLE, RESTORE_BUCKETS, HARDEN,
// REPAIR_BUDGET, REPAIR_WINDOW, REMINDER, SNAPSHOT_DAYS, ALERT_FORMAT, ALERT_SEVERITY,
// CHAT_TOPIC_ARN, RUNBOOK_URL, INVENTORY_AGE, CONCURRENCY, TRAILS, BUCKET_OWNERS,
// TRAILS_OBJECT, BUCKET_OWNERS_OBJECT, ACCEPTED_OBJECT, SECURITY_HUB.
func ReadConfig(lookup LookupEnv) (Config, error) {
	e := environment{lookup: lookup}
	c := Config{
		Account:        variable(&e, "TRAILWARDEN_ACCOUNT", must, "an account id of 12 digits", spelled(arn.ParseAccount)),
		Region:         variable(&e, "AWS_REGION", must, "a region such as eu-central-1", spelled(arn.ParseRegion)),
		TopicARN:       variable(&e, "TRAILWARDEN_TOPIC_ARN", must, "the ARN of a standard SNS topic", topic),
		ChatTopicARN:   variable(&e, "TRAILWARDEN_CHAT_TOPIC_ARN", "", "the ARN of a standard SNS topic", topic),
		Runbook:        variable(&e, "TRAILWARDEN_RUNBOOK_URL", "", "an address that begins with https://", runbook),
		Table:          variable(&e, "TRAILWARDEN_TABLE", "", "the name of a DynamoDB table", matching(tableForm)),
		Role:           variable(&e, "TRAILWARDEN_ROLE", "", "the name of an IAM role", matching(roleForm)),
		Restorer:       variable(&e, "TRAILWARDEN_RESTORER_ROLE", "", "the name of an IAM role", matching(roleForm)),
		Organization:   variable(&e, "TRAILWARDEN_SCOPE", "account", "account or organization", scope),
		Concurrency:    variable(&e, "TRAILWARDEN_CONCURRENCY", "1", "a number from 1 to 1000", between(1, 1000)),
		Endpoint:       variable(&e, "AWS_ENDPOINT_URL", "", "a URL such as http://localhost:4566", address),
		TrailsObject:   variable(&e, "TRAILWARDEN_TRAILS_OBJECT", "", "the address of an object such as s3://bucket/trails.json", object),
		OwnersObject:   variable(&e, "TRAILWARDEN_BUCKET_OWNERS_OBJECT", "", "the address of an object such as s3://bucket/owners.txt", object),
		AcceptedObject: variable(&e, "TRAILWARDEN_ACCEPTED_OBJECT", "", "the address of an object such as s3://bucket/accepted.json", object),
		Guard: guardrail.Config{
			Restore: variable(&e, "TRAILWARDEN_RESTORE_BUCKETS", "", "names of buckets, separated by commas", buckets),
			Harden:  variable(&e, "TRAILWARDEN_HARDEN", "false", "true or false", truth),
			Budget: variable(&e, "TRAILWARDEN_REPAIR_BUDGET", strconv.Itoa(guardrail.DefaultBudget),
				"a number from 1 to 20", between(1, ledger.MaxRepairs)),
			Window: variable(&e, "TRAILWARDEN_REPAIR_WINDOW", guardrail.DefaultWindow.String(),
				"a duration of at least a minute, such as 1h", duration(time.Minute)),
			RemindEvery: variable(&e, "TRAILWARDEN_REMINDER", guardrail.DefaultReminder.String(),
				"a duration such as 24h, or 0 for none", duration(0)),
			KeepSnapshots: variable(&e, "TRAILWARDEN_SNAPSHOT_DAYS", strconv.Itoa(int(guardrail.DefaultKeepSnapshots/day)),
				"a number of days from 1 to 3650", days),
			InventoryAge: variable(&e, "TRAILWARDEN_INVENTORY_AGE", guardrail.DefaultInventoryAge.String(),
				"a duration of at least a minute, such as 3h", duration(time.Minute)),
			Format:   variable(&e, "TRAILWARDEN_ALERT_FORMAT", string(alert.Text), "text, json or chat", format),
			JSON:     variable(&e, "TRAILWARDEN_SECURITY_HUB", "false", "true or false", truth),
			Severity: variable(&e, "TRAILWARDEN_ALERT_SEVERITY", string(delivery.High), "critical, high, medium or low", severity),
			Trails:   variable(&e, "TRAILWARDEN_TRAILS", "", declaredTrails, declared),
			Owners:   variable(&e, "TRAILWARDEN_BUCKET_OWNERS", "", declaredOwners, owners),
		},
	}
	e.either("TRAILWARDEN_TRAILS", "TRAILWARDEN_TRAILS_OBJECT")
	e.either("TRAILWARDEN_BUCKET_OWNERS", "TRAILWARDEN_BUCKET_OWNERS_OBJECT")
	if c.Organization {
		e.needed("TRAILWARDEN_TABLE", c.Table, "the name of a DynamoDB table, since an organization is swept in steps")
		e.needed("TRAILWARDEN_ROLE", c.Role, "the name of the role that the members let be assumed")
	}
	return c, errors.Join(e.failures...)
}

// environment reads variables and gathers what is wrong with them.
type environment struct {
	lookup   LookupEnv
	failures []error
}

// must in place of a default says that the variable must be set.
const must = "\x00"

var errUnexpected = errors.New("not as expected")

// variable reads one variable. Where it is not set, otherwise is read in its
// place; where that is empty too, the variable has the zero value.
func variable[T any](e *environment, name, otherwise, expected string, parse func(string) (T, error)) T {
	var zero T
	value, _ := e.lookup(name)
	given := strings.TrimSpace(value)
	if given == "" {
		if otherwise == "" {
			return zero
		}
		value = otherwise
	}
	if value = strings.TrimSpace(value); value == must {
		e.failures = append(e.failures, &VariableError{Name: name, Expected: expected})
		return zero
	}
	parsed, err := parse(value)
	if err == nil {
		return parsed
	}
	if !errors.Is(err, errUnexpected) {
		expected += " (" + err.Error() + ")"
	}
	e.failures = append(e.failures, &VariableError{Name: name, Value: given, Expected: expected})
	return zero
}

// needed adds a failure for a variable without which another one makes no sense.
func (e *environment) needed(name, value, expected string) {
	if value == "" {
		e.failures = append(e.failures, &VariableError{Name: name, Expected: expected})
	}
}

// either adds a failure if both variables are set.
func (e *environment) either(name, other string) {
	first, _ := e.lookup(name)
	second, _ := e.lookup(other)
	if first, second = strings.TrimSpace(first), strings.TrimSpace(second); first != "" && second != "" {
		e.failures = append(e.failures, &VariableError{Name: other, Value: second, Expected: "nothing, since " + name + " is set"})
	}
}

// Forms of names. Sources: CreateTable in the API reference of DynamoDB, and
// CreateRole in that of IAM.
const (
	tableForm = `[A-Za-z0-9_.-]{3,255}`
	roleForm  = `([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}`
)

func matching(form string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !regexp.MustCompile(`^(` + form + `)$`).MatchString(s) {
			return "", errUnexpected
		}
		return s, nil
	}
}

// spelled reads a name of AWS's. What was expected of it is said already.
func spelled[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (T, error) {
		name, err := parse(s)
		if err != nil {
			return name, errUnexpected
		}
		return name, nil
	}
}

func topic(s string) (string, error) {
	_, err := spelled(arn.ParseTopic)(s)
	return s, err
}

func address(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", errUnexpected
	}
	return s, nil
}

// runbook is an address that may stand in a line of an alert.
func runbook(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" || alert.Clean(s) != s || strings.ContainsAny(s, " <>\"'`") {
		return "", errUnexpected
	}
	return s, nil
}

func severity(s string) (delivery.Severity, error) {
	switch level := delivery.Severity(strings.ToUpper(s)); level {
	case delivery.Critical, delivery.High, delivery.Medium, delivery.Low:
		return level, nil
	case delivery.Informational:
	}
	return "", errUnexpected
}

func buckets(s string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !arn.Bucket(name).Valid() {
			return nil, fmt.Errorf("%s is no name of a bucket", quoted(name))
		}
		names = append(names, name)
	}
	return names, nil
}

func truth(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errUnexpected
}

// scope reports whether an organization is served.
func scope(s string) (bool, error) {
	switch s {
	case "account":
		return false, nil
	case "organization":
		return true, nil
	}
	return false, errUnexpected
}

func between(low, high int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, errUnexpected
		}
		return n, nil
	}
}

func days(s string) (time.Duration, error) {
	n, err := between(1, 3650)(s)
	return time.Duration(n) * day, err
}

func duration(low time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < low {
			return 0, errUnexpected
		}
		return d, nil
	}
}

func format(s string) (alert.Format, error) {
	switch f := alert.Format(strings.ToLower(s)); f {
	case alert.Text, alert.JSON, alert.Chat:
		return f, nil
	}
	return "", errUnexpected
}

// What is expected of declared trails and owners.
const (
	declaredTrails = "trails in JSON, as `aws cloudtrail describe-trails` prints them"
	declaredOwners = "bucket=account pairs, separated by commas"
)

// declared reads trails with the one reader that the command line has, so that
// the guard watches what trailwarden check reads from the same text.
func declared(s string) ([]trail.Trail, error) { return trail.Parse([]byte(s)) }

// owners reads pairs, separated by commas or, in an object, by ends of lines.
func owners(s string) (map[string]string, error) {
	byBucket := make(map[string]string)
	for pair := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '\n' }) {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		bucket, owner, _ := strings.Cut(pair, "=")
		bucket, owner = strings.TrimSpace(bucket), strings.TrimSpace(owner)
		if !arn.Bucket(bucket).Valid() || !arn.Account(owner).Valid() {
			return nil, fmt.Errorf("%s is no such pair", quoted(pair))
		}
		if before, ok := byBucket[bucket]; ok && before != owner {
			return nil, fmt.Errorf("%s has two owners", quoted(bucket))
		}
		byBucket[bucket] = owner
	}
	return byBucket, nil
}
