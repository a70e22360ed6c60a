package ledger

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Key names the bucket that a record is about. A record about a trail that
// has no bucket any more has the trail's ARN as Bucket.
type Key struct {
	Account string `json:"account"`
	Bucket  string `json:"bucket"`
}

// Record is what is remembered of one bucket. It is stored as JSON ([Record.Encode]).
// The zero record but for its key is that of a bucket that nothing was ever told of.
// It holds ids and digests, and no text that somebody else chose the length of, so that
// it fits the 400 KB that DynamoDB stores in one item, whatever the bucket's policy is.
type Record struct {
	Key
	// Version counts the stores of the record; 0: it was never stored.
	// A store accepts a record only over the version that it was read at.
	Version int64 `json:"version"`

	// Notified are the findings as the team was last told of them. None: the
	// team believes that the bucket is healthy.
	Notified []Finding `json:"told,omitempty"`
	// Quiet are findings of kind unknown that were there when the bucket was first
	// looked at, and of which the team was not told: see [Settings.Severity].
	Quiet []Finding `json:"quiet,omitempty"`
	// Looked are what was looked at beside the bucket so far: keys, topics, resource control policies.
	Looked []delivery.Source `json:"looked,omitempty"`
	// Since is when the state that was told of began.
	Since time.Time `json:"since,omitzero"`
	// Revision counts the alerts since then.
	Revision int `json:"revision,omitempty"`
	// NotifiedAt is when the team was last told of the bucket, good or bad.
	NotifiedAt time.Time `json:"toldAt,omitzero"`
	// Failure is why the last repair failed, as the team was told.
	Failure string `json:"failure,omitempty"`
	// ExhaustedAt is when the team was last told that the budget is exhausted.
	ExhaustedAt time.Time `json:"foughtAt,omitzero"`
	// Trails are the ARNs of the trails last seen to deliver into the bucket.
	Trails []string `json:"trails,omitempty"`
	// Described are those of them that are the account's own, as they were last seen, so that
	// one that is deleted can be made again. At most [MaxDescribed].
	Described []trail.Trail `json:"described,omitempty"`
	// Seen is the bucket's policy as it was last seen; nil: the guard serves one account, or has
	// not looked yet.
	Seen *Seen `json:"seen,omitempty"`
	// Coverage is the most that trails of the bucket were seen to cover.
	Coverage []Covered `json:"coverage,omitempty"`
	// Accepted are losses of coverage that the owner accepts, one for a trail.
	Accepted []Acceptance `json:"accepted,omitempty"`
	// Changes are the last API calls that were seen, newest first.
	Changes []delivery.Change `json:"changes,omitempty"`
	// Repairs are the last repairs, oldest first.
	Repairs []Repair `json:"repairs,omitempty"`
	// Attempt is the repair that is under way, or that was when its process
	// ended. It is stored before the write, and what came of it is told by
	// whoever reconciles next.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Hold says that the bucket is not to be repaired.
	Hold *Hold `json:"hold,omitempty"`
	// Outbox are the alerts that are not known to be published, oldest first.
	Outbox []Message `json:"outbox,omitempty"`
}

// Finding is a finding as the team was told of it.
type Finding struct {
	ID    string        `json:"id"`
	Kind  delivery.Kind `json:"kind"`
	Trail string        `json:"trail,omitempty"`
	// Statements are the responsible statements, or a digest of them if they are
	// many.
	Statements []string     `json:"statements,omitempty"`
	Lost       []trail.Part `json:"lost,omitempty"`
	// Accounts are the accounts concerned, or a digest of them if they are many.
	Accounts []string `json:"accounts,omitempty"`
}

// Repair is one repair of the bucket. It counts from before its write on, so
// that a repair whose process ended counts too.
type Repair struct {
	ID string `json:"id"`
	// Read is when the policy that the repair replaced was last read, and
	// Written when the answer to the write came. What somebody else wrote in
	// between was overwritten unseen.
	Read    time.Time `json:"read"`
	Written time.Time `json:"written,omitzero"`
	// Before and After are fingerprints of the policy that was read and of the one
	// that was written.
	Before string `json:"before"`
	After  string `json:"after"`
	// Done says that the repair was verified, Rejected that its write was not taken.
	Done     bool `json:"done,omitempty"`
	Rejected bool `json:"rejected,omitempty"`
}

