package trigger_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

const (
	account = "111111111111"
	region  = "us-east-1"
	arn     = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"
)

// event is an event with the given members of its detail.
func event(source, name, detail string) string {
	return `{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"` + source + `","account":"111111111111","region":"us-east-1",
"time":"2026-09-13T17:50:37Z","detail":{"eventName":"` + name + `","eventTime":"2026-09-13T17:50:38Z","awsRegion":"us-east-1",
"userIdentity":{"arn":"arn:aws:iam::111111111111:user/dana"},"eventID":"id",` + detail + `}}`
}

func want(name, bucket, trail string) *guardrail.Request {
	return &guardrail.Request{
		Account: account, Region: region, Bucket: bucket, Trail: trail,
		Change: &delivery.Change{
			Event: name, Time: time.Date(2026, 9, 13, 17, 50, 38, 0, time.UTC), Actor: "arn:aws:iam::111111111111:user/dana",
			EventID: "id", Account: account, Region: region, Trail: trail,
		},
	}
}

func with(r *guardrail.Request, change func(*guardrail.Request)) *guardrail.Request {
	change(r)
	return r
}

func TestParse(t *testing.T) {
	failed := func(r *guardrail.Request) { r.Change.ErrorCode = "AccessDenied" }
	policy := func(text string) func(*guardrail.Request) {
		return func(r *guardrail.Request) { r.SubmittedPolicy = []byte(text) }
	}
	effect := func(text string) func(*guardrail.Request) {
		return func(r *guardrail.Request) { r.Change.Effect = text }
	}
	organization := func(target string) func(*guardrail.Request) {
		return func(r *guardrail.Request) { r.Organization, r.Change.Target = true, target }
	}
	const key, topic = "arn:aws:kms:us-east-1:111111111111:key/1111aaaa-22bb-33cc-44dd-5555eeee6666", "arn:aws:sns:us-east-1:111111111111:files"
	chain := func(arn string) func(*guardrail.Request) {
		return func(r *guardrail.Request) { r.Chain, r.Change.Chain = arn, arn }
	}
	long := strings.Repeat("x", 20481)
	for name, test := range map[string]struct {
		event string
		want  *guardrail.Request // nil: skipped
	}{
		"policy as an object":     {event("aws.s3", "PutBucketPolicy", `"requestParameters":{"bucketName":"logs","bucketPolicy":{"Statement": []}}`), with(want("PutBucketPolicy", "logs", ""), policy(`{"Statement":[]}`))},
		"policy as a string":      {event("aws.s3", "PutBucketPolicy", `"requestParameters":{"bucketName":"logs","bucketPolicy":"{\"a\": 1}"}`), with(want("PutBucketPolicy", "logs", ""), policy(`{"a":1}`))},
		"policy of another type":  {event("aws.s3", "PutBucketPolicy", `"requestParameters":{"bucketName":"logs","bucketPolicy":[1]}`), want("PutBucketPolicy", "logs", "")},
		"policy that is no JSON":  {event("aws.s3", "PutBucketPolicy", `"requestParameters":{"bucketName":"logs","bucketPolicy":"{"}`), want("PutBucketPolicy", "logs", "")},
		"policy that is too long": {event("aws.s3", "PutBucketPolicy", `"requestParameters":{"bucketName":"logs","bucketPolicy":{"a":"`+long+`"}}`), want("PutBucketPolicy", "logs", "")},
		"record of old":           {event("aws.s3", "DeleteBucketPolicy", `"requestParameters":{"bucketName":["logs"],"host":["logs.s3.amazonaws.com"],"policy":[""]}`), want("DeleteBucketPolicy", "logs", "")},
		"bucket in resources":     {event("aws.s3", "PutBucketRequestPayment", `"requestParameters":null,"resources":[1,{"ARN":"arn:aws:s3:::logs/key"},{"ARN":"arn:aws:s3:::logs"}]`), want("PutBucketRequestPayment", "logs", "")},
		"bucket of another type":  {event("aws.s3", "CreateBucket", `"requestParameters":{"bucketName":{"a":1}}`), nil},
		"bucket that is none":     {event("aws.s3", "DeleteBucket", `"requestParameters":{"bucketName":"../logs"}`), nil},
		"parameters as a string":  {event("aws.s3", "DeleteBucket", `"requestParameters":"logs"`), nil},
		"no parameters":           {event("aws.s3", "DeleteBucket", `"x":1`), nil},
		"failed, with a bucket":   {event("aws.s3", "DeleteBucket", `"errorCode":"AccessDenied","requestParameters":{"bucketName":"logs"}`), with(want("DeleteBucket", "logs", ""), failed)},
		"failed, without":         {event("aws.cloudtrail", "DeleteTrail", `"errorCode":"TrailNotFoundException","requestParameters":{"name":"main"}`), nil},
		"event configuration":     {event("aws.cloudtrail", "PutEventConfiguration", `"requestParameters":{"trailName":"main","aggregationConfigurations":[{"eventCategory":"Data","templates":["API_ACTIVITY"]}]}`), want("PutEventConfiguration", "", "main")},
		"of a trail's ARN":        {event("aws.cloudtrail", "PutEventConfiguration", `"requestParameters":{"trailName":"main"},"responseElements":{"trailARN":"`+arn+`"}`), want("PutEventConfiguration", "", arn)},
		"of an event data store":  {event("aws.cloudtrail", "PutEventConfiguration", `"requestParameters":{"eventDataStore":"0a1b2c3d"}`), nil},
		"read only":               {event("aws.s3", "GetBucketPolicy", `"requestParameters":{"bucketName":"logs"}`), nil},
		"call of another service": {event("aws.ec2", "DeleteBucketPolicy", `"requestParameters":{"bucketName":"logs"}`), nil},
		"trail made":              {event("aws.cloudtrail", "CreateTrail", `"requestParameters":{"name":"main","s3BucketName":"asked"},"responseElements":{"s3BucketName":"logs","trailARN":"`+arn+`"}`), with(want("CreateTrail", "logs", arn), prefix(""))},
		"trail moved, as it is now": {
			event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main","s3KeyPrefix":"x"},"responseElements":{"trailARN":"`+arn+`","s3BucketName":"logs","s3KeyPrefix":"audit"}`),
			with(with(want("UpdateTrail", "logs", arn), prefix("audit")), effect("nothing")),
		},
		"trail moved, as asked for": {
			event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main","s3KeyPrefix":""},"responseElements":null`),
			with(with(want("UpdateTrail", "", "main"), prefix("")), effect("nothing")),
		},
		"trail changed":           {event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main"},"responseElements":null`), with(want("UpdateTrail", "", "main"), effect("nothing"))},
		"trail changed, strange":  {event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main","s3BucketName":"logs"},"responseElements":{"trailARN":"arn:aws:s3:::x","s3BucketName":""}`), with(want("UpdateTrail", "logs", "main"), effect("nothing"))},
		"trail covers less":       {event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main","isOrganizationTrail":false,"isMultiRegionTrail":"false","includeGlobalServiceEvents":false,"enableLogFileValidation":false,"kmsKeyId":""}`), with(want("UpdateTrail", "", "main"), effect("members, regions, global-events, validation, key"))},
		"trail covers more":       {event("aws.cloudtrail", "UpdateTrail", `"requestParameters":{"name":"main","isOrganizationTrail":true,"isMultiRegionTrail":true,"kmsKeyId":"alias/logs"}`), with(want("UpdateTrail", "", "main"), effect("nothing"))},
		"trail changed, no words": {event("aws.cloudtrail", "UpdateTrail", `"requestParameters":null,"responseElements":{"trailARN":"`+arn+`","s3BucketName":"logs"}`), with(want("UpdateTrail", "logs", arn), prefix(""))},
		"trail by ARN":            {event("aws.cloudtrail", "StopLogging", `"requestParameters":{"name":"`+arn+`"}`), want("StopLogging", "", arn)},
		"trail by name":           {event("aws.cloudtrail", "StartLogging", `"requestParameters":{"name":"main"}`), want("StartLogging", "", "main")},
		"trail that is none":      {event("aws.cloudtrail", "DeleteTrail", `"requestParameters":{"name":"a b"}`), nil},
		"ARN that is none":        {event("aws.cloudtrail", "DeleteTrail", `"requestParameters":{"name":"arn:aws:cloudtrail:us-east-1:1:trail/main"}`), nil},
		"selectors":               {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main"}`), want("PutEventSelectors", "", "main")},
		"selectors, the default":  {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main","eventSelectors":[{"readWriteType":"All","includeManagementEvents":true}]}`), with(want("PutEventSelectors", "", "main"), effect("nothing"))},
		"selectors that silence":  {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":false}]}`), with(want("PutEventSelectors", "", "main"), effect("management-writes"))},
		"selectors without KMS":   {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main","eventSelectors":[{"readWriteType":"All","includeManagementEvents":true,"excludeManagementEventSources":["kms.amazonaws.com"]}]}`), with(want("PutEventSelectors", "", "main"), effect("management-events"))},
		"advanced selectors":      {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main","advancedEventSelectors":[{"name":"data","fieldSelectors":[{"field":"eventCategory","equals":["Data"]},{"field":"resources.type","equals":["AWS::S3::Object"]}]}]}`), with(want("PutEventSelectors", "", "main"), effect("management-writes"))},
		"selectors of no form":    {event("aws.cloudtrail", "PutEventSelectors", `"requestParameters":{"trailName":"main","eventSelectors":"all"}`), want("PutEventSelectors", "", "main")},
		"insights":                {event("aws.cloudtrail", "PutInsightSelectors", `"requestParameters":{"trailName":"main"},"responseElements":{"trailARN":"`+arn+`"}`), want("PutInsightSelectors", "", arn)},
		"scheduled event":         {`{"id":"e","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`, nil},
		"no account":              {`{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventName":"DeleteBucket","awsRegion":"us-east-1","requestParameters":{"bucketName":"logs"}}}`, nil},
		"region that is none":     {event("aws.s3", "DeleteBucket", `"awsRegion":"Frankfurt","requestParameters":{"bucketName":"logs"}`), want("DeleteBucket", "logs", "")},
		"no region": {
			`{"id":"e","account":"111111111111","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventName":"DeleteBucket","eventTime":"2026-09-13T17:50:38Z","eventID":"id",
"userIdentity":{"arn":"arn:aws:iam::111111111111:user/dana"},"requestParameters":{"bucketName":"logs"}}}`,
			with(want("DeleteBucket", "logs", ""), func(r *guardrail.Request) { r.Region, r.Change.Region = "", "" }),
		},
		"sovereign region": {
			strings.ReplaceAll(event("aws.s3", "DeleteBucket", `"requestParameters":{"bucketName":"logs"}`), "us-east-1", "eusc-de-east-1"),
			with(want("DeleteBucket", "logs", ""), func(r *guardrail.Request) { r.Region, r.Change.Region = "eusc-de-east-1", "eusc-de-east-1" }),
		},
		"sovereign trail": {
			strings.ReplaceAll(event("aws.cloudtrail", "StopLogging", `"requestParameters":{"name":"`+arn+`"}`), "us-east-1", "eusc-de-east-1"),
			with(want("StopLogging", "", strings.Replace(arn, "us-east-1", "eusc-de-east-1", 1)), func(r *guardrail.Request) { r.Region, r.Change.Region = "eusc-de-east-1", "eusc-de-east-1" }),
		},
		"key by its id":            {event("aws.kms", "DisableKey", `"recipientAccountId":"111111111111","requestParameters":{"keyId":"1111aaaa-22bb-33cc-44dd-5555eeee6666"}`), with(want("DisableKey", "", ""), chain(key))},
		"key by its ARN":           {event("aws.kms", "PutKeyPolicy", `"requestParameters":{"keyId":"`+key+`"}`), with(want("PutKeyPolicy", "", ""), chain(key))},
		"key in resources":         {event("aws.kms", "EnableKey", `"requestParameters":{"keyId":"x"},"resources":[{"ARN":"arn:aws:kms:us-east-1:111111111111:alias/logs"},{"ARN":"`+key+`"}]`), with(want("EnableKey", "", ""), chain(key))},
		"key that is none":         {event("aws.kms", "DisableKey", `"requestParameters":{"keyId":"../../x"}`), nil},
		"key of another partition": {event("aws.kms", "DisableKey", `"requestParameters":{"keyId":"arn:evil:kms:us-east-1:111111111111:key/x y"}`), nil},
		"key, failed":              {event("aws.kms", "DisableKey", `"errorCode":"AccessDenied","requestParameters":{"keyId":"`+key+`"}`), nil},
		"key that is only used":    {event("aws.kms", "GenerateDataKey", `"requestParameters":{"keyId":"`+key+`"}`), nil},
		"bucket's encryption":      {event("aws.s3", "PutBucketEncryption", `"requestParameters":{"bucketName":"logs"}`), want("PutBucketEncryption", "logs", "")},
		"topic's policy":           {event("aws.sns", "SetTopicAttributes", `"requestParameters":{"topicArn":"`+topic+`","attributeName":"Policy","attributeValue":"{}"}`), with(want("SetTopicAttributes", "", ""), chain(topic))},
		"topic's key":              {event("aws.sns", "SetTopicAttributes", `"requestParameters":{"topicArn":"`+topic+`","attributeName":"KmsMasterKeyId"}`), with(want("SetTopicAttributes", "", ""), chain(topic))},
		"topic's name for people":  {event("aws.sns", "SetTopicAttributes", `"requestParameters":{"topicArn":"`+topic+`","attributeName":"DisplayName"}`), nil},
		"topic that was made":      {event("aws.sns", "CreateTopic", `"requestParameters":{"name":"files"},"responseElements":{"topicArn":"`+topic+`"}`), with(want("CreateTopic", "", ""), chain(topic))},
		"topic that is none":       {event("aws.sns", "DeleteTopic", `"requestParameters":{"topicArn":"arn:aws:sns:us-east-1:111111111111:files:1234"}`), nil},
		"trusted access of CloudTrail": {
			event("aws.organizations", "DisableAWSServiceAccess", `"requestParameters":{"servicePrincipal":"cloudtrail.amazonaws.com"}`),
			with(want("DisableAWSServiceAccess", "", ""), organization("cloudtrail.amazonaws.com")),
		},
		"trusted access of nobody":    {event("aws.organizations", "DisableAWSServiceAccess", `"requestParameters":null`), with(want("DisableAWSServiceAccess", "", ""), organization("cloudtrail.amazonaws.com"))},
		"trusted access of another":   {event("aws.organizations", "DisableAWSServiceAccess", `"requestParameters":{"servicePrincipal":"config.amazonaws.com"}`), nil},
		"trusted access, failed":      {event("aws.organizations", "DisableAWSServiceAccess", `"errorCode":"AccessDeniedException","requestParameters":{"servicePrincipal":"cloudtrail.amazonaws.com"}`), nil},
		"account removed":             {event("aws.organizations", "RemoveAccountFromOrganization", `"requestParameters":{"accountId":"222222222222"}`), with(want("RemoveAccountFromOrganization", "", ""), organization("222222222222"))},
		"account closed":              {event("aws.organizations", "CloseAccount", `"requestParameters":{"accountId":"222222222222"}`), with(want("CloseAccount", "", ""), organization("222222222222"))},
		"account closed, of no name":  {event("aws.organizations", "CloseAccount", `"requestParameters":{"accountId":["x"]}`), with(want("CloseAccount", "", ""), organization(""))},
		"organization left":           {event("aws.organizations", "LeaveOrganization", `"requestParameters":null`), with(want("LeaveOrganization", "", ""), organization(""))},
		"another call of the service": {event("aws.organizations", "CreateAccount", `"requestParameters":{"accountName":"x"}`), nil},
		"account departed": {
			strings.Replace(event("aws.organizations", "AccountDepartedOrganization", `"serviceEventDetails":{"accountId":"222222222222"}`), "API Call", "Service Event", 1),
			with(want("AccountDepartedOrganization", "", ""), organization("222222222222")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trigger.Parse([]byte(test.event))
			if err != nil {
				t.Fatal(err)
			}
			if test.want == nil {
				if len(got.Requests) != 0 || got.Skipped == "" || strings.Contains(got.Skipped, "\n") {
					t.Errorf("requests %v, skipped %q", got.Requests, got.Skipped)
				}
				return
			}
			if diff := cmp.Diff([]guardrail.Request{*test.want}, got.Requests); diff != "" || got.Skipped != "" {
				t.Errorf("skipped %q (-want +got):\n%s", got.Skipped, diff)
			}
			if got.ID != "e" || got.Name != test.want.Change.Event {
				t.Errorf("event %q %q", got.ID, got.Name)
			}
		})
	}
}

func prefix(is string) func(*guardrail.Request) {
	return func(r *guardrail.Request) { r.Prefix = &is }
}

// A region that is strange is told, and the event is looked at.
func TestRegionWarning(t *testing.T) {
	for given, want := range map[string]struct{ region, warning string }{
		"us-east-1":       {"us-east-1", ""},
		"eusc-de-east-1":  {"eusc-de-east-1", ""},
		"us-iso-east-1":   {"us-iso-east-1", ""}, // no region of the partition is listed
		"eusc-de-east-2":  {"eusc-de-east-2", "the region eusc-de-east-2 is not known to this version"},
		"xx-northwest-12": {"xx-northwest-12", "the region xx-northwest-12 is not known to this version"},
		"Frankfurt":       {"", `the event names a region that is not spelled like one, "Frankfurt"`},
		"":                {"", "the event names no region"},
		"a\\nb":           {"", `the event names a region that is not spelled like one, "a\nb"`},
	} {
		got, err := trigger.Parse([]byte(strings.ReplaceAll(event("aws.s3", "DeleteBucket", `"requestParameters":{"bucketName":"logs"}`), region, given)))
		if err != nil || len(got.Requests) != 1 || got.Requests[0].Region != want.region || got.Warning != want.warning {
			t.Errorf("%q: %+v, %v", given, got, err)
		}
	}
	const both = `{"account":"111111111111","region":"eu-west-1","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventName":"DeleteBucket","awsRegion":"Frankfurt","requestParameters":{"bucketName":"logs"}}}`
	if got, err := trigger.Parse([]byte(both)); err != nil || len(got.Requests) != 1 || got.Requests[0].Region != "eu-west-1" || !strings.Contains(got.Warning, "Frankfurt") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseAccountOfTheRecord(t *testing.T) {
	got, err := trigger.Parse([]byte(`{"account":["x"],"region":"eu-west-1","time":"2026-09-13T17:50:37Z","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventName":"DeleteBucket","recipientAccountId":"222222222222","eventTime":7,"requestParameters":{"bucketName":"logs"}}}`))
	if err != nil || len(got.Requests) != 1 {
		t.Fatal(got, err)
	}
	r := got.Requests[0]
	if r.Account != "222222222222" || r.Region != "eu-west-1" || r.Change.Time.Minute() != 50 {
		t.Errorf("request %+v, change %+v", r, r.Change)
	}
}

func TestMalformed(t *testing.T) {
	for _, payload := range []string{``, `x`, `null`, `[]`, `"x"`, `{}`, `{"detail-type":7}`, `{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":[]}`} {
		var malformed *trigger.MalformedError
		if _, err := trigger.Parse([]byte(payload)); !errors.As(err, &malformed) || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

// TestSampleEvents reads the events that are shipped as samples.
func TestSampleEvents(t *testing.T) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample events", err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := trigger.Parse(payload)
		name := filepath.Base(file)
		if name == "schedule.json" {
			if len(got.Requests) > 0 {
				t.Errorf("%s: requests %v", name, got.Requests)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		failed := strings.Contains(string(payload), `"errorCode"`)
		if len(got.Requests) == 0 && !failed {
			t.Errorf("%s: skipped: %s", name, got.Skipped)
		}
		for _, r := range got.Requests {
			if r.Change.Actor == "" || r.Change.Time.IsZero() || r.Change.EventID == "" || (r.Change.ErrorCode != "") != failed {
				t.Errorf("%s: change %+v", name, r.Change)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := trigger.Parse(payload)
		if err != nil {
			var malformed *trigger.MalformedError
			if !errors.As(err, &malformed) || len(got.Requests) > 0 {
				t.Fatal(got, err)
			}
			return
		}
		if (len(got.Requests) == 0) == (got.Skipped == "") {
			t.Fatalf("%d requests, skipped %q", len(got.Requests), got.Skipped)
		}
		for _, r := range got.Requests {
			if r.Bucket == "" && r.Trail == "" && r.Chain == "" && !r.Organization || len(r.Account) != 12 || r.Region == "" && got.Warning == "" || r.Change == nil {
				t.Fatalf("request %+v, warning %q", r, got.Warning)
			}
			if strings.ContainsAny(r.Bucket+r.Trail, "\n \"*/?$") && !strings.Contains(r.Trail, ":trail/") {
				t.Fatalf("bucket %q, trail %q", r.Bucket, r.Trail)
			}
			if strings.ContainsAny(r.Chain, "\n \"*?$") || len(r.Chain) > 512 {
				t.Fatalf("key or topic %q", r.Chain)
			}
			c := r.Change
			if len(r.SubmittedPolicy) > 20480 || len(c.SourceIP)+len(c.Target)+len(c.LinkedService) > 3*128 ||
				max(len(c.Actor), len(c.Via), len(c.OnBehalfOf), len(c.UserAgent), len(got.Warning)) > 512 || len(got.Skipped) > 1024 {
				t.Fatal("texts are not bounded")
			}
		}
	})
}
