package trail

import (
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// ServicePrincipal is the name that CloudTrail has in policies, in every
// partition.
const ServicePrincipal = "cloudtrail.amazonaws.com"

// Trail is a trail as DescribeTrails gives it.
type Trail struct {
	Name              string `json:"Name"`
	ARN               string `json:"TrailARN"`
	HomeRegion        string `json:"HomeRegion"`
	Bucket            string `json:"S3BucketName"`
	Prefix            string `json:"S3KeyPrefix,omitempty"`
	KMSKeyID          string `json:"KmsKeyId,omitempty"`
	MultiRegion       bool   `json:"IsMultiRegionTrail"`
	Organization      bool   `json:"IsOrganizationTrail"`
	GlobalEvents      bool   `json:"IncludeGlobalServiceEvents"`
	LogFileValidation bool   `json:"LogFileValidationEnabled"`
	CustomSelectors   bool   `json:"HasCustomEventSelectors"`
	InsightSelectors  bool   `json:"HasInsightSelectors"`
	// NetworkActivity and Aggregated say that the trail writes such files. Where
	// it has custom event selectors, DescribeTrails does not tell: they come from
	// the event selectors and the event configuration, as far as these are known.
	NetworkActivity    bool `json:"NetworkActivity,omitempty"`
	Aggregated         bool `json:"Aggregated,omitempty"`
	SelectorsKnown     bool `json:"SelectorsKnown,omitempty"`
	ConfigurationKnown bool `json:"ConfigurationKnown,omitempty"`
	// Unlogged are the management events that its event selectors leave out. It
	// means something only where these are known: see [Trail.ManagementEvents].
	Unlogged Unlogged `json:"Unlogged,omitzero"`

	// What else the trail was made with, so that it can be made again.
	SNSTopic string `json:"SnsTopicARN,omitempty"`
	LogGroup string `json:"CloudWatchLogsLogGroupArn,omitempty"`
	LogRole  string `json:"CloudWatchLogsRoleArn,omitempty"`
	// Selectors are its event selectors as PutEventSelectors takes them, in JSON: an object with
	// EventSelectors or AdvancedEventSelectors. Empty: it has none of its own, they are not
	// known, or they are longer than [MaxSelectors].
	Selectors string `json:"Selectors,omitempty"`
}

// MaxSelectors is how long a trail's event selectors may be to be remembered, in bytes of a JSON
// string. A trail may have hundreds of data resources, and a record has to stay small.
const MaxSelectors = 4096

// Account returns the account that owns the trail: for an organization trail
// the management account. Without an ARN it is empty.
func (t Trail) Account() string { return string(t.parsed().Account) }

// Partition returns the trail's partition. Without an ARN it is empty.
func (t Trail) Partition() arn.Partition { return t.parsed().Partition }

// region returns the trail's home region, from its ARN if need be.
func (t Trail) region() string {
	if t.HomeRegion != "" {
		return t.HomeRegion
	}
	return string(t.parsed().Region)
}

// name returns the trail's name, from its ARN if need be.
func (t Trail) name() string {
	if t.Name != "" {
		return t.Name
	}
	_, name, _ := strings.Cut(t.parsed().Resource, "/")
	return name
}

// parsed is the trail's ARN, or the zero ARN. It is not asked to be a trail's:
// a trail is judged by what is known of it.
func (t Trail) parsed() arn.ARN {
	a, _ := arn.Parse(t.ARN)
	return a
}

// Status is what CloudTrail itself reports of a trail's deliveries
// (GetTrailStatus in the home region).
type Status struct {
	ARN               string    `json:"arn"`
	Logging           bool      `json:"logging"`
	DeliveryError     string    `json:"deliveryError,omitempty"`     // an S3 or KMS error code: "AccessDenied"
	DigestError       string    `json:"digestError,omitempty"`       // the same for digest files
	NotificationError string    `json:"notificationError,omitempty"` // an SNS error code, until a notification works
	LogsError         string    `json:"logsError,omitempty"`         // of the trail's CloudWatch Logs group
	DeliveredAt       time.Time `json:"deliveredAt,omitzero"`        // last success
	DeliveryAttempt   time.Time `json:"deliveryAttempt,omitzero"`    // last attempt
	DigestDeliveredAt time.Time `json:"digestDeliveredAt,omitzero"`  // last success of a digest file
	StartedLoggingAt  time.Time `json:"startedLoggingAt,omitzero"`   //
	StoppedLoggingAt  time.Time `json:"stoppedLoggingAt,omitzero"`   //
	// New says that the trail was made minutes ago. CloudTrail does not report
	// it: events tell, or that the trail was not there before.
	New bool `json:"new,omitempty"`
}

// NeverStarted reports whether the trail was made and does not log yet.
func (s Status) NeverStarted() bool {
	return !s.Logging && s.StartedLoggingAt.IsZero() && s.StoppedLoggingAt.IsZero()
}

// Failing reports whether CloudTrail reports an error of its last delivery.
func (s Status) Failing() bool { return s.DeliveryError != "" || s.DigestError != "" }

// How long an error may still be reported of a time before the bucket was changed,
// where nothing tells when the delivery was tried. CloudTrail delivers log files
// about every five minutes and digest files every hour, and reports an error until
// its next success.
const (
	settling       = 15 * time.Minute
	settlingDigest = 75 * time.Minute
)

// FailedBefore reports whether the error that CloudTrail reports is of a delivery
// from before the given time, when the bucket was changed, so that it says nothing
// of the bucket as it is now.
//
// LatestDeliveryAttemptTime tells, where it is filled. GetTrailStatus in the API
// reference says of it "This field is no longer in use", so that it may be missing.
// Then the last delivery that worked has to do, since it clears the error:
// after one that came later the error is newer still. Else it may be of before or
// after, and is taken for old only for as long as CloudTrail needs for its next try.
func (s Status) FailedBefore(changed, now time.Time) bool {
	switch {
	case !s.Failing() || changed.IsZero():
		return false
	case !s.DeliveryAttempt.IsZero():
		return !s.DeliveryAttempt.After(changed)
	case s.DeliveryError == "":
		return !s.DigestDeliveredAt.After(changed) && now.Sub(changed) < settlingDigest
	}
	return !s.DeliveredAt.After(changed) && now.Sub(changed) < settling
}

// Organization is what is known of the organization that a trail's owner is in.
type Organization struct {
	// Known is whether it is known if there is an organization at all.
	Known bool `json:"known"`
	// ID is "o-…", or empty: in no organization, if Known.
	ID string `json:"id,omitempty"`
	// ManagementAccount is the account that owns organization trails.
	ManagementAccount string `json:"managementAccount,omitempty"`
	// Members are the accounts known to be in the organization.
	Members []string `json:"members,omitempty"`
}

// Environment is what is known of a bucket's surroundings, beside its policy.
type Environment struct {
	Bucket       string
	BucketOwner  string // account id, or empty: not known
	BucketRegion string // or empty: not known
	Organization Organization
	// EnabledRegions are the regions that are enabled, all of them, by account
	// id; the empty id stands for every account. Of an account that is not in it
	// the regions are not known, beside those that every account has.
	EnabledRegions map[string][]string
	// Now is the time for which requests are judged. The zero time means
	// that it is not known.
	Now time.Time
}
