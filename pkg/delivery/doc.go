// Package delivery judges whether CloudTrail can deliver its files into a
// bucket.
//
// [Judge] takes a bucket as it was observed and the trails that use it. For each
// trail it decides every request that CloudTrail will make, by the bucket's
// policy. From the decisions come the verdict and the findings:
//
//	trail.Requirements   what CloudTrail asks for, one requirement for each kind of file
//	evaluate             each requirement: a decision for every key that the policy
//	                     can tell apart, and the worst of them
//	NewBudget            how much work that may be, see package policy
//	report               the verdict on the trail, and a sentence for each requirement
//	Catalog              the types of findings, each of which looks for its own
//
// [JudgeChain] adds what the trails' keys and topics say, and [JudgeRCPs] what resource control
// policies of the organization deny. [JudgeStatus] adds what CloudTrail itself reports of its
// deliveries, held against what must have been written ([Evidence]), and
// [JudgeCoverage] what the trails do not record, or record no more.
//
// A type of finding, or a family of types that differ in the requirement only, is
// one file, finding_NAME.go: what is known of it before it is found ([FindingType]),
// how it is found, and the sentences that people read. Other packages decide by
// the fields of the type, which [LookupType] gives for an id.
//
// What holds of every report:
//
//   - A policy that could not be read is never taken as empty: the verdict is
//     undetermined.
//   - A requirement is met only if every request of it is allowed for certain.
//     What hangs on something unknown is undetermined, and never a pass.
//   - The verdict is blocked if and only if there is a finding of kind outage. A
//     weakness changes no verdict.
//   - A finding that a Deny brings about is not restorable. It shows the Deny as
//     it would have to read.
//   - Where the budget has cut something, there is the finding policy-too-complex.
//     What is certain stands beside it.
//   - Texts of the policy are data: in a sentence they are quoted where they could
//     be taken for words of the sentence.
//
// Everything here is pure: data in, data out.
package delivery
