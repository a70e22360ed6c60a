package ledger

import "time"

// Seen is a bucket's policy as somebody last looked at it, in an organization. By it a sweep
// knows that the policy was changed since, and whether an event has told so.
type Seen struct {
	Policy string `json:"policy"` // fingerprint
	Region string `json:"region"` // of the bucket
	// First is when the bucket was first looked at, Since when the policy was first seen
	// to be this one.
	First time.Time `json:"first"`
	Since time.Time `json:"since"`
	// Unheard says that a sweep found it changed at Since, and that no event of the bucket has
	// come since.
	Unheard bool `json:"unheard,omitempty"`
}

// See returns the record with the policy that was seen at a time. Heard says that an event led
// there: what it told of was heard of then, and all before.
func (r Record) See(policy, region string, at time.Time, heard bool) Record {
	next := Seen{Policy: policy, Region: region, First: at, Since: at}
	if was := r.Seen; was != nil {
		next.First = was.First
		if was.Policy == policy {
			next.Since, next.Unheard = was.Since, was.Unheard
		} else {
			next.Unheard = true
		}
	}
	next.Unheard = next.Unheard && !heard
	r.Seen = &next
	return r
}

// Replaced returns the record with another policy in the place of the one that was seen, by our
// own hand. What was not heard of stays so.
func (r Record) Replaced(policy string, at time.Time) Record {
	if r.Seen == nil || r.Seen.Policy == policy {
		return r
	}
	next := *r.Seen
	next.Policy = policy
	if !next.Unheard {
		next.Since = at
	}
	r.Seen = &next
	return r
}
