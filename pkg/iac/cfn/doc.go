// Package cfn reads CloudFormation templates, in JSON and YAML, also as "sam build" writes
// them, and the cdk.out folder of the CDK, into snapshots of buckets, policies and trails.
//
// A template holds functions whose results are known at deployment only. The evaluator
// (evaluate.go, function.go) works them out as far as they are known, and what is not known is
// a value like any other: a mark in a text where it is known what it names, an unknown with what
// it refers to elsewhere. Conditions that are not known are tried both ways, and a region that
// is not known in every region of the commercial partition; each way is a snapshot.
//
// A template tells nothing of what is there. It is judged as its stack is made from
// it, unless the template from before is given.
package cfn
