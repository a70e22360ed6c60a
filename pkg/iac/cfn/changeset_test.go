package cfn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
)

// properties is the context of a resource in a change set: a text in which all scalars are texts.
func properties(of map[string]any, others ...string) string {
	context := map[string]any{"Properties": of}
	for i := 0; i < len(others); i += 2 {
		context[others[i]] = others[i+1]
	}
	text, _ := json.Marshal(context) // texts, lists and maps
	return string(text)
}

func bucketPolicy(statements ...any) map[string]any {
	const source = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main"
	grant := func(action, resource string) any {
		return map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": "cloudtrail.amazonaws.com"}, "Action": action, "Resource": resource,
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceArn": source}},
		}
	}
	all := []any{grant("s3:GetBucketAcl", "arn:aws:s3:::example-logs"), grant("s3:PutObject", "arn:aws:s3:::example-logs/AWSLogs/111111111111/*")}
	return map[string]any{"Bucket": "example-logs", "PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": append(all, statements...)}}
}

type resourceChange map[string]string

func changeSet(changes ...resourceChange) string {
	var list []any
	for _, c := range changes {
		list = append(list, map[string]any{"Type": "Resource", "ResourceChange": c})
	}
	text, _ := json.Marshal(map[string]any{
		"ChangeSetName": "next", "Status": "CREATE_COMPLETE", "Parameters": []any{}, "Changes": list,
		"StackId": "arn:aws:cloudformation:eu-west-1:111111111111:stack/audit/5f2c",
	}) // texts, lists and maps
	return string(text)
}

// A change set has the properties of what it changes, before and after.
func TestChangeSets(t *testing.T) {
	deny := map[string]any{
		"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::example-logs/*",
		"Condition": map[string]any{"StringNotEquals": map[string]any{"aws:SourceVpce": "vpce-1"}},
	}
	later := map[string]any{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "{{changeSet:KNOWN_AFTER_APPLY}}"}
	policy := func(action, before, after string) resourceChange {
		c := resourceChange{"Action": action, "LogicalResourceId": "Policy", "PhysicalResourceId": "example-logs", "ResourceType": "AWS::S3::BucketPolicy"}
		if before != "" {
			c["BeforeContext"] = before
		}
		if after != "" {
			c["AfterContext"] = after
		}
		return c
	}
	trail := func(action, before, after string) resourceChange {
		c := policy(action, before, after)
		c["LogicalResourceId"], c["PhysicalResourceId"], c["ResourceType"] = "Trail", "main", "AWS::CloudTrail::Trail"
		return c
	}
	main := map[string]any{"S3BucketName": "example-logs", "IsLogging": "true", "IsMultiRegionTrail": "true"}
	moved := map[string]any{"S3BucketName": "example-logs", "S3KeyPrefix": "audit", "IsLogging": "true", "IsMultiRegionTrail": "true"}
	good, denied := properties(bucketPolicy()), properties(bucketPolicy(deny))
	delivering, blocked, open, absent := delivery.Delivering, delivery.Blocked, delivery.Undetermined, iac.NotThere
	tests := []struct {
		name          string
		text          string
		before, after delivery.Verdict
		change        iac.Change
	}{
		// The trail is not in it, since it does not change. The policy tells of it.
		{"a Deny", changeSet(policy("Modify", good, denied)), delivering, blocked, iac.Broken},
		{"a Deny goes", changeSet(policy("Modify", denied, good), trail("Modify", properties(main), properties(main))), blocked, delivering, iac.Mended},
		{"a Deny on what is not known", changeSet(policy("Modify", good, properties(bucketPolicy(later)))), delivering, open, iac.Uncertain},
		{"the policy goes", changeSet(policy("Remove", good, "")), delivering, blocked, iac.Broken},
		{"the policy goes, and stays", changeSet(policy("Remove", properties(bucketPolicy(), "DeletionPolicy", "Retain"), "")), delivering, delivering, iac.Unchanged},
		{"another prefix", changeSet(policy("Modify", good, good), trail("Modify", properties(main), properties(moved))), delivering, blocked, iac.Broken},
		// The policy does not change, and is not in it.
		{"another prefix, alone", changeSet(trail("Modify", properties(main), properties(moved))), open, open, iac.Uncertain},
		{"a new trail", changeSet(policy("Modify", good, good), trail("Add", "", properties(moved))), absent, blocked, iac.New},
		{"the trail goes", changeSet(trail("Remove", properties(main), "")), open, absent, iac.Removed},
		{"imported", changeSet(policy("Import", "", good), trail("Import", "", properties(main))), delivering, delivering, iac.Unchanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := cfn.Read([]byte(tt.text), cfn.Options{File: "changes.json"})
			if err != nil {
				t.Fatal(err)
			}
			reports := iac.Assess(in, setting)
			if len(reports) != 1 {
				t.Fatalf("%d buckets: %+v", len(reports), reports)
			}
			if r := reports[0]; r.Before != tt.before || r.After != tt.after || r.Change != tt.change || r.File != "changes.json" || r.Line == 0 {
				t.Errorf("%s, then %s: %s, at %s:%d; %+v", r.Before, r.After, r.Change, r.File, r.Line, r.Findings)
			}
		})
	}
	maybe := trail("Modify", properties(main), properties(main))
	maybe["Replacement"] = "Conditional"
	in, err := cfn.Read([]byte(changeSet(policy("Modify", good, good), maybe)), cfn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := iac.Assess(in, setting)[0]; r.After != open {
		t.Errorf("perhaps replaced: %s", r.After)
	}
}

// A change set that does not tell all says so, or is refused in one line that says what to do.
func TestChangeSetsThatDoNotTell(t *testing.T) {
	bare := changeSet(resourceChange{"Action": "Modify", "LogicalResourceId": "Policy", "ResourceType": "AWS::S3::BucketPolicy"})
	for name, tt := range map[string]struct{ text, says string }{
		"without values": {bare, "--include-property-values"},
		"not made yet":   {strings.Replace(bare, "CREATE_COMPLETE", "CREATE_PENDING", 1), "is CREATE_PENDING"},
		"failed":         {strings.Replace(bare, `"CREATE_COMPLETE"`, `"FAILED","StatusReason":"Transform failed"`, 1), "is FAILED Transform failed"},
		"half a context": {changeSet(resourceChange{"Action": "Add", "LogicalResourceId": "P", "ResourceType": "AWS::S3::BucketPolicy", "AfterContext": "{"}), "AfterContext of P: not JSON"},
	} {
		if _, err := cfn.Read([]byte(tt.text), here); err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tt := range map[string]struct{ text, partial string }{
		"no change":     {`{"Changes":[],"Status":"FAILED","StatusReason":"The submitted information didn't contain changes."}`, ""},
		"nested":        {changeSet(resourceChange{"Action": "Modify", "LogicalResourceId": "Storage", "ResourceType": "AWS::CloudFormation::Stack"}), "nested stack Storage"},
		"not known yet": {changeSet(resourceChange{"Action": "Dynamic", "LogicalResourceId": "Trail", "ResourceType": "AWS::CloudTrail::Trail"}), "what becomes of Trail is not known"},
		"cut":           {strings.Replace(changeSet(), `"Changes"`, `"NextToken":"x","Changes"`, 1), "goes on"},
	} {
		in, err := cfn.Read([]byte(strings.Replace(tt.text, `"Changes":null`, `"Changes":[]`, 1)), here)
		if err != nil || !strings.Contains(in.Partial, tt.partial) || tt.partial == "" && in.Partial != "" {
			t.Errorf("%s: %q, %v", name, in.Partial, err)
		}
	}
}
