package guardrail

import (
	"errors"
	"fmt"
)

// ErrNoLedger says that something was asked that needs memory, and that the
// guard has none.
var ErrNoLedger = errors.New("no ledger is configured, so that nothing is remembered")

// ErrPolicyChanged says that a policy was changed by somebody else while it
// was about to be replaced by hand. What they wrote is left as it is.
var ErrPolicyChanged = errors.New("somebody else has changed the policy in the meantime, and it was left as it is now")

// ObserveError says that a bucket could not be judged, because what it hangs
// on could not be read for now.
type ObserveError struct {
	Subject string // "bucket logs", "trails of account 111111111111"
	Err     error
}

// Error returns what could not be read, and why.
func (e *ObserveError) Error() string { return fmt.Sprintf("read %s: %v", e.Subject, e.Err) }

// Unwrap returns the cause.
func (e *ObserveError) Unwrap() error { return e.Err }

// WriteError says that a repair could not be written for now.
type WriteError struct {
	Bucket string
	Err    error
}

// Error returns the bucket and the cause.
func (e *WriteError) Error() string { return fmt.Sprintf("write to bucket %s: %v", e.Bucket, e.Err) }

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// VerifyError says that a repair was written and could not be seen to have
// taken effect.
type VerifyError struct {
	Bucket string
	Err    error
}

// Error returns the bucket and the cause.
func (e *VerifyError) Error() string {
	return fmt.Sprintf("verify what was written to bucket %s: %v", e.Bucket, e.Err)
}

// Unwrap returns the cause.
func (e *VerifyError) Unwrap() error { return e.Err }

// LedgerError says that the memory of a bucket could not be read or stored.
type LedgerError struct {
	Bucket string
	Err    error
}

// Error returns the bucket and the cause.
func (e *LedgerError) Error() string { return fmt.Sprintf("memory of %s: %v", e.Bucket, e.Err) }

// Unwrap returns the cause.
func (e *LedgerError) Unwrap() error { return e.Err }

// PublishError says that an alert could not be sent. With a ledger it is kept
// and sent with the next reconciliation.
type PublishError struct {
	Bucket string
	Err    error
}

// Error returns the bucket and the cause.
func (e *PublishError) Error() string { return fmt.Sprintf("alert about %s: %v", e.Bucket, e.Err) }

// Unwrap returns the cause.
func (e *PublishError) Unwrap() error { return e.Err }

// BusyError says that others kept changing or repairing the bucket for as long
// as there was time to wait.
type BusyError struct{ Bucket string }

// Error returns the bucket.
func (e *BusyError) Error() string {
	return fmt.Sprintf("bucket %s was being changed or repaired for as long as there was time", e.Bucket)
}

// SweepError joins what went wrong in a sweep. The rest was reconciled.
type SweepError struct {
	Failed int // how many reconciliations were not finished
	Err    error
}

// Error returns the count and the causes, one a line.
func (e *SweepError) Error() string {
	return fmt.Sprintf("%d reconciliations failed: %v", e.Failed, e.Err)
}

// Unwrap returns the causes.
func (e *SweepError) Unwrap() error { return e.Err }
