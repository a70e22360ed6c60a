// Package tfplan reads what "terraform show -json" and "tofu show -json" print of a plan or a
// state, and terraform.tfstate, into snapshots of buckets, policies, trails, keys and topics (key.go,
// topic.go).
//
// [Read] reads member by member: of a large plan only the resources of the types that matter
// are kept, and what refers to what (stream.go, plan.go, configuration.go). A plan holds values
// that are known, marks of those that are not, marks of those that are sensitive, and of
// expressions only what they refer to. So a bucket whose name is known only after the apply is
// joined with its policy by reference (resolve.go), ARNs that follow from names are derived, and
// a policy that comes from an aws_iam_policy_document is made of what is known of it
// (document.go).
//
// Traps of the form, each with its test:
//
//   - forget: the object stays in AWS, although "after" is null as for delete.
//   - sensitive: the text stands in the plan in clear. It is judged and marked.
//   - moved: an object has another address before.
//   - what a partial plan leaves out stands in its prior state, and stays as it is.
//   - the policy of a bucket's own resource is also what was last read of it, whoever wrote it.
package tfplan
