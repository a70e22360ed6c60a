package ledger

import (
	"regexp"
	"time"
)

// Seen is a bucket's policy as somebody last looked at it, in an organization. By it a sweep
// knows that the policy was changed since, and whether an event has told so.
type Seen struct {
	// Policy is a digest of the policy that no deleted role changes ([CalledPolicy]), and Exact its
	// fingerprint. Both are empty if there is none. Unsure says that what was read may have been older
	// than an event told.
	Policy string `json:"policy,omitempty"`
	Exact  string `json:"exact,omitempty"`
	Unsure bool   `json:"unsure,omitempty"`
	Region string `json:"region"` // of the bucket
	// First is when the bucket was first looked at, Since when the policy was first seen
	// to be this one.
	First time.Time `json:"first"`
	Since time.Time `json:"since"`
	// Unheard says that a sweep found it changed at Since, and that no event of the bucket has
	// come since.
	Unheard bool `json:"unheard,omitempty"`
}

// Look is a look at the policy of a bucket.
type Look struct {
	Policy, Exact, Region string // as of Seen
	Unsure                bool
	At                    time.Time
	// Heard says that an event of the bucket's own account led there: what it told of was heard of
	// then, and all before.
	Heard bool
	// Replaced is the fingerprint of the policy that was there before our own hand changed it; empty: it
	// did not.
	Replaced string
}

// See returns the record with what a look has seen.
func (r Record) See(l Look) Record {
	next := Seen{Policy: l.Policy, Exact: l.Exact, Unsure: l.Unsure, Region: l.Region, First: l.At, Since: l.At}
	if was := r.Seen; was != nil {
		changed := was.Policy != l.Policy
		if l.Replaced != "" {
			changed = was.Exact != l.Replaced
		}
		if changed = changed && !was.Unsure && !l.Unsure; !changed {
			next.Since = was.Since
		}
		next.First, next.Unheard = was.First, (changed || was.Unheard) && !l.Heard
	}
	r.Seen = &next
	return r
}

// CalledPolicy is a digest of what calls have made of a policy. S3 puts an id in the place of the name of
// a role that is deleted, and no call of S3 is that: so it does not matter who of IAM is named.
// Source: IAM userguide, reference_policies_elements_principal.html; reference_identifiers.html.
func CalledPolicy(policy []byte) string {
	principal := regexp.MustCompile(`"(arn:[a-z-]+:(iam|sts)::[^"]*|A[A-Z]{3}[A-Z0-9]{12,}(:[^"]*)?)"`)
	return Fingerprint(principal.ReplaceAll(policy, []byte(`"somebody"`)))
}
