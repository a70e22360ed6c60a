// Package awsfake is an AWS account behind HTTP, for tests only. It speaks the wire
// formats of the operations that package awsapi calls, keeps their state, and
// fails where a test wants it to ([Server.Fail]).
//
// It answers in pages of one or two entries, redirects to the bucket's region, and
// checks the region and the account that a call was signed for, so that an adapter
// that forgets one of these fails its tests.
//
// # Files
//
//	server.go      the server, faults, which call a request is
//	wire.go        answers and failures in each service's form
//	s3.go          S3; cloudtrail.go, dynamodb.go
//	query.go       SNS, STS, Organizations and CloudFormation; kms.go keys and topics
//	securityhub.go Security Hub
package awsfake