// Attempt is a repair whose outcome has not been told. What led to it can be worked
// out again: the policy that it replaces is kept as a snapshot, of the fingerprint
// that its [Repair] names.
type Attempt struct {
	ID string `json:"id"`
	// Until is how long the process that makes the attempt may still be at it.
	Until time.Time `json:"until"`
	// After is the fingerprint of the policy that is written.
	After string `json:"after"`
	// Payer is the request payer that is to be replaced; empty: it stays.
	Payer string `json:"payer,omitempty"`
}

// UnmarshalJSON reads an attempt, also one of the first version, which holds the whole
// report and plan.
func (a *Attempt) UnmarshalJSON(text []byte) error {
	type attempt Attempt
	var in struct {
		attempt
		Plan struct{ ResetPayer bool } `json:"plan"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*a = Attempt(in.attempt)
	if in.Plan.ResetPayer {
		a.Payer = delivery.PayerRequester
	}
	return nil
}

// Hold keeps a bucket from being repaired for as long as its policy is the
// one that was put back by hand.
type Hold struct {
	Policy string    `json:"policy"` // fingerprint
	By     string    `json:"by"`     // who undid the repair, in words
	At     time.Time `json:"at"`
}

// Message is an alert that waits to be published. It is stored with the change of state
// that it tells of, and taken out once it is published.
type Message struct {
	ID   string     `json:"id"`
	Kind alert.Kind `json:"kind"`
	At   time.Time  `json:"at"`
	// Claimed is until when somebody may be publishing it.
	Claimed time.Time `json:"claimed,omitzero"`
	// Apart says that the store keeps the text apart from the record, and that the
	// text does not change any more.
	Apart bool `json:"apart,omitempty"`
	alert.Message
}

// Snapshot is a bucket's policy as it was before a write.
type Snapshot struct {
	Key
	Time   time.Time `json:"time"`
	Policy []byte    `json:"policy"` // empty: there was none
	Region string    `json:"region"`
	Reason string    `json:"reason"` // one plain sentence: why it was replaced
	// Expires is when the store may drop it.
	Expires time.Time `json:"expires"`
}

// Encode returns the record as it is stored. JSON for web pages would spell "<" in six
// bytes.
func (r Record) Encode() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

// Settings are what the owner decides about memory.
type Settings struct {
	// Budget is how many repairs of one bucket are allowed in Window.
	Budget int
	Window time.Duration
	// RemindEvery is how often an outage that lasts is told again; 0: never.
	RemindEvery time.Duration
	// Severity is from where on weaknesses are told, and what was not certain already when
	// a bucket was first looked at. What becomes uncertain is always told. Empty: no
	// weakness is told, and all that is not certain.
	Severity delivery.Severity
}

// Open reports whether the team was told of something that is not settled.
func (r Record) Open() bool { return len(r.Notified) > 0 }

// Pending reports whether something is not settled: the team was told of it, or
// a repair was begun whose outcome was not told.
func (r Record) Pending() bool { return r.Open() || r.Attempt != nil }

// Recent returns the repairs of the window that ends now.
func (r Record) Recent(now time.Time, window time.Duration) []Repair {
	var recent []Repair
	for _, p := range r.Repairs {
		if p.Read.After(now.Add(-window)) {
			recent = append(recent, p)
		}
	}
	return recent
}

// Spent reports whether the repair budget allows no further repair.
func (r Record) Spent(now time.Time, s Settings) bool {
	return len(r.Recent(now, s.Window)) >= s.Budget
}

// Holds reports whether a policy with the fingerprint is held.
func (r Record) Holds(fingerprint string) bool {
	return r.Hold != nil && r.Hold.Policy == fingerprint
}
