package inmem

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// call is what Apply reads of an event: what the API call asked for.
type call struct {
	Name       string     `json:"eventName"`
	Time       time.Time  `json:"eventTime"`
	ErrorCode  string     `json:"errorCode"`
	Account    string     `json:"recipientAccountId"`
	Region     string     `json:"awsRegion"`
	Parameters parameters `json:"requestParameters"`
	Response   struct {
		TrailARN string `json:"trailARN"`
	} `json:"responseElements"`
}

type parameters struct {
	Bucket  string   `json:"bucketName"`
	Policy  jsonText `json:"bucketPolicy"`
	Payment struct {
		Payer string `json:"Payer"`
	} `json:"RequestPaymentConfiguration"`

	// Of trails. What is not named is not changed.
	Name              string           `json:"name"`
	TrailName         string           `json:"trailName"`
	TrailBucket       *string          `json:"s3BucketName"`
	Prefix            *string          `json:"s3KeyPrefix"`
	KMSKeyID          *string          `json:"kmsKeyId"`
	MultiRegion       *bool            `json:"isMultiRegionTrail"`
	Organization      *bool            `json:"isOrganizationTrail"`
	GlobalEvents      *bool            `json:"includeGlobalServiceEvents"`
	LogFileValidation *bool            `json:"enableLogFileValidation"`
	Insights          *json.RawMessage `json:"insightSelectors"`
	Aggregations      *json.RawMessage `json:"aggregationConfigurations"`
	trail.Selectors
}

// Apply changes the account as the API call of an EventBridge event did. A
// call that failed, that reads, or that is not known to this package changes
// nothing. The error says that the event cannot be read or names nothing that
// is there. A name stands for what the account of the event has of that name.
func (a *Account) Apply(payload []byte) error {
	var envelope struct {
		Account string          `json:"account"`
		Detail  json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(payload, &envelope); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(envelope.Detail, &members) != nil || members["eventName"] == nil {
		return nil // no API call
	}
	var c call
	if err := json.Unmarshal(envelope.Detail, &c); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if c.ErrorCode != "" {
		return nil
	}
	c.Account = cmp.Or(c.Account, envelope.Account, a.account)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch c.Name {
	case "CreateBucket":
		a.putBucket(Bucket{Name: c.Parameters.Bucket, Owner: c.Account, Region: c.Region})
	case "DeleteBucket", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketRequestPayment":
		return a.applyToBucket(c)
	case "CreateTrail":
		return a.createTrail(c)
	case "UpdateTrail", "DeleteTrail", "StopLogging", "StartLogging", "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration":
		return a.applyToTrail(c)
	}
	return nil
}

func (a *Account) applyToBucket(c call) error {
	p := c.Parameters
	b, ok := a.buckets[p.Bucket]
	if !ok {
		return fmt.Errorf("event: %s of bucket %q, which is not there", c.Name, p.Bucket)
	}
	if b.Owner != c.Account {
		return fmt.Errorf("event: %s of bucket %q in account %s, which is not there: that of account %s has the name", c.Name, p.Bucket, c.Account, b.Owner)
	}
	switch c.Name {
	case "DeleteBucket":
		delete(a.buckets, p.Bucket)
		return nil
	case "PutBucketPolicy":
		b.Policy = slices.Clone(p.Policy)
		if a.reserialize {
			b.Policy = Reserialize(p.Policy)
		}
	case "DeleteBucketPolicy":
		b.Policy = nil
	case "PutBucketRequestPayment":
		b.Payer = p.Payment.Payer
	}
	a.putBucket(b)
	return nil
}

func (a *Account) createTrail(c call) error {
	t := trail.Trail{Name: c.Parameters.Name, ARN: c.Response.TrailARN, HomeRegion: c.Region}
	if t.ARN == "" {
		return fmt.Errorf("event: CreateTrail of %q without the new trail's ARN", t.Name)
	}
	c.Parameters.change(&t)
	if c.Account != a.account && !t.Organization {
		return fmt.Errorf("event: CreateTrail of %q in account %s, which account %s does not see", t.Name, c.Account, a.account)
	}
	a.trails = append(slices.DeleteFunc(a.trails, func(old trail.Trail) bool { return old.ARN == t.ARN }), t)
	a.statuses[t.ARN] = trail.Status{ARN: t.ARN} // a new trail is not logging yet
	return nil
}

func (a *Account) applyToTrail(c call) error {
	p := c.Parameters
	name := p.Name + p.TrailName
	i := slices.IndexFunc(a.trails, func(t trail.Trail) bool {
		return t.ARN == name || t.Name == name && t.HomeRegion == c.Region && t.Account() == c.Account
	})
	if i < 0 { // the copy of an organization's trail
		i = slices.IndexFunc(a.trails, func(t trail.Trail) bool {
			return t.Name == name && t.HomeRegion == c.Region && t.Organization && c.Account == a.account
		})
	}
	if i < 0 {
		return fmt.Errorf("event: %s of trail %q of account %s, which is not there", c.Name, name, c.Account)
	}
	t := &a.trails[i]
	status := a.statuses[t.ARN]
	switch c.Name {
	case "DeleteTrail":
		delete(a.statuses, t.ARN)
		a.trails = slices.Delete(a.trails, i, i+1)
		return nil
	case "StopLogging":
		status.Logging, status.StoppedLoggingAt = false, c.Time
	case "StartLogging":
		status.Logging, status.StartedLoggingAt = true, c.Time
	default:
		p.change(t)
	}
	a.statuses[t.ARN] = status
	return nil
}

func (p parameters) change(t *trail.Trail) {
	set(&t.Bucket, p.TrailBucket)
	set(&t.Prefix, p.Prefix)
	set(&t.KMSKeyID, p.KMSKeyID)
	set(&t.MultiRegion, p.MultiRegion)
	set(&t.Organization, p.Organization)
	set(&t.GlobalEvents, p.GlobalEvents)
	set(&t.LogFileValidation, p.LogFileValidation)
	if len(p.Basic)+len(p.Advanced) > 0 {
		t.CustomSelectors, t.NetworkActivity, t.Unlogged = true, p.NetworkActivity(), p.Unlogged()
	}
	if p.Insights != nil {
		t.InsightSelectors = string(*p.Insights) != "[]"
	}
	if p.Aggregations != nil {
		t.Aggregated = string(*p.Aggregations) != "[]"
	}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
