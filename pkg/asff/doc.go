// Package asff writes alerts as findings of AWS Security Hub CSPM, in the AWS Security
// Finding Format.
//
// [FindingOf] takes an alert in its JSON form (docs/alert.schema.json) and makes the one
// finding of it. An incident is one finding from its first alert to its last: its id is the
// incident's, and each alert is an update. Security Hub ignores an update that is not newer
// than what it has, so that alerts may come twice and in any order.
//
// The state that the ledger has of a bucket is the finding's workflow: what is open is NEW,
// what is right again RESOLVED, and what the owner accepts SUPPRESSED. Security Hub takes the
// workflow of a finding that it has from BatchUpdateFindings alone, and never from the
// import; [Finding.Settled] says when that call is due. So what a person writes into an open
// finding there (a note, NOTIFIED, SUPPRESSED) stays.
//
// Sources: "Required top-level ASFF attributes", "Optional top-level ASFF attributes" and
// "BatchImportFindings for finding providers" in the Security Hub CSPM user guide;
// AwsSecurityFinding in its API reference, which has the bounds.
//
// Everything here is pure: data in, data out.
package asff
