package delivery_test

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A policy that lets only one region's files in looks right at a glance.
func ExampleJudge() {
	doc, err := policy.Parse([]byte(`{
	  "Version": "2012-10-17",
	  "Statement": [
	    {
	      "Sid": "Acl", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
	      "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::logs",
	      "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}
	    },
	    {
	      "Sid": "Write", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
	      "Action": "s3:PutObject", "Resource": [
	        "arn:aws:s3:::logs/AWSLogs/111111111111/CloudTrail/",
	        "arn:aws:s3:::logs/AWSLogs/111111111111/CloudTrail/us-east-1/*"
	      ],
	      "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}
	    }
	  ]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	trails := []trail.Trail{{
		Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main",
		HomeRegion: "us-east-1", Bucket: "logs", MultiRegion: true,
	}}
	report := delivery.Judge(delivery.Bucket{Name: "logs", State: delivery.PolicyRead, Policy: doc}, trails, trail.Environment{})
	fmt.Println(report.Verdict)
	for _, requirement := range report.Trails[0].Requirements {
		fmt.Printf("%s: %s. %s\n", requirement.ID, requirement.Decision, requirement.Why)
	}
	for _, finding := range report.Findings {
		fmt.Println(finding.Severity, finding.ID)
	}
	// Output:
	// blocked
	// bucket-acl: allowed. Statement Acl allows it.
	// log-files: implicit_deny. Statement Write grants only region us-east-1; nothing allows s3:PutObject on arn:aws:s3:::logs/AWSLogs/111111111111/CloudTrail/ap-northeast-1/….
	// preflight-marker: allowed. Statement Write allows it.
	// CRITICAL log-files-denied
}
