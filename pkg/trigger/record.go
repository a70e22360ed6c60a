package trigger

import (
	"cmp"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// record is a CloudTrail record in its envelope.
type record struct{ envelope, detail fields }

func (r record) parameters() fields { return r.detail.object("requestParameters") }

func (r record) response() fields { return r.detail.object("responseElements") }

// resource returns the bucket that the record lists among its resources.
func (r record) resource() string {
	for _, raw := range elements(r.detail["resources"]) {
		resource, _ := object(raw)
		named := arn.Split(cmp.Or(resource.text("ARN"), resource.text("arn")))
		if named.Service == "s3" && arn.Bucket(named.Resource).Valid() {
			return named.Resource
		}
	}
	return ""
}

// request returns what the record asks for, or why it asks for nothing.
func (r record) request(read func(record) named) (request guardrail.Request, skipped string) {
	account := r.envelope.text("account")
	if !arn.Account(account).Valid() {
		account = r.detail.text("recipientAccountId")
	}
	if !arn.Account(account).Valid() {
		return request, "it names no account"
	}
	region := r.detail.text("awsRegion")
	if !arn.Region(region).Valid() {
		region = r.envelope.text("region")
	}
	if !arn.Region(region).Valid() {
		return request, "it names no region"
	}
	n := read(r)
	if !arn.Bucket(n.bucket).Valid() {
		n.bucket = ""
	}
	if !arn.IsTrail(n.trail) && !arn.TrailName(n.trail).Valid() {
		n.trail = ""
	}
	change := r.change(account, region, n.trail)
	switch {
	case n.bucket == "" && n.trail == "":
		return request, "it names no bucket and no trail"
	case n.bucket == "" && change.ErrorCode != "":
		return request, "the call failed and names no bucket"
	}
	return guardrail.Request{
		Account: account, Region: region, Bucket: n.bucket, Trail: n.trail,
		Change: &change, SubmittedPolicy: n.policy,
	}, ""
}

func (r record) change(account, region, trail string) delivery.Change {
	d := r.detail
	at := parseTime(d.text("eventTime"))
	if at.IsZero() {
		at = parseTime(r.envelope.text("time"))
	}
	return delivery.Change{
		Event: clip(d.text("eventName"), maxName), Time: at, Actor: clip(r.actor(), maxText),
		SourceIP: clip(d.text("sourceIPAddress"), maxName), UserAgent: clip(d.text("userAgent"), maxText),
		EventID: clip(d.text("eventID"), maxID), Account: account, Region: region,
		ErrorCode: clip(d.text("errorCode"), maxName), Trail: trail,
	}
}

func parseTime(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// actor says who called: an ARN where there is one, else the service, else the
// account. A call that a service made with somebody's permissions names both.
// Source: awscloudtrail userguide, cloudtrail-event-reference-user-identity.html.
func (r record) actor() string {
	identity := r.detail.object("userIdentity")
	who, by := identity.text("arn"), identity.text("invokedBy")
	if who == "" {
		// A session without an ARN of its own still names its role.
		who = identity.object("sessionContext").object("sessionIssuer").text("arn")
	}
	switch {
	case who != "" && by != "":
		return who + " via " + by
	case who != "":
		return who
	case by != "":
		return by
	}
	account, principal := identity.text("accountId"), identity.text("principalId")
	switch {
	case account != "" && principal != "":
		return "account " + account + " (" + principal + ")"
	case account != "":
		return "account " + account
	case principal != "":
		return principal
	}
	if name := identity.text("userName"); name != "" {
		return name
	}
	return identity.text("type")
}
