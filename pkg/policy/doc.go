// Package policy reads the policies of S3 buckets, KMS keys and SNS topics, and
// decides requests by them as IAM does.
//
// # Dialects
//
// One evaluator serves all. What the policies of a service have of their own is a
// value, a [Dialect] (dialect.go, kms.go, sns.go): actions, condition keys, what the
// Resource element means, what the service refuses. [Parse] reads a bucket policy,
// [Dialect.Parse] one of any service, and [DialectOf] gives the dialect of an action. An [RCP]
// is of several services: [Dialect.Under] reads it for one (rcp.go).
//
// # Documents
//
// A [Document] keeps the text that it was read from, so that what is not
// changed is written back as it was: [Document.With], [SetMember]. Whatever is
// a JSON object can be read, because a policy that is stored must be judged
// as far as it can be. [Document.Faults] says what the service would refuse in it; an
// element that could not be read is malformed, and matches perhaps, so that it
// neither grants for certain nor spares from a Deny.
//
// # Decisions
//
// [Document.Decide] answers one [Request] with one of four outcomes. It takes
// each statement apart into principal, action, resource and conditions, asks of
// each whether it matches, and applies the order of IAM: a Deny goes before an
// Allow, and what nobody allows is denied.
//
// Not everything need be known of the request. A context key has a [State] (it
// is there, or not, or may be) and perhaps values; of a value some things may be
// known though the value is not, see [Value]. So each question has three
// answers, a [Truth]: No, Maybe, Yes. No and Yes are certain: they hold whatever
// the unknown keys turn out to be. An outcome other than [Undetermined] is as
// certain:
//
//  1. The test of one condition on an unknown key says Yes or No only where each
//     value that the key may have gives that (unknown.go).
//  2. Minimum, maximum and negation carry certainty on, to statements and to the
//     outcome: that is Kleene's logic. It loses something, because it looks at
//     each condition by itself. Two statements of which always one matches are
//     Maybe both.
//  3. So an undetermined answer is decided by cases (casesplit.go): every
//     combination of values of the unknown keys, of which one for each class
//     that the conditions tell apart is enough (classes.go). If all cases give
//     the same, that is the answer. They are not tried one after another: most is
//     answered key by key, and the rest is whether boxes cover a region (cover.go).
//
// Where AWS does not document what it does, or documents it in two ways, the
// answer names the [Assumption] that it rests on.
//
// # Sets of requests
//
// A request's resource may be one of very many: every key that may be written.
// [Document.Prepare] works out once what does not depend on the resource
// (prepared.go), and [Prepared.Samples] decides on strings of a set that stand for
// all of it (witness.go): on one of each class that the resource elements tell
// apart, or, where these are too many, on one of each kind that can change the
// answer. Package glob finds them.
//
// # Bounded work
//
// Some policies of 20 KB would take longer than the world lasts. So all work is
// counted in steps and ends with a [Budget] (budget.go). What was decided until then
// is right, and what was cut says so. An answer is never taken from an incomplete
// look unless one string is enough to show it: some string is denied, but not: all
// are.
//
// Everything here is pure: data in, data out.
package policy
