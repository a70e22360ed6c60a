package trigger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Event is what one EventBridge event asks for.
type Event struct {
	ID       string              // of the envelope
	Name     string              // "PutBucketPolicy"
	Requests []guardrail.Request // none: nothing that matters here
	// Skipped says why there is no request, in one line; empty otherwise.
	Skipped string
	// Warning says what is strange about an event that is looked at
	// nevertheless, in one line; empty: nothing.
	Warning string
}

// MalformedError says what is wrong with an event and what was expected.
type MalformedError struct{ Reason string }

// Error returns the reason.
func (e *MalformedError) Error() string { return "malformed event: " + e.Reason }

// The types of details that matter.
// Source: eventbridge userguide, eb-service-event-cloudtrail.html.
const (
	apiCall      = "AWS API Call via CloudTrail"
	serviceEvent = "AWS Service Event via CloudTrail"
)

// Parse reads an EventBridge event of any kind. An event that this package does
// not know has no requests. An error is a *MalformedError: the event cannot
// be read at all, and trying again is of no use.
func Parse(payload []byte) (Event, error) {
	envelope, ok := object(payload)
	if !ok {
		return Event{}, &MalformedError{Reason: "it is not a JSON object; expected an EventBridge event"}
	}
	event := Event{ID: clip(envelope.text("id"), maxID)}
	kind := envelope.text("detail-type")
	if kind == "" && envelope["Records"] != nil {
		return event, &MalformedError{Reason: "it is a log file of CloudTrail; expected an EventBridge event, which holds one record as its detail"}
	}
	if kind == "" {
		return event, &MalformedError{Reason: "it has no detail-type; expected an EventBridge event"}
	}
	if kind != apiCall && kind != serviceEvent {
		event.Skipped = fmt.Sprintf("detail-type %q is not of an API call", clip(kind, maxName))
		return event, nil
	}
	detail, ok := object(envelope["detail"])
	if !ok {
		return event, &MalformedError{Reason: "detail is not an object; expected a CloudTrail record"}
	}
	event.Name = clip(detail.text("eventName"), maxName)
	read := reader(envelope.text("source"), event.Name)
	if read == nil {
		source := clip(envelope.text("source"), maxName)
		event.Skipped = fmt.Sprintf("%s of %s changes nothing that matters here", orUnnamed(event.Name), orUnnamed(source))
		return event, nil
	}
	request, warning, skipped := record{envelope: envelope, detail: detail}.request(read)
	if skipped != "" {
		event.Skipped = event.Name + ": " + skipped
		return event, nil
	}
	event.Requests, event.Warning = []guardrail.Request{request}, warning
	return event, nil
}

func orUnnamed(s string) string {
	if s == "" {
		return "(no name)"
	}
	return s
}

// named is what a call names: a bucket, a trail, or both; a key or a topic, by its ARN; or the
// organization.
type named struct {
	bucket, trail string
	chain         string
	policy        []byte
	prefix        *string // that the trail has now; nil: not told
	// organization says that all organization trails may be concerned, because
	// of target.
	organization bool
	target       string
	// effect is what the call set, where the direction matters.
	effect string
	// skipped says why the call does not matter.
	skipped string
}

// reader returns what reads the names from an event of a source, or nil for
// an event that does not matter.
// Source: real records of these calls; parameter names are those of the APIs
// but for bucketName, which S3 puts into all of its records.
func reader(source, name string) func(record) named {
	switch source + "/" + name {
	case "aws.s3/PutBucketPolicy":
		return policyWritten
	case "aws.s3/DeleteBucketPolicy", "aws.s3/CreateBucket", "aws.s3/DeleteBucket",
		"aws.s3/PutBucketEncryption", "aws.s3/DeleteBucketEncryption": // S3 Bucket Keys
		return ofBucket
	case "aws.s3/PutBucketRequestPayment":
		return payerSet
	case "aws.cloudtrail/CreateTrail", "aws.cloudtrail/UpdateTrail":
		return trailWritten
	case "aws.cloudtrail/DeleteTrail", "aws.cloudtrail/StopLogging", "aws.cloudtrail/StartLogging":
		return ofTrail("name")
	case "aws.cloudtrail/PutEventSelectors":
		return selectorsPut
	case "aws.cloudtrail/PutInsightSelectors":
		return ofTrail("trailName")
	case "aws.cloudtrail/PutEventConfiguration":
		return eventsConfigured
	case "aws.kms/PutKeyPolicy", "aws.kms/DisableKey", "aws.kms/EnableKey", "aws.kms/ScheduleKeyDeletion",
		"aws.kms/CancelKeyDeletion", "aws.kms/ImportKeyMaterial", "aws.kms/DeleteImportedKeyMaterial":
		return ofKey
	case "aws.sns/SetTopicAttributes":
		return attributeSet
	case "aws.sns/AddPermission", "aws.sns/RemovePermission", "aws.sns/CreateTopic", "aws.sns/DeleteTopic":
		return ofTopic
	case "aws.organizations/DisableAWSServiceAccess":
		return serviceAccessDisabled
	case "aws.organizations/LeaveOrganization", "aws.organizations/RemoveAccountFromOrganization",
		"aws.organizations/CloseAccount", "aws.organizations/AccountDepartedOrganization":
		return memberLeft
	default:
		return nil
	}
}

