// Package trail knows CloudTrail: what a trail is, the requests that
// CloudTrail makes to deliver its files, and the bucket policy that AWS
// documents for it.
//
// Everything here is pure: data in, data out.
package trail

import (
	"strings"
	"time"
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
	LogFileValidation bool   `json:"LogFileValidationEnabled"`
	CustomSelectors   bool   `json:"HasCustomEventSelectors"`
	InsightSelectors  bool   `json:"HasInsightSelectors"`
	// NetworkActivity and Aggregated say that the trail writes such files.
	// DescribeTrails does not tell; they come from the event selectors.
	NetworkActivity bool `json:"NetworkActivity,omitempty"`
	Aggregated      bool `json:"Aggregated,omitempty"`
}

// Account returns the account that owns the trail: for an organization trail
// the management account.
func (t Trail) Account() string { return t.arnField(4) }

// Partition returns the trail's partition: "aws", "aws-cn", "aws-us-gov".
func (t Trail) Partition() string { return t.arnField(1) }

// region returns the trail's home region, from its ARN if need be.
func (t Trail) region() string {
	if t.HomeRegion != "" {
		return t.HomeRegion
	}
	return t.arnField(3)
}

// name returns the trail's name, from its ARN if need be.
func (t Trail) name() string {
	if t.Name != "" {
		return t.Name
	}
	_, name, _ := strings.Cut(t.arnField(5), "/")
	return name
}

func (t Trail) arnField(i int) string {
	fields := strings.SplitN(t.ARN, ":", 6)
	if len(fields) < 6 {
		return ""
	}
	return fields[i]
}

// Status is what CloudTrail itself reports of a trail's deliveries
// (GetTrailStatus in the home region).
type Status struct {
	ARN               string    `json:"arn"`
	Logging           bool      `json:"logging"`
	DeliveryError     string    `json:"deliveryError,omitempty"`    // an S3 or KMS error code: "AccessDenied"
	DigestError       string    `json:"digestError,omitempty"`      // the same for digest files
	DeliveredAt       time.Time `json:"deliveredAt,omitzero"`       // last success
	DeliveryAttempt   time.Time `json:"deliveryAttempt,omitzero"`   // last attempt
	DigestDeliveredAt time.Time `json:"digestDeliveredAt,omitzero"` // last success of a digest file
	StartedLoggingAt  time.Time `json:"startedLoggingAt,omitzero"`  //
	StoppedLoggingAt  time.Time `json:"stoppedLoggingAt,omitzero"`  //
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
	// Regions are regions beside the built-in ones of the partition.
	Regions []string
	// Now is the time for which requests are judged. The zero time means
	// that it is not known.
	Now time.Time
}
