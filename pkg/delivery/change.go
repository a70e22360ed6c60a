package delivery

import (
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Change is an API call that may have changed whether CloudTrail can deliver:
// who did what, when and from where. Its texts come from events and are data.
type Change struct {
	Event string    `json:"event"` // "PutBucketPolicy"
	Time  time.Time `json:"time"`
	// Actor is who made the call: an ARN, or a service, or an account with what
	// else is known of the caller: "account 111122223333 (dana)".
	Actor string `json:"actor"`
	// Via is by what the actor made the call, where it was not directly: the
	// service that called with the actor's permissions, the ARN of the function
	// or instance whose credentials were used, "AssumeRoot". Several are
	// separated by ", ".
	Via string `json:"via,omitempty"`
	// OnBehalfOf is who stands behind the actor, where the record tells it: the
	// source identity of the session, the ARN of the user whose key made a
	// federated session, "Identity Center user ID",
	// "account 111122223333 (temporary delegation)". Several are separated by
	// ", ", a person before an account.
	OnBehalfOf string `json:"onBehalfOf,omitempty"`
	// LinkedService is the service whose service-linked role the actor is:
	// "cloudtrail.amazonaws.com".
	LinkedService string `json:"linkedService,omitempty"`
	// Target is what a call of AWS Organizations was about: the id of an
	// account, or a service.
	Target string `json:"target,omitempty"`
	// Effect is what the call set, where the direction matters: of
	// PutBucketRequestPayment the payer; of UpdateTrail and PutEventSelectors what
	// they take away, see [TakesAway]. Empty: not known.
	Effect string `json:"effect,omitempty"`
	// AccessKeyID is the access key that the call was signed with, and MFA whether its
	// session was opened with a second factor: "true", "false", or empty: not known.
	AccessKeyID string `json:"accessKeyID,omitempty"`
	MFA         string `json:"mfa,omitempty"`
	SourceIP    string `json:"sourceIP,omitempty"`
	UserAgent   string `json:"userAgent,omitempty"`
	EventID     string `json:"eventID,omitempty"`
	Account     string `json:"account,omitempty"`   // account in which it was recorded
	Region      string `json:"region,omitempty"`    // region in which it was recorded
	ErrorCode   string `json:"errorCode,omitempty"` // set where the call failed
	Trail       string `json:"trail,omitempty"`     // name or ARN of the trail that was changed
	Chain       string `json:"chain,omitempty"`     // ARN of the key or topic that was changed
}

// Names reports whether the call named a trail, by its ARN or its name.
func (c Change) Names(t trail.Trail) bool {
	return c.Trail != "" && (c.Trail == t.ARN || c.Trail == t.Name)
}

// Caller says who made the call, by what, and on whose behalf, in one line;
// empty: the record names nobody.
func (c Change) Caller() string {
	text := c.Actor
	if text == "" && c.Via+c.OnBehalfOf != "" {
		text = "someone not named"
	}
	if c.Via != "" {
		text += " via " + c.Via
	}
	if c.OnBehalfOf != "" {
		text += " on behalf of " + c.OnBehalfOf
	}
	return text
}
