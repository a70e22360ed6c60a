// Package trigger reads EventBridge events and returns what the guard is to
// reconcile because of them.
//
// Events are data from outside. Only names that are spelled as AWS spells them get
// into a request, and no text is longer than it has to be. A policy in an event is
// passed on as what was submitted; it is never judged.
//
// [Parse] takes any event. One that changes nothing the guard cares about has no
// requests and a reason; only what is no event at all is an error, and trying that
// again is of no use.
//
// # Files
//
//	trigger.go  Parse, and which names each API call has at which place
//	record.go   the CloudTrail record: request, change, region
//	caller.go   who called, by what, and on whose behalf
//	fields.go   JSON members of any type, limits of texts, forms of names
package trigger
