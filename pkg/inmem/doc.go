// Package inmem is an AWS account in memory. Tests, the replay command and the
// demo use it.
//
// [Account] implements the guard's ports to trails, buckets, organizations, keys and topics;
// [Ledger], [Inventory] and [Alerts] the others. They pass the same conformance suite as the
// adapters of AWS (package porttest), and all are safe for use by several
// goroutines.
//
// Where it matters to the guard, the account behaves as AWS does: who may write to
// a bucket, how large a policy may be, what S3 refuses of it, and in what spelling
// S3 gives it back. It knows no policies of IAM: its caller may read everything
// that is not described as unreadable.
//
// # Files
//
//	account.go      the account, its set-up, and the ports that it implements
//	organization.go an organization of such accounts
//	description.go  an account as a file describes it, as replay reads it
//	chain.go        keys and topics of trails
//	status.go       what CloudTrail reports of its trails, in such a file
//	apply.go        changes the account as the API call of an event did
//	reserialize.go  a policy in the spelling in which S3 may give it back
//	ledger.go       records and snapshots
//	inventory.go    which trails are known
//	alerts.go       the messages that were published
package inmem
