// Package trail knows CloudTrail: what a trail is, the requests that
// CloudTrail makes to deliver its files, and the bucket policy that AWS
// documents for it.
//
//   - trail.go, parse.go: a trail, its status, its organization, as the AWS
//     CLI prints them.
//   - requirement.go: the kinds of requests that a trail needs.
//   - horizon.go: which of them CloudTrail makes now, perhaps, and later.
//   - selectors.go: what event selectors add, as the AWS CLI prints them.
//   - management.go: which management events they leave out.
//   - coverage.go: what a trail covers, and whether that is less than before.
//   - keys.go: the ARNs of the files.
//   - context.go: the request context, and where each key's value comes from.
//   - region.go: the regions, and CloudTrail's accounts of old policies.
//   - key.go: what a KMS key is, and whether it can encrypt.
//   - chain.go: the requests to a trail's key and topic; chaincontext.go: their context.
//   - documented.go: the statements that AWS documents; documentedchain.go: those for keys
//     and topics.
//
// Everything here is pure: data in, data out.
package trail
