package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Functions are the entry points of the Lambda functions. They are safe for
// several invocations at once.
type Functions struct {
	guard           *guardrail.Guard
	account, region string
	assumesRole     bool // in other accounts
	organization    bool // is served, and not one account
	// accepted are the weaknesses that are accepted; acceptedFault is why there is no list of them.
	accepted      []delivery.Acceptance
	acceptedFault error
	log           *slog.Logger
	meter         *meter
}

// NewFunctions builds all clients once. Each line of the log has the version. Metrics in embedded metric format go
// to metrics, a line each.
func NewFunctions(ctx context.Context, c Config, lookup LookupEnv, log *slog.Logger, metrics io.Writer) (*Functions, error) {
	log = log.With("version", Version)
	credentials, err := lambdaCredentials(lookup)
	if err != nil {
		return nil, err
	}
	clients := clientsFor(c, credentials)
	if c.Guard, err = withDeclared(ctx, clients, c); err != nil {
		return nil, err
	}
	var fault error
	if c.Guard, fault, err = withAccepted(ctx, clients, c); err != nil {
		return nil, err
	}
	if fault != nil {
		log.ErrorContext(ctx, "nothing is accepted", "error", fault)
	}
	p, err := Ports(clients, c.TopicARN, c.ChatTopicARN, c.Table)
	if err != nil {
		return nil, err
	}
	if c.Organization {
		p = ofOrganization(p, clients)
	}
	if p.Ledger == nil {
		log.WarnContext(ctx, "no table is configured: there is no memory, so that an outage is told with every event")
	}
	name, _ := lookup("AWS_LAMBDA_FUNCTION_NAME")
	f := newFunctions(c, p, Runtime(log), name, metrics)
	f.acceptedFault = fault
	return f, nil
}

// newFunctions returns functions with the given ports and clock.
func newFunctions(c Config, p guardrail.Ports, r guardrail.Runtime, name string, metrics io.Writer) *Functions {
	if name == "" {
		name = "local"
	}
	m := &meter{function: name, now: r.Now, out: metrics}
	p.Alerts = meteredAlerts{p.Alerts, m}
	p.Trails, p.Buckets, p.Organizations = calmTrails{p.Trails}, calmBuckets{p.Buckets}, calmOrganizations{p.Organizations}
	if p.Chain != nil {
		p.Chain = calmChain{p.Chain}
	}
	c.Guard.Stack = alert.Stack{Account: string(c.Account), Region: string(c.Region), Table: c.Table, Runbook: c.Runbook}
	c.Guard.Chat = c.ChatTopicARN != ""
	return &Functions{
		guard:        guardrail.New(p, c.Guard, r),
		account:      string(c.Account),
		region:       string(c.Region),
		assumesRole:  c.Role != "",
		organization: c.Organization,
		accepted:     c.Guard.Accepted,
		log:          r.Log,
		meter:        m,
	}
}

// lambdaCredentials are those that Lambda gives to a function. The SDK's own
// search for credentials is not used: it would bring code for single sign-on and
// for machines into each cold start.
func lambdaCredentials(lookup LookupEnv) (aws.CredentialsProvider, error) {
	var found aws.Credentials
	var failures []error
	for _, v := range []struct {
		name string
		to   *string
	}{
		{"AWS_ACCESS_KEY_ID", &found.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", &found.SecretAccessKey},
	} {
		if *v.to, _ = lookup(v.name); *v.to == "" {
			failures = append(failures, &VariableError{Name: v.name, Expected: "the credentials that Lambda sets"})
		}
	}
	found.SessionToken, _ = lookup("AWS_SESSION_TOKEN")
	found.Source = "environment"
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return found, nil
	}), errors.Join(failures...)
}

// outcome is what a function answers, for people who invoke it themselves.
type outcome struct {
	Trails  int             `json:"trails,omitempty"`
	Buckets []bucketOutcome `json:"buckets"`
	Skipped string          `json:"skipped,omitempty"`
	Warning string          `json:"warning,omitempty"`
}

type bucketOutcome struct {
	Bucket   string       `json:"bucket"`
	InUse    bool         `json:"inUse"`
	Verdict  string       `json:"verdict,omitempty"`
	Wrote    bool         `json:"wrote"`
	Repaired bool         `json:"repaired"`
	Notified []alert.Kind `json:"told,omitempty"`
}

// Sweep handles one call of the schedule, or one step that the state machine asks for.
func (f *Functions) Sweep(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
	ctx, cancel := before(ctx, answering)
	defer cancel()
	if s, ok := readStep(payload); ok {
		return f.step(ctx, s)
	}
	swept, err := f.guard.Sweep(ctx, f.account, f.region)
	done := outcome{Trails: swept.Trails, Buckets: []bucketOutcome{}}
	for _, r := range swept.Results {
		f.report(ctx, f.log, r)
		done.Buckets = append(done.Buckets, outcomeOf(r))
	}
	completed, failed := 1, 0
	if err != nil {
		failed = 1
		if swept.Trails == 0 {
			completed = 0 // the trails could not be listed: nothing was judged
		}
	}
	f.meter.emit(nil,
		count(MetricSweepCompleted, completed),
		count(MetricSweepFailures, failed),
		count(MetricSweepTrails, swept.Trails),
		count(MetricSweepBuckets, len(swept.Results)))
	f.reportAccepted(ctx, swept, err == nil)
	f.log.InfoContext(ctx, "sweep done", "trails", swept.Trails, "buckets", len(swept.Results), "failures", err != nil)
	return answer(done, err)
}

