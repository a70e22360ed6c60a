package arn_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]arn.ARN{
		"arn:aws:cloudtrail:us-east-1:111122223333:trail/main":   {Partition: "aws", Service: "cloudtrail", Region: "us-east-1", Account: "111122223333", Resource: "trail/main"},
		"arn:aws-cn:s3:::logs/AWSLogs/111122223333/*":            {Partition: "aws-cn", Service: "s3", Resource: "logs/AWSLogs/111122223333/*"},
		"arn:aws-us-gov:iam::111122223333:role/path/ops":         {Partition: "aws-us-gov", Service: "iam", Account: "111122223333", Resource: "role/path/ops"},
		"arn:aws:logs:us-east-1:111122223333:log-group:/aws/x:*": {Partition: "aws", Service: "logs", Region: "us-east-1", Account: "111122223333", Resource: "log-group:/aws/x:*"},
		"arn:*:iam::*:root": {Partition: "*", Service: "iam", Account: "*", Resource: "root"},
		"arn:::::":          {},
	} {
		got, err := arn.Parse(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("Parse(%q) = %+v (%s), %v; want %+v", text, got, got, err, want)
		}
	}
	for _, text := range []string{"", "arn", "arn:aws:s3::logs", "ARN:aws:s3:::logs", "a:b:c:d:e:f", " arn:aws:s3:::logs", "*:*:*:*:*:*"} {
		if got, err := arn.Parse(text); err == nil || got != (arn.ARN{}) || err.Error() != "expected arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE" {
			t.Errorf("Parse(%q) = %+v, %v", text, got, err)
		}
	}
}