func ofBucket(r record) named {
	bucket := r.parameters().text("bucketName")
	if !arn.Bucket(bucket).Valid() {
		bucket = r.resource("s3", func(a arn.ARN) bool { return arn.Bucket(a.Resource).Valid() }).Resource
	}
	return named{bucket: bucket}
}

// ofKey prefers the key that the record lists among its resources: a request may name it by
// its id alone.
// Source: kms developerguide, understanding-kms-entries.html.
func ofKey(r record) named {
	if listed := r.resource("kms", isKey); listed.Resource != "" {
		return named{chain: listed.String()}
	}
	id := r.parameters().text("keyId")
	if given := arn.Split(id); isKey(given) {
		return named{chain: given.String()}
	}
	made := arn.ARN{
		Partition: arn.Region(r.detail.text("awsRegion")).Partition(), Service: "kms", Region: arn.Region(r.detail.text("awsRegion")),
		Account: arn.Account(cmp.Or(r.detail.text("recipientAccountId"), r.envelope.text("account"))), Resource: "key/" + id,
	}
	if isKey(made) {
		return named{chain: made.String()}
	}
	return named{}
}

// isKey reports whether an ARN is that of a KMS key.
func isKey(a arn.ARN) bool {
	id, ok := strings.CutPrefix(a.Resource, "key/")
	return ok && a.Service == "kms" && a.Placed() && isWord(id)
}

// ofTopic reads the topic of a request, or the one that was made.
func ofTopic(r record) named {
	for _, name := range []string{r.parameters().text("topicArn"), r.response().text("topicArn")} {
		if given := arn.Split(name); isTopic(given) {
			return named{chain: given.String()}
		}
	}
	return named{}
}

// isTopic reports whether an ARN is that of a topic, and not of a subscription.
func isTopic(a arn.ARN) bool {
	return a.Service == "sns" && a.Placed() && isWord(strings.TrimSuffix(a.Resource, ".fifo"))
}

// attributeSet matters where it is the topic's policy, or its key.
// Source: SetTopicAttributes in the API reference of Amazon SNS.
func attributeSet(r record) named {
	switch name := r.parameters().text("attributeName"); name {
	case "Policy", "KmsMasterKeyId", "":
		return ofTopic(r)
	default:
		return named{skipped: "it sets " + clip(name, maxName)}
	}
}

