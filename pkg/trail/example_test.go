package trail_test

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

func ExampleRequirements() {
	trails, err := trail.Parse([]byte(`{"trailList": [{
	  "Name": "main", "S3BucketName": "logs", "S3KeyPrefix": "audit", "HomeRegion": "eu-west-1",
	  "TrailARN": "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main",
	  "IsMultiRegionTrail": true, "LogFileValidationEnabled": true
	}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range trail.Requirements(trails[0], trail.Environment{}) {
		fmt.Println(r.ID, r.Action, r.Resource)
	}
	// Output:
	// bucket-acl s3:GetBucketAcl arn:aws:s3:::logs
	// log-files s3:PutObject arn:aws:s3:::logs/audit/AWSLogs/111111111111/CloudTrail/<region>/*
	// digest-files s3:PutObject arn:aws:s3:::logs/audit/AWSLogs/111111111111/CloudTrail-Digest/<region>/*
	// preflight-marker s3:PutObject arn:aws:s3:::logs/audit/AWSLogs/111111111111/CloudTrail/
}

func ExampleDocumented() {
	statements, err := trail.Documented([]trail.Trail{{
		ARN: "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main", HomeRegion: "eu-west-1", Bucket: "logs",
	}}, trail.Environment{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", statements[0].Text())
	// Output:
	// {
	//     "Sid": "AWSCloudTrailAclCheck20150319",
	//     "Effect": "Allow",
	//     "Principal": {
	//         "Service": "cloudtrail.amazonaws.com"
	//     },
	//     "Action": "s3:GetBucketAcl",
	//     "Resource": "arn:aws:s3:::logs",
	//     "Condition": {
	//         "StringEquals": {
	//             "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main"
	//         }
	//     }
	// }
}
