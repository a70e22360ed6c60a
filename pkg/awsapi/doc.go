// Package awsapi makes every call to AWS. It implements the ports of package
// guardrail with the AWS SDK.
//
// # Contract
//
// The interfaces in api.go list the operations that are called, no more and no
// fewer; [Actions] returns the permission for each. Tests hold the roles of
// template.yaml against it.
//
// Every failed call is returned as a [guardrail.PortError], classified in one place
// (error.go). What is not known counts as transient, so that it is tried again.
//
// Reads are repeated by the SDK. Writes to buckets are not: an answer may be lost
// after the write was made, and somebody else may have written since. Every call
// that reads or writes a bucket's settings names the expected owner, and nothing is
// written where the owner is not known.
//
// Everything exported is safe for use by several goroutines.
//
// # Files
//
//	client.go        one SDK client for each account, region and service; roles
//	api.go           what is called, and the permission for it
//	error.go         the class of a failed call
//	trail.go         guardrail.Trails on CloudTrail
//	bucket.go        guardrail.Buckets on S3; region.go finds a bucket's region,
//	                 owner.go the reason why a bucket cannot be read
//	chain.go         guardrail.Chain on KMS and SNS
//	folder.go        whose folders a bucket has
//	selectors.go     event selectors, as a command of an alert takes them
//	object.go        lists that come from objects in S3
//	organization.go  guardrail.Organizations; member.go and rcp.go read its accounts and its
//	                 resource control policies
//	enabled.go       the regions and the name of an account
//	stack.go         stacks of this project in an account
//	ledger.go        guardrail.Ledger on DynamoDB, with the layout of the table
//	inventory.go     guardrail.Inventory in the same table
//	pace.go          how often CloudTrail is called
//	alert.go         guardrail.Alerts on SNS
//	securityhub.go   findings in Security Hub
//	parallel.go      calls that are made at once
//	signed.go        calls of services without their SDK clients
//	awsfake/         the same services behind HTTP, for tests
package awsapi
