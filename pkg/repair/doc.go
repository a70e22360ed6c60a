// Package repair works out the smallest change of a bucket's policy that lets
// CloudTrail deliver again, or says why there is none.
//
// # The search
//
// [For] goes from the requirements that are not met to one plan:
//
//  1. Needs. For each requirement that nothing allows for certain, the statement
//     of those that AWS documents for its trail which grants it. Where Denies
//     block for certain, this is looked for in the policy as it would be without
//     them: what is missing beside them is granted too, and the refusal shows how
//     the Denies would have to read. What hangs on something that the caller can
//     still say is no need; it is asked for.
//  2. Edits. A need is met by a patch of a statement that serves CloudTrail
//     alone, the one that costs least, and where there is none by the
//     documented statement, which is added. Over S3's limit of size, statements
//     that grant nothing but what AWS documents are merged into the documented
//     ones that several trails share.
//  3. Proof. The policy with the edits is judged. A need that it does not help
//     is left out, and the rest is drafted and proved once more. Where patches
//     did not meet every requirement that no Deny blocks, the documented
//     statements are tried instead of them. The draft is kept only if some
//     requirement comes nearer to allowed by it and none further away.
//  4. Plan. What is still wrong in the policy that was proved is refused, each
//     finding with its reason.
//
// Hardening comes after that. Each grant that anybody's trail can use is bound to
// its audience (audience.go), by the condition that is certain to cut off nobody
// (binding.go), and split from what it grants to others (split.go). Grants of
// writes come first, since whom a grant of the ACL serves follows from them. What
// another statement then says as well is left out (cover.go). All of it is proved
// at once, and one statement after the other only where that fails.
//
// # Invariants
//
//   - A plan is proved before it is returned: [delivery.Judge] has judged the
//     very text that it would write. What cannot be proved is not planned.
//   - A Deny is never edited.
//   - Statements that are not meant to change are compared byte by byte with
//     what they were, in their order.
//   - A patch only adds values. What a statement granted it still grants, so no
//     trail is cut off that is not known here. The one exception is a statement
//     under a documented Sid whose conditions CloudTrail cannot meet: it granted
//     nothing and is written anew.
//   - Hardening takes from nobody but CloudTrail, and cuts off no trail of the
//     accounts that the grant serves, unless the reason says which in its first
//     sentence.
//   - Nothing is granted to CloudTrail that AWS does not document for the
//     bucket's trails.
//   - A plan for its own result is empty.
//
// A judgement costs more than all else here. An ordinary plan is proved by one,
// and the policy that it writes is parsed once; the caller has judged the policy
// as it is. Another judgement is paid for only where a proof failed in part.
//
// Everything here is pure: data in, data out.
package repair
