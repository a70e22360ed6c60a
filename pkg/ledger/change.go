package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// MaxChanges is how many API calls a record keeps, MaxRepairs how many repairs,
// MaxOutbox how many unpublished alerts, and MaxNotified how many findings one by one.
const (
	MaxChanges  = 20
	MaxRepairs  = 20
	MaxOutbox   = 4
	MaxNotified = 200
)

const (
	// maxChangesSize bounds the calls in bytes, as they are stored.
	maxChangesSize = 64 << 10
	// maxText bounds a text, and the names of a finding's statements together.
	maxText = 512
)

// bounded cuts a text to what is kept of it.
func bounded(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "")
}

// boundedStatements are the names of statements, or a digest if they are many.
func boundedStatements(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	joined := strings.Join(names, "\n")
	if len(joined) <= maxText {
		return slices.Clone(names)
	}
	return []string{digest(joined)}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// boundedFindings are the findings, which are sorted; where they are too many, one for
// all of the same id, with a digest of them.
func boundedFindings(list []Finding) []Finding {
	if len(list) <= MaxNotified {
		return list
	}
	var all []Finding
	var texts []string
	for i, f := range list {
		texts = append(texts, f.Trail+"\n"+strings.Join(f.Statements, "\n"))
		if i+1 == len(list) || list[i+1].ID != f.ID {
			all = append(all, Finding{ID: f.ID, Kind: f.Kind, Statements: []string{digest(strings.Join(texts, "\n\n"))}})
			texts = nil
		}
	}
	return all
}

// Knows reports whether the record has seen the API call. The same event may
// come more than once.
func (r Record) Knows(c *delivery.Change) bool {
	return c != nil && slices.ContainsFunc(r.Changes, func(known delivery.Change) bool { return equal(known, *c) })
}

func equal(a, b delivery.Change) bool {
	if a.EventID != "" || b.EventID != "" {
		return a.EventID == b.EventID
	}
	return a.Event == b.Event && a.Actor == b.Actor && a.Time.Equal(b.Time)
}

// merge returns the changes with c, each once, newest first. Records have whole
// seconds: of calls of the same second, the one that led here comes first,
// since the look that it led to came after the others. A call that failed
// changed nothing and is left out.
func merge(changes []delivery.Change, c *delivery.Change) []delivery.Change {
	if c == nil || c.ErrorCode != "" || slices.ContainsFunc(changes, func(known delivery.Change) bool { return equal(known, *c) }) {
		return changes
	}
	list := append([]delivery.Change{*c}, changes...)
	slices.SortStableFunc(list, func(a, b delivery.Change) int { return b.Time.Compare(a.Time) })
	list = list[:min(len(list), MaxChanges)]
	for len(list) > 1 && sizeOf(list) > maxChangesSize {
		list = list[:len(list)-1]
	}
	return list
}

func sizeOf(changes []delivery.Change) int {
	text, err := Record{Changes: changes}.Encode()
	if err != nil {
		return 0 // texts and times can always be encoded
	}
	return len(text)
}

// Overwritten reports whether the API call wrote or deleted the bucket's
// policy after a repair had read it and before the repair wrote its own, so
// that the repair replaced it unseen. The policy is the one that the call
// wrote, as its event tells; current is the fingerprint of the bucket's policy now.
// An event's time has no fractions of a second.
func (r Record) Overwritten(c *delivery.Change, policy []byte, current string) bool {
	if c == nil || c.ErrorCode != "" || r.Knows(c) || Fingerprint(policy) == current {
		return false
	}
	wrote := c.Event == "PutBucketPolicy" && len(policy) > 0
	if !wrote && c.Event != "DeleteBucketPolicy" {
		return false
	}
	fingerprint := Fingerprint(policy)
	return slices.ContainsFunc(r.Repairs, func(p Repair) bool {
		return !p.Rejected && fingerprint != p.Before && fingerprint != p.After && p.during(c.Time)
	})
}

// Own reports whether the API call is the write of one of our repairs.
func (r Record) Own(c *delivery.Change, policy []byte) bool {
	if c == nil || c.Event != "PutBucketPolicy" || len(policy) == 0 {
		return false
	}
	fingerprint := Fingerprint(policy)
	return slices.ContainsFunc(r.Repairs, func(p Repair) bool { return fingerprint == p.After && p.during(c.Time) })
}

// during reports whether a time is that of the repair, to the second. A
// repair whose end is not known is taken to have lasted a minute.
func (p Repair) during(t time.Time) bool {
	end := p.Written
	if end.IsZero() {
		end = p.Read.Add(time.Minute)
	}
	return !t.Before(p.Read.Truncate(time.Second)) && !t.After(end)
}

// Begin returns the record with a repair that is about to be made.
func (r Record) Begin(a Attempt, p Repair) Record {
	repairs := append(slices.Clone(r.Repairs), p)
	r.Repairs = repairs[max(0, len(repairs)-MaxRepairs):]
	r.Attempt = &a
	return r
}

// Written returns the record with what is known of a repair after its write:
// when the policy was last read, when the write had its answer or may have
// been made, and whether it was seen to take effect.
func (r Record) Written(id string, read, written time.Time, done bool) Record {
	r.Repairs = slices.Clone(r.Repairs)
	for i := range r.Repairs {
		if p := &r.Repairs[i]; p.ID == id {
			p.Read, p.Written, p.Done = read, written, p.Done || done
		}
	}
	return r
}

// Reject returns the record with a repair whose write was not taken. It counts, and has
// overwritten nothing.
func (r Record) Reject(id string) Record {
	r.Repairs = slices.Clone(r.Repairs)
	for i := range r.Repairs {
		if r.Repairs[i].ID == id {
			r.Repairs[i].Rejected = true
		}
	}
	return r
}

// Abandon returns the record without the count of a repair that was begun and
// never written. The attempt stays: what it was about is still to be told.
func (r Record) Abandon(id string) Record {
	r.Repairs = slices.DeleteFunc(slices.Clone(r.Repairs), func(p Repair) bool { return p.ID == id })
	return r
}

// Post returns the record with an alert to be published. Where too many wait,
// the newest takes the place of the one before it, so that how it began and
// how it stands are told.
func (r Record) Post(m Message) Record {
	r.Outbox = slices.Clone(r.Outbox[:min(len(r.Outbox), MaxOutbox-1)])
	r.Outbox = append(r.Outbox, m)
	return r
}

// Published returns the record without the alert.
func (r Record) Published(id string) Record {
	r.Outbox = slices.DeleteFunc(slices.Clone(r.Outbox), func(m Message) bool { return m.ID == id })
	if len(r.Outbox) == 0 {
		r.Outbox = nil
	}
	return r
}

// Free returns the record with the alert free to be published by anybody.
func (r Record) Free(id string) Record {
	r.Outbox = slices.Clone(r.Outbox)
	for i := range r.Outbox {
		if r.Outbox[i].ID == id {
			r.Outbox[i].Claimed = time.Time{}
		}
	}
	return r
}

// Claim returns the record with every alert claimed that nobody else may be
// publishing at the moment, and those alerts. Mine says which claims are the
// caller's own.
func (r Record) Claim(now, until time.Time, mine func(id string) bool) (Record, []Message) {
	r.Outbox = slices.Clone(r.Outbox)
	var claimed []Message
	for i := range r.Outbox {
		if m := &r.Outbox[i]; mine(m.ID) || !m.Claimed.After(now) {
			m.Claimed = until
			claimed = append(claimed, *m)
		}
	}
	return r, claimed
}