// isWord reports whether a text is an id of a key or the name of a topic: up to 256 letters,
// digits, hyphens and underscores.
func isWord(s string) bool {
	return s != "" && len(s) <= 256 && strings.Trim(s, "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// payerSet reads who is to pay: a call that lets the owner pay again did no harm.
func payerSet(r record) named {
	n := ofBucket(r)
	switch payer := r.parameters().object("RequestPaymentConfiguration").text("Payer"); payer {
	case delivery.PayerOwner, delivery.PayerRequester:
		n.effect = payer
	}
	return n
}

func policyWritten(r record) named {
	n := ofBucket(r)
	n.policy = submitted(r.parameters()["bucketPolicy"])
	return n
}

// trailWritten prefers the answer, which has the trail as it now is: a request
// has only what changes.
func trailWritten(r record) named {
	request, response := r.parameters(), r.response()
	n := named{bucket: response.text("s3BucketName"), trail: response.text("trailARN")}
	if !arn.Bucket(n.bucket).Valid() {
		n.bucket = request.text("s3BucketName")
	}
	if !arn.IsTrail(n.trail) {
		n.trail = request.text("name")
	}
	if r.detail.text("eventName") == "UpdateTrail" && len(request) > 0 {
		n.effect = taken(request)
	}
	// An answer without a prefix is that of a trail without one.
	_, asked := request["s3KeyPrefix"]
	switch {
	case arn.Bucket(response.text("s3BucketName")).Valid():
		n.prefix = new(response.text("s3KeyPrefix"))
	case asked:
		n.prefix = new(request.text("s3KeyPrefix"))
	}
	return n
}

// taken is what a request of UpdateTrail takes away from what the trail covers. What
// it does not name stays as it is.
// Source: UpdateTrail in the API reference of CloudTrail.
func taken(request fields) string {
	var parts []trail.Part
	for _, flag := range []struct {
		member string
		part   trail.Part
	}{
		{"isOrganizationTrail", trail.PartMembers},
		{"isMultiRegionTrail", trail.PartRegions},
		{"includeGlobalServiceEvents", trail.PartGlobal},
		{"enableLogFileValidation", trail.PartValidation},
	} {
		if request[flag.member] != nil && !request.flag(flag.member) {
			parts = append(parts, flag.part)
		}
	}
	if request["kmsKeyId"] != nil && request.text("kmsKeyId") == "" {
		parts = append(parts, trail.PartKey)
	}
	return delivery.TakesAway(parts...)
}

// selectorsPut reads which management events the trail logs from then on.
func selectorsPut(r record) named {
	n := ofTrail("trailName")(r)
	var selectors trail.Selectors
	if raw, err := json.Marshal(r.parameters()); err != nil || json.Unmarshal(raw, &selectors) != nil ||
		len(selectors.Basic)+len(selectors.Advanced) == 0 {
		return n
	}
	switch unlogged := selectors.Unlogged(); {
	case unlogged.Writes:
		n.effect = delivery.TakesAway(delivery.PartWrites)
	case unlogged != (trail.Unlogged{}):
		n.effect = delivery.TakesAway(trail.PartManagement)
	default:
		n.effect = delivery.EffectNothing
	}
	return n
}

func ofTrail(parameter string) func(record) named {
	return func(r record) named {
		name := r.response().text("trailARN")
		if !arn.IsTrail(name) {
			name = r.parameters().text(parameter)
		}
		return named{trail: name}
	}
}

// eventsConfigured is of a trail's aggregated files, or of an event data store,
// which writes no files.
// Source: PutEventConfiguration in the API reference of CloudTrail.
func eventsConfigured(r record) named {
	n := ofTrail("trailName")(r)
	if n.trail == "" && r.parameters().text("eventDataStore") != "" {
		n.skipped = "it is about an event data store"
	}
	return n
}

// serviceAccessDisabled matters where CloudTrail loses its trusted access: its
// service-linked role then deletes the organization trails in the members.
// Source: organizations userguide, services-that-can-integrate-cloudtrail.html.
func serviceAccessDisabled(r record) named {
	service := r.parameters().text("servicePrincipal")
	if service != "" && service != cloudTrail {
		return named{skipped: "it is about " + clip(service, maxName)}
	}
	return named{organization: true, target: cmp.Or(service, cloudTrail)}
}

const cloudTrail = "cloudtrail.amazonaws.com"

// memberLeft is of an account that left its organization or was closed. The
// account itself calls LeaveOrganization; AccountDepartedOrganization is how
// the management account learns of it.
// Source: LeaveOrganization, RemoveAccountFromOrganization and CloseAccount in
// the API reference of Organizations.
func memberLeft(r record) named {
	n := named{organization: true}
	for _, where := range []fields{r.parameters(), r.detail.object("serviceEventDetails")} {
		if id := where.text("accountId"); arn.Account(id).Valid() {
			n.target = id
		}
	}
	if n.target == "" && r.detail.text("eventName") == "LeaveOrganization" {
		n.target = r.detail.object("userIdentity").text("accountId")
	}
	return n
}

// submitted returns a policy as an event has it: an object, or a string that
// holds one. One that is longer than S3 allows is dropped.
func submitted(raw json.RawMessage) []byte {
	if text, ok := decodeText(raw); ok {
		raw = json.RawMessage(text)
	}
	if _, ok := object(raw); !ok {
		return nil
	}
	if text := compact(raw); len(text) <= maxPolicy {
		return text
	}
	return nil
}
