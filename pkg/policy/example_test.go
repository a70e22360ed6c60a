package policy_test

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

func ExampleDocument_Decide() {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"logs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/AWSLogs/*"},
		{"Sid":"endpoint","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &policy.Request{
		Caller:   policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}},
		Action:   "s3:PutObject",
		Resource: "arn:aws:s3:::b/AWSLogs/111122223333/CloudTrail/",
	}
	for _, endpoint := range []policy.Value{{}, policy.Is("vpce-1"), {State: policy.Either}} {
		r.Context = policy.NewContext(policy.Value{}).With("aws:SourceVpce", endpoint)
		decision := d.Decide(r)
		fmt.Println(decision.Outcome, decision.Responsible, decision.DependsOn)
	}
	// Output:
	// explicit_deny [1] []
	// allowed [0] []
	// undetermined [0 1] [aws:SourceVpce]
}
