// Package inventory is what is known of the trails of all accounts: which trail
// delivers into which bucket, how that came to be known, and how fresh it is. It
// answers "does a trail use this bucket?" without a call of CloudTrail.
//
// The inventory is large, so it is read and changed in parts. A [Part] holds
// the accounts and buckets that were asked for, as they are stored. A [Survey]
// is what asking an account came to. [Part.With] adds one to the other, and
// says with that what has to be stored.
//
// # Which file has what
//
//	inventory.go  Account, Bucket, Trail, Expected: what is known, and how fresh it is
//	survey.go     Survey, and what it changes
//	member.go     accounts of an organization, and parts of a list
//	heard.go      from where events come
//	expected.go   whom the policy of a bucket expects, and what ages
//	rcp.go        resource control policies, and for which accounts they are in effect
//	pack.go       the account ids of an organization, as they are stored
//	short.go      the JSON in which it is stored
//
// # Rules
//
//   - Of two surveys of an account the later one counts, in whatever order they
//     are added. Adding one twice changes nothing.
//   - A trail is taken out of a bucket only if it was shown to be gone: its own
//     account was read and does not list it there, or an account sees it
//     deliver elsewhere. That another account does not see it proves nothing:
//     it may have left the organization.
//   - An account that could not be read keeps the trails that it was last seen
//     with.
//   - An event is a hint. It changes no trail; it makes older what was read
//     before it ([Account.After]).
//   - Nothing ages but what was only expected (expected.go).
//
// It is pure: data in, data out. Correctness never rests on the inventory being
// complete. What it misses, the sweep finds.
package inventory