// reportAccepted counts and logs the entries of accepted weaknesses that have ended or accept
// nothing. Whole says that every bucket was judged: without it an entry may just not have
// come to be of use.
func (f *Functions) reportAccepted(ctx context.Context, swept guardrail.SweepResult, whole bool) {
	var accepted []delivery.AcceptedFinding
	judged := map[string]bool{}
	for _, r := range swept.Results {
		accepted = append(accepted, r.Accepted...)
		judged[r.Bucket] = r.Report.Verdict != ""
	}
	f.countIdle(ctx, accepted, func(a delivery.Acceptance) bool { return whole || judged[a.Bucket] })
}

// countIdle counts and logs the entries of accepted weaknesses that have ended, or accepted nothing
// of what was judged.
func (f *Functions) countIdle(ctx context.Context, accepted []delivery.AcceptedFinding, judged func(delivery.Acceptance) bool) {
	if len(f.accepted) == 0 && f.acceptedFault == nil {
		return
	}
	idle := delivery.Idle(f.accepted, accepted, func(a delivery.Acceptance) bool { return !a.OfPlan() && judged(a) }, f.meter.now())
	for _, sentence := range idle {
		f.log.WarnContext(ctx, "accepted weaknesses: "+sentence)
	}
	faults := len(idle)
	if f.acceptedFault != nil {
		f.log.ErrorContext(ctx, "nothing is accepted", "error", f.acceptedFault)
		faults++
	}
	f.meter.emit(nil, count(MetricAcceptedIdle, faults))
}

// answer returns the outcome, or the failure. A single failure is returned as
// it is: Lambda reports the type of the outermost error.
func answer(done outcome, failures ...error) (json.RawMessage, error) {
	err := errors.Join(failures...)
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) == 1 {
		err = joined.Unwrap()[0]
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(done)
}

func outcomeOf(r guardrail.Result) bucketOutcome {
	return bucketOutcome{
		Bucket: r.Bucket, InUse: r.InUse, Verdict: string(r.Report.Verdict),
		Wrote: r.Wrote, Repaired: r.Repaired, Notified: r.Notified,
	}
}

// report logs a result in one line and writes its metrics.
func (f *Functions) report(ctx context.Context, log *slog.Logger, r guardrail.Result) {
	if r.Stranger {
		log.WarnContext(ctx, "event of an account that is not in the organization dropped", "bucket", r.Bucket)
		f.meter.emit(nil, count(MetricStrangers, 1))
		return
	}
	log.InfoContext(ctx, "bucket looked at",
		"bucket", r.Bucket, "inUse", r.InUse, "verdict", r.Report.Verdict, "findings", len(r.Report.Findings),
		"wrote", r.Wrote, "repaired", r.Repaired, "told", r.Notified)
	if !r.InUse {
		return
	}
	repairs := 0
	if r.Wrote {
		repairs = 1
	}
	// A reconciliation that did not end has no verdict: nothing is known then.
	verdict := cmp.Or(r.Report.Verdict, delivery.Undetermined)
	// Each value of a dimension is a metric that is paid for: a bucket is one while it is broken.
	outages := count(MetricOutages, len(r.Report.Outages()))
	if outages.Value > 0 {
		outages.By = []string{dimensionBucket}
	}
	f.meter.emit(map[string]string{dimensionBucket: r.Bucket, dimensionVerdict: string(verdict)},
		count(MetricVerdicts, 1, dimensionVerdict),
		outages,
		count(MetricRepairs, repairs),
		count(MetricRefusals, len(r.Plan.Refused)))
}

// reportDelay writes how long it took from the API call to the alert.
func (f *Functions) reportDelay(request guardrail.Request, r guardrail.Result) {
	if len(r.Notified) == 0 || request.Change == nil || request.Change.Time.IsZero() {
		return
	}
	delay := f.meter.now().Sub(request.Change.Time)
	f.meter.emit(nil, metric{Name: MetricEventToAlertSeconds, Unit: "Seconds", Value: max(delay, 0).Round(time.Millisecond).Seconds()})
}

// meteredAlerts counts alerts on their way.
type meteredAlerts struct {
	next  guardrail.Alerts
	meter *meter
}

// Publish passes the message on and counts it.
func (a meteredAlerts) Publish(ctx context.Context, m alert.Message) error {
	err := a.next.Publish(ctx, m)
	if err != nil {
		a.meter.emit(nil, count(MetricAlertsFailed, 1), count(MetricAlertsSent, 0))
		return err
	}
	a.meter.emit(nil, count(MetricAlertsSent, 1), count(MetricAlertsFailed, 0))
	return nil
}
