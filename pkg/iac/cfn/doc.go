// Package cfn reads CloudFormation templates, in JSON and YAML, also as "sam build" writes
// them, change sets, and the cdk.out folder of the CDK (assembly.go), into snapshots of buckets,
// policies, trails, keys and topics (policy.go, topic.go).
//
// A template holds functions whose results are known at deployment only. The evaluator
// (evaluate.go, function.go) works them out as far as they are known, and what is not known is
// a value like any other: a mark in a text where it is known what it names, an unknown with what
// it refers to elsewhere. Conditions that are not known are tried both ways, and a region that
// is not known in every region of the commercial partition; each way is a snapshot (ways.go). What
// is too much to be tried is never left out: every resource is taken as there, and all is open.
//
// Loops are written out when the template is read (loop.go). A nested stack has an evaluator of its
// own, which asks that of its parent for arguments (nested.go).
//
// A template tells nothing of what is there. It is judged as its stack is made from
// it, unless the template from before is given (between.go). A change set holds both, worked out
// by CloudFormation (changeset.go).
package cfn
