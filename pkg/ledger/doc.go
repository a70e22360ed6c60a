// Package ledger holds what is remembered of a bucket between two
// reconciliations: what the team was told, what was repaired, and the policies
// that repairs replaced. It decides which change of state is told.
//
// [Next] is the whole of the decision. It takes the [Record] as it was read and
// the [Facts] that reconciling came to, and returns the record to be stored and
// the kind of alert. Since that follows from the difference between the two, the
// same facts a second time tell nothing, however often an event comes:
//
//	remembered   found           told
//	nothing      a problem       opened; restore-failed; fight
//	a problem    another one     changed; restore-failed; fight
//	a problem    the same        nothing; reminder when it is due
//	a problem    nothing         resolved; restored if a repair did it
//
// Weaknesses are never told by themselves, but for those whose type says so. What could not be asked stays as it was
// remembered. What CloudTrail reports minutes after another finding explained it
// is no news.
//
// A record is stored before what it tells of is done: a [Repair] before its write
// (Record.Begin), an alert before it is published (Record.Post). A store accepts a
// record only over the version that it was read at.
//
// The most that a trail was seen to cover is kept ([Covered], coverage.go), so that
// less is found out however it came about. The owner may accept it until a day
// ([Acceptance]); then it counts as resolved, and is told again from that day on.
//
// Policies are compared by [Fingerprint], which is blind to how S3 spells them. What of a policy
// was last seen, and whether an event told of it, is [Seen] (seen.go). How a trail was last
// seen is kept too, so that one that is deleted can be made again (described.go).
//
// Everything here is pure: data in, data out. A store keeps the records.
package ledger
