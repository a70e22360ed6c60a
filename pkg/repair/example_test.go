package repair_test

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The trail was given the prefix "logs", and the policy was not.
func ExampleFor() {
	doc, err := policy.Parse([]byte(`{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AWSCloudTrailAclCheck20150319",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "s3:GetBucketAcl",
      "Resource": "arn:aws:s3:::example-logs",
      "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}}
    },
    {
      "Sid": "AWSCloudTrailWrite20150319",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::example-logs/AWSLogs/111111111111/*",
      "Condition": {"StringEquals": {
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"
      }}
    }
  ]
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	bucket := delivery.Bucket{Name: "example-logs", State: delivery.PolicyRead, Policy: doc}
	trails := []trail.Trail{{
		Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main",
		HomeRegion: "us-east-1", Bucket: "example-logs", Prefix: "logs", MultiRegion: true,
	}}
	report := delivery.Judge(bucket, trails, trail.Environment{})
	plan := repair.For(bucket, trails, trail.Environment{}, report, repair.Options{})
	for _, c := range plan.Changes {
		fmt.Println(c.Action, c.Statement)
	}
	fmt.Print(plan.Diff)
	// Output:
	// mend AWSCloudTrailWrite20150319
	// --- policy (now)
	// +++ policy (restored)
	// @@ -22,7 +22,10 @@
	//          "Service": "cloudtrail.amazonaws.com"
	//        },
	//        "Action": "s3:PutObject",
	// -      "Resource": "arn:aws:s3:::example-logs/AWSLogs/111111111111/*",
	// +      "Resource": [
	// +        "arn:aws:s3:::example-logs/AWSLogs/111111111111/*",
	// +        "arn:aws:s3:::example-logs/logs/AWSLogs/111111111111/*"
	// +      ],
	//        "Condition": {
	//          "StringEquals": {
	//            "s3:x-amz-acl": "bucket-owner-full-control",
}