// What is no ARN still has the fields that it has.
func TestSplit(t *testing.T) {
	for text, want := range map[string]arn.ARN{
		"":                              {},
		"AIDAEXAMPLE":                   {},
		"111122223333":                  {},
		"arn:aws:iam::111122223333":     {Partition: "aws", Service: "iam", Account: "111122223333"},
		"arn:aws:iam":                   {Partition: "aws", Service: "iam"},
		"*:*:iam::1111*:user/a:b":       {Partition: "*", Service: "iam", Account: "1111*", Resource: "user/a:b"},
		"arn:aws:s3:::logs":             {Partition: "aws", Service: "s3", Resource: "logs"},
		"arn:aws:s3:::logs/a:b":         {Partition: "aws", Service: "s3", Resource: "logs/a:b"},
		"arn:aws:s3:eu-west-1:1:x\ny":   {Partition: "aws", Service: "s3", Region: "eu-west-1", Account: "1", Resource: "x\ny"},
		"${aws:PrincipalTag/x}:a:b:c:d": {Partition: "PrincipalTag/x}", Service: "a", Region: "b", Account: "c", Resource: "d"},
	} {
		if got := arn.Split(text); got != want {
			t.Errorf("Split(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestRoot(t *testing.T) {
	root := arn.Root(arn.China, "111122223333")
	if got := root.String(); got != "arn:aws-cn:iam::111122223333:root" {
		t.Errorf("root is %s", got)
	}
	for text, want := range map[string]arn.Account{
		"arn:aws:iam::111122223333:root":           "111122223333",
		"arn:aws:iam::111122223333:user/root":      "",
		"arn:aws:iam::111122223333:root:x":         "",
		"arn:aws:sts::111122223333:root":           "",
		"arn:aws:iam:us-east-1:111122223333:root":  "",
		"arn:aws:cloudtrail:us-east-1:1:trail/any": "",
	} {
		account, ok := arn.Split(text).RootOf()
		if account != want || ok != (want != "") {
			t.Errorf("%s is the root of %q, %t; want %q", text, account, ok, want)
		}
	}
}

func TestParseTopic(t *testing.T) {
	for _, text := range []string{
		"arn:aws:sns:eu-west-1:111122223333:alerts",
		"arn:aws-us-gov:sns:us-gov-west-1:111122223333:Alerts_2-x",
		"arn:aws-eusc:sns:eusc-de-east-1:111122223333:" + strings.Repeat("a", 256),
	} {
		if a, err := arn.ParseTopic(text); err != nil || a.String() != text {
			t.Errorf("ParseTopic(%q) = %s, %v", text, a, err)
		}
	}
	for _, text := range []string{
		"", "alerts", "arn:aws:sns:eu-west-1:111122223333:", "arn:aws:sns:eu-west-1:111122223333:alerts.fifo",
		"arn:aws:sns:eu-west-1:111122223333:alerts:subscription", "arn:aws:sqs:eu-west-1:111122223333:alerts",
		"arn:aws:sns:Frankfurt:111122223333:alerts", "arn:aws:sns:eu-west-1:1:alerts", "arn:other:sns:eu-west-1:111122223333:alerts",
		"arn:aws:sns:eu-west-1:111122223333:" + strings.Repeat("a", 257), "arn:aws:sns:eu-west-1:111122223333:a\n",
	} {
		if a, err := arn.ParseTopic(text); err == nil || a != (arn.ARN{}) || !strings.HasPrefix(err.Error(), "expected the ARN of a standard SNS topic") {
			t.Errorf("ParseTopic(%q) = %s, %v", text, a, err)
		}
	}
}

// Whatever is parsed is written back as it was, and what is well formed by its
// parts is so as a whole.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "arn", "arn:aws:s3:::logs", "111122223333", "us-gov-east-1", "eusc-de-east-1",
		"arn:aws:cloudtrail:us-east-1:111122223333:trail/main", "arn:aws-eusc:sns:eusc-de-east-1:111122223333:alerts",
		"arn:aws:iam::111122223333:root", "a:b:c:d:e:f", "*:*:*:*:*:*:*", "logs.example_1-",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		split := arn.Split(text)
		a, err := arn.Parse(text)
		if err == nil && (a.String() != text || a != split) || err != nil && a != (arn.ARN{}) {
			t.Fatalf("Parse(%q) = %s, %v", text, a, err)
		}
		tr, err := arn.ParseTrail(text)
		switch {
		case err == nil != arn.IsTrail(text), err != nil && tr != (arn.Trail{}):
			t.Fatalf("ParseTrail(%q) = %v, %v", text, tr, err)
		case err == nil && (tr.String() != text || split.Account != tr.Account || split.Region != tr.Region):
			t.Fatalf("ParseTrail(%q) = %v, %s", text, tr, tr)
		}
		if topic, err := arn.ParseTopic(text); err == nil && topic.String() != text {
			t.Fatalf("ParseTopic(%q) = %s", text, topic)
		}
		account, err := arn.ParseAccount(text)
		check(t, text, string(account), err)
		region, err := arn.ParseRegion(text)
		check(t, text, string(region), err)
		bucket, err := arn.ParseBucket(text)
		check(t, text, string(bucket), err)
		if !region.Partition().Valid() {
			t.Fatalf("region %q is in partition %q", text, region.Partition())
		}
		if err == nil {
			if b, err := arn.Parse(bucket.ARN(region.Partition())); err != nil || b.Service != "s3" || b.Resource != text {
				t.Fatalf("bucket %q has the ARN %s", text, b)
			}
		}
		if root, ok := split.RootOf(); ok && split != arn.Root(split.Partition, root) {
			t.Fatalf("%q is the root of %q", text, root)
		}
	})
}

// check compares a name that was read with its text. What is refused says what
// was expected, and is no name.
func check(t *testing.T, text, got string, err error) {
	t.Helper()
	if err == nil && got == text && !strings.ContainsAny(text, "*?$:/\\\n \"") {
		return
	}
	if err == nil || got != "" || !strings.HasPrefix(err.Error(), "expected ") {
		t.Fatalf("%q was read as %q, %v", text, got, err)
	}
}
