// Package porttest is the conformance suite of the guard's ports. Every
// implementation runs it: the account in memory, the adapters of AWS against a
// fake of its API, and the ledger against an emulator of DynamoDB. So what the
// guard is tested with cannot drift from what it runs on.
//
// The suite asserts what is stored and answered, never which calls are made. A
// fixture sets the account up and reads it back without the port. What a fixture
// cannot have, such as a second account, it says, and the tests of it do not run.
//
// # Files
//
//	bucket.go     guardrail.Buckets
//	trail.go      guardrail.Trails, guardrail.Organizations, guardrail.Alerts
//	ledger.go     guardrail.Ledger
//	inventory.go  guardrail.Inventory, guardrail.RCPs
//	chain.go      guardrail.Chain
package porttest
