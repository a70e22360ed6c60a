package trigger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// record is a CloudTrail record in its envelope.
type record struct{ envelope, detail fields }

func (r record) parameters() fields { return r.detail.object("requestParameters") }

func (r record) response() fields { return r.detail.object("responseElements") }

// resource returns the first of the resources of a service that the record lists and that is
// as wanted; the zero ARN: there is none.
func (r record) resource(service string, wanted func(arn.ARN) bool) arn.ARN {
	for _, raw := range elements(r.detail["resources"]) {
		resource, _ := object(raw)
		named := arn.Split(cmp.Or(resource.text("ARN"), resource.text("arn")))
		if named.Service == service && wanted(named) {
			return named
		}
	}
	return arn.ARN{}
}

// request returns what the record asks for, or why it asks for nothing.
// Warning says what is strange about a record that is looked at nevertheless.
func (r record) request(read func(record) named) (request guardrail.Request, warning, skipped string) {
	account := r.envelope.text("account")
	if !arn.Account(account).Valid() {
		account = r.detail.text("recipientAccountId")
	}
	if !arn.Account(account).Valid() {
		return request, "", "it names no account"
	}
	n := read(r)
	if n.skipped != "" {
		return request, "", n.skipped
	}
	if !arn.Bucket(n.bucket).Valid() {
		n.bucket = ""
	}
	if !arn.IsTrail(n.trail) && !arn.TrailName(n.trail).Valid() {
		n.trail = ""
	}
	region, warning := r.region()
	change := r.change(account, region, n)
	switch {
	case n.bucket == "" && n.trail == "" && n.chain == "" && !n.organization:
		return request, "", "it names no bucket, trail, key or topic"
	case n.bucket == "" && change.ErrorCode != "":
		return request, "", "the call failed and names no bucket"
	}
	return guardrail.Request{
		Account: account, Region: region, Bucket: n.bucket, Trail: n.trail, Chain: n.chain, Prefix: n.prefix, Organization: n.organization,
		Change: &change, SubmittedPolicy: n.policy,
	}, warning, ""
}

// region returns the region of the record, or "" if it names none that can be
// read. A region is never a reason to skip: AWS may open one that is spelled
// otherwise, and what is not looked at is not watched.
func (r record) region() (region, warning string) {
	given := cmp.Or(r.detail.text("awsRegion"), r.envelope.text("region"))
	for _, text := range []string{r.detail.text("awsRegion"), r.envelope.text("region")} {
		if arn.Region(text).Valid() {
			region = text
			break
		}
	}
	known := trail.Regions(arn.Region(region).Partition())
	switch {
	case region == "" && given == "":
		warning = "the event names no region"
	case region != given:
		warning = fmt.Sprintf("the event names a region that is not spelled like one, %q", clip(given, maxID))
	case len(known) > 0 && !slices.Contains(known, region):
		warning = fmt.Sprintf("the region %s is not known to this version", region)
	}
	return region, warning
}

func (r record) change(account, region string, n named) delivery.Change {
	d := r.detail
	at := parseTime(d.text("eventTime"))
	if at.IsZero() {
		at = parseTime(r.envelope.text("time"))
	}
	c := delivery.Change{
		Event: clip(d.text("eventName"), maxName), Time: at,
		SourceIP: clip(d.text("sourceIPAddress"), maxName), UserAgent: clip(d.text("userAgent"), maxText),
		EventID: clip(d.text("eventID"), maxID), Account: account, Region: region,
		ErrorCode: clip(d.text("errorCode"), maxName), Trail: n.trail, Chain: n.chain, Target: clip(n.target, maxName), Effect: n.effect,
	}
	r.caller().put(&c)
	return c
}

func parseTime(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
