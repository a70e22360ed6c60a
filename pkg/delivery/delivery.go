package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Bucket is a bucket as it was observed.
type Bucket struct {
	Name   string
	Owner  string // account id that it is expected to belong to; empty: not known
	Region string // empty: not known
	State  BucketState
	// Reason says why the bucket or its policy could not be read.
	Reason string
	// Unanswered says that it is a reason that may pass, such as a time-out.
	Unanswered bool
	// Policy is the bucket's policy, nil unless State is PolicyRead.
	Policy *policy.Document
	// Payer is PayerOwner, PayerRequester, or empty: not known.
	Payer string
	// Expected are those of whom deliveries are expected, though no trail of theirs
	// is known.
	Expected []Grantee
}

// Who pays for the requests to a bucket, in S3's words.
const (
	PayerOwner     = "BucketOwner"
	PayerRequester = "Requester"
)

// BucketState is how far a bucket could be read.
type BucketState uint8

// The states. The zero state is the one in which nothing is known.
const (
	// Unreadable: the policy could not be read. It is never taken as empty.
	Unreadable BucketState = iota
	// PolicyRead: the policy is known.
	PolicyRead
	// PolicyMissing: the bucket is there and has no policy.
	PolicyMissing
	// BucketMissing: there is no such bucket.
	BucketMissing
	// OtherOwner: the bucket belongs to another account than expected.
	OtherOwner
)

// Verdict is the answer to: can CloudTrail deliver?
type Verdict string

// The verdicts.
const (
	Delivering   Verdict = "delivering"
	Blocked      Verdict = "blocked"
	Undetermined Verdict = "undetermined"
)

// Severity in the words of Security Hub.
type Severity string

// The severities, from high to low.
const (
	Critical      Severity = "CRITICAL"
	High          Severity = "HIGH"
	Medium        Severity = "MEDIUM"
	Low           Severity = "LOW"
	Informational Severity = "INFORMATIONAL"
)

// Rank is 0 for the highest severity and grows from there. A text that is no
// severity ranks below all.
func (s Severity) Rank() int {
	all := []Severity{Critical, High, Medium, Low, Informational}
	if i := slices.Index(all, s); i >= 0 {
		return i
	}
	return len(all)
}

// Kind says what a finding is about.
type Kind string

// The kinds.
const (
	Outage   Kind = "outage"
	Unknown  Kind = "unknown"
	Weakness Kind = "weakness"
)

// Report is the judgement on one bucket. Its JSON is what `check` prints.
type Report struct {
	Bucket   string        `json:"bucket"`
	Verdict  Verdict       `json:"verdict"` // the worst of the trails'
	Trails   []TrailReport `json:"trails"`
	Findings []Finding     `json:"findings"`
	// NotLookedAt is what the trails have and what was not looked at: "key", "topic". The
	// verdict is that of the rest.
	NotLookedAt []string `json:"notLookedAt,omitempty"`
	// Faults are what S3 would refuse about the policy, in words.
	Faults []string `json:"faults,omitempty"`
	// MaybeFaults are what S3 may refuse: it is not known. They change no verdict.
	MaybeFaults []string `json:"maybeFaults,omitempty"`
}

// TrailReport is the judgement on one trail of the bucket.
type TrailReport struct {
	ARN     string  `json:"arn"`
	Verdict Verdict `json:"verdict"`
	// Notification is whether CloudTrail can tell the trail's topic of its files; empty: the
	// trail has none. Files are delivered all the same.
	Notification Verdict             `json:"notification,omitempty"`
	Requirements []RequirementReport `json:"requirements"`
}

// RequirementReport is the judgement on one requirement of a trail.
type RequirementReport struct {
	ID trail.RequirementID `json:"id"`
	// Target is what it is asked of.
	Target   trail.Target `json:"target"`
	Action   string       `json:"action"`
	Resource string       `json:"resource"`
	// Decision is the worst decision over all requests of the requirement.
	Decision policy.Outcome `json:"decision"`
	// Statements are the responsible statements: Sid, or "#" and index.
	Statements []string `json:"statements"`
	// Why is one plain sentence.
	Why string `json:"why"`
	// Example is a resource that got Decision.
	Example string `json:"-"`
	// Responsible are the indexes of the responsible statements.
	Responsible []int `json:"-"`
	// Perhaps says, where it is open only because it is not known whether
	// CloudTrail makes the request, what that hangs on: whether an account has
	// enabled a region, is a member, or has asked for a kind of files.
	Perhaps trail.Uncertainty `json:"-"`
	// Granted says, of one that is left open, that statements allow all of it for
	// certain: only a Deny may stand in the way.
	Granted bool `json:"-"`
	// Cut says that the budget has left it open, see [PolicyTooComplexID].
	Cut bool `json:"-"`
	// Beyond says that all is allowed which CloudTrail asks for now, and that
	// nothing allows some of what it asks for later, or still has to deliver.
	Beyond bool `json:"-"`
	// Near are the Allow statements that are meant for CloudTrail and do not
	// match, where nothing allows the request. The first is named in Why.
	Near []Near `json:"-"`
	// DependsOn are the context keys that leave it open, as the policy spells
	// them, sorted.
	DependsOn []string `json:"-"`
	// Denying are the indexes of the Deny statements that deny, or may deny,
	// some request of the requirement.
	Denying []int `json:"-"`
}

// Finding is one thing that is wrong, weak, or not known.
type Finding struct {
	ID       string   `json:"id"` // "log-files-denied"
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	// Trail is the ARN of the trail concerned, empty for the bucket as a whole.
	Trail      string   `json:"trail"`
	Statements []string `json:"statements"`
	Message    string   `json:"message"` // one plain sentence
	Remedy     string   `json:"remedy"`  // the smallest change that would fix it
	// Restorable says that the change can be made automatically.
	Restorable bool `json:"restorable"`
	// Chain is the ARN of the key or topic that the finding rests on, empty: none, or not known.
	Chain string `json:"-"`
	// Target is what the finding is about, empty: the bucket, or the trail itself.
	Target trail.Target `json:"target,omitempty"`
	// Lost are the parts of which a trail covers less than before.
	Lost []trail.Part `json:"lost,omitempty"`
	// Accounts are the accounts concerned, of findings that are about an organization.
	Accounts []string `json:"-"`
	// LostKey is the KMS key that the trail had, where it may be lost.
	LostKey string `json:"-"`
	// Indexes are the indexes of the statements, of findings that hardening may
	// mend.
	Indexes []int `json:"-"`
	// Edit is, for a Deny that blocks or may block, the statement as it would
	// have to read to let CloudTrail through and nobody else: JSON, a list of
	// statements where several block. Empty otherwise.
	Edit string `json:"edit,omitempty"`
}
