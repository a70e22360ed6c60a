// Package iac judges what infrastructure as code would do to the delivery of
// CloudTrail, before it is done.
//
// A reader (iac/tfplan, iac/cfn) makes an [Input] of a plan or template: two
// snapshots, before and after, of buckets, their policies, who pays for them, trails,
// keys and topics, each with its origin. Each attribute is a [Value]: known, perhaps
// sensitive, not known with what it refers to, or absent. [Assess] joins buckets,
// policies and trails, judges each bucket of trails before and after with
// [delivery.Judge], and says what changes.
//
// What holds of every answer:
//
//   - What is not known is never taken as if it were known. It is tried in all the
//     ways in which it may turn out, or judged as a hole: what the answer is whatever
//     it turns out to be is certain, the rest is undetermined and names the attribute
//     and what it refers to.
//
//   - What is sensitive is judged, and is in no text that comes out.
//
//   - What a plan leaves out is not gone: a bucket that is not in it has a policy that is
//     not known.
//
//   - Keys and topics are judged where all of their policy is known; the others are named as not
//     looked at.
//
// The files: value.go, snapshot.go and mark.go are what readers give; group.go joins;
// hole.go makes policies with holes, and standin.go names that are not known;
// judge.go and outcome.go judge one bucket; chain.go judges keys and topics (key.go, topic.go);
// change.go and assess.go compare; admitted.go finds the trails that a policy
// admits; place.go and show.go make it fit to be shown.
//
// Everything here is pure: data in, data out. Only the command line imports it.
package iac
