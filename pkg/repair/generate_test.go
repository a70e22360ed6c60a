package repair_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	testBucket       = "logs-b"
	testOrganization = "o-exampleorg1"
	unseenAccount    = "999999999999" // no trail of it is ever given
)

// world is one generated case.
type world struct {
	trails  []trail.Trail
	setting trail.Environment
	bucket  delivery.Bucket
	foreign []string // statements that are not CloudTrail's alone or not ours
}

func (w world) partition() string { return string(w.trails[0].Partition()) }

func genWorld(t *rapid.T) world {
	w := world{trails: genTrails(t)}
	w.setting = genSetting(t, w.trails)
	w.bucket = delivery.Bucket{Name: testBucket, Owner: w.setting.BucketOwner, State: delivery.PolicyRead, Payer: "BucketOwner"}
	if rapid.IntRange(0, 19).Draw(t, "missing") == 0 {
		w.bucket.State = delivery.PolicyMissing
		return w
	}
	var statements []string
	for _, set := range rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(w.trails), 1, len(w.trails)), 0, 2).Draw(t, "documented") {
		statements = append(statements, genDocumented(t, w, unique(set))...)
	}
	at := 0
	for range rapid.IntRange(0, 4).Draw(t, "foreign") {
		text := genForeign(t, w)
		w.foreign = append(w.foreign, text)
		at = rapid.IntRange(at, len(statements)).Draw(t, "at")
		statements = slices.Insert(statements, at, text)
		at++
	}
	doc, err := policy.Parse([]byte(genFrame(t, statements)))
	if err != nil {
		t.Fatalf("generated policy: %v", err)
	}
	w.bucket.Policy = doc
	return w
}

func unique(trails []trail.Trail) []trail.Trail {
	var out []trail.Trail
	for _, t := range trails {
		if !slices.ContainsFunc(out, func(o trail.Trail) bool { return o.ARN == t.ARN }) {
			out = append(out, t)
		}
	}
	return out
}

// genFrame writes a policy around the statements.
func genFrame(t *rapid.T, statements []string) string {
	list := "[" + strings.Join(statements, rapid.SampledFrom([]string{",", ",\n    ", "\n,\t"}).Draw(t, "between")) + "]"
	if len(statements) == 1 && rapid.Bool().Draw(t, "single") {
		list = statements[0]
	}
	return fmt.Sprintf(rapid.SampledFrom([]string{
		`{"Version":"2012-10-17","Statement":%s}`,
		"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": %s\n}\n",
		`{"Statement": %s , "Id":"Policy1", "Version" : "2012-10-17" }`,
		`{"Version":"2008-10-17","Statement":%s}`,
	}).Draw(t, "frame"), list)
}

func genTrails(t *rapid.T) []trail.Trail {
	partition := rapid.SampledFrom([]string{"aws", "aws", "aws", "aws-cn", "aws-us-gov"}).Draw(t, "partition")
	regions := map[string][]string{
		"aws": {"us-east-1", "eu-west-1"}, "aws-cn": {"cn-north-1"}, "aws-us-gov": {"us-gov-west-1"},
	}[partition]
	out := make([]trail.Trail, rapid.IntRange(1, 3).Draw(t, "trails"))
	for i := range out {
		account := rapid.SampledFrom([]string{"111111111111", "111111111111", "222222222222", "333333333333"}).Draw(t, "account")
		region := rapid.SampledFrom(regions).Draw(t, "region")
		name := fmt.Sprintf("trail%d", i)
		out[i] = trail.Trail{
			Name: name, ARN: "arn:" + partition + ":cloudtrail:" + region + ":" + account + ":trail/" + name,
			HomeRegion: region, Bucket: testBucket,
			Prefix:            rapid.SampledFrom([]string{"", "", "", "logs", "a/b", testOrganization, "slash/"}).Draw(t, "prefix"),
			MultiRegion:       rapid.Bool().Draw(t, "multi-region"),
			Organization:      account == "111111111111" && rapid.Bool().Draw(t, "organization"),
			LogFileValidation: rapid.Bool().Draw(t, "validation"),
			InsightSelectors:  rapid.IntRange(0, 4).Draw(t, "insights") == 0,
			NetworkActivity:   rapid.IntRange(0, 9).Draw(t, "network") == 0,
		}
		if rapid.IntRange(0, 4).Draw(t, "kms") == 0 {
			out[i].KMSKeyID = "arn:" + partition + ":kms:" + region + ":" + account + ":key/00000000-0000-0000-0000-000000000000"
		}
	}
	return out
}

func genSetting(t *rapid.T, trails []trail.Trail) trail.Environment {
	s := trail.Environment{
		Bucket: testBucket, BucketOwner: rapid.SampledFrom([]string{"111111111111", "222222222222", "444444444444"}).Draw(t, "owner"),
		BucketRegion: trails[0].HomeRegion, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
	}
	isOrganization := slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.Organization })
	switch n := rapid.IntRange(0, 5).Draw(t, "known"); {
	case n == 0:
	case n == 1 && !isOrganization:
		s.Organization.Known = true
	default:
		s.Organization = trail.Organization{Known: true, ID: testOrganization, ManagementAccount: "111111111111", Members: []string{"111111111111", "222222222222"}}
	}
	return s
}

// genDocumented returns the documented statements for the trails, as someone
// has left them.
func genDocumented(t *rapid.T, w world, trails []trail.Trail) []string {
	trails = slices.Clone(trails)
	for i := range trails {
		trails[i].Organization = trails[i].Organization && w.setting.Organization.ID != ""
	}
	statements, err := trail.Documented(trails, w.setting)
	if err != nil {
		t.Fatalf("documented: %v", err)
	}
	var out []string
	for _, st := range statements {
		text, n := st.Text(), rapid.IntRange(0, 9).Draw(t, "tampered")
		switch {
		case n == 0: // deleted
		case n < 5:
			out = append(out, string(text))
		default:
			out = append(out, genTampered(t, w, text, n))
		}
	}
	return out
}

// genTampered changes one or two things of a statement.
func genTampered(t *rapid.T, w world, text []byte, n int) string {
	set := func(values []string, path ...string) {
		out, err := policy.SetMember(text, values, path...)
		if err != nil {
			t.Fatalf("set %v of %s: %v", path, text, err)
		}
		text = out
	}
	arn := func(account, name string) string {
		return "arn:" + w.partition() + ":cloudtrail:us-east-1:" + account + ":trail/" + name
	}
	bucket := "arn:" + w.partition() + ":s3:::" + testBucket
	for range 1 + n/9 {
		switch rapid.IntRange(0, 14).Draw(t, "tampering") {
		case 0:
			set([]string{bucket + "/other/AWSLogs/111111111111/*"}, "Resource")
		case 1:
			set([]string{bucket + "/AWSLogs/111111111111/CloudTrail/us-east-1/*", bucket + "/AWSLogs/" + unseenAccount + "/*"}, "Resource")
		case 2:
			set([]string{arn("111111111111", "old")}, "Condition", "StringEquals", "aws:SourceArn")
		case 3:
			set([]string{arn(unseenAccount, "theirs"), arn("111111111111", "trail0")}, "Condition", "StringEquals", "aws:SourceArn")
		case 4:
			set([]string{"private"}, "Condition", "StringEquals", "s3:x-amz-acl")
		case 5:
			set([]string{"10.0.0.0/8"}, "Condition", "IpAddress", "aws:SourceIp")
		case 6:
			set([]string{"true"}, "Condition", "Bool", "aws:SecureTransport")
		case 7:
			set([]string{rapid.SampledFrom([]string{"111111111111", unseenAccount}).Draw(t, "source")}, "Condition", "StringEquals", "aws:SourceAccount")
		case 8:
			set([]string{testOrganization}, "Condition", "StringEquals", "aws:SourceOrgID")
		case 9:
			out, err := policy.DeleteMember(text, "Condition")
			if err != nil {
				t.Fatalf("delete: %v", err)
			}
			text = out
		case 10:
			set([]string{"Deny"}, "Effect")
		case 11:
			set([]string{"cloudtrail.amazonaws.com", "config.amazonaws.com"}, "Principal", "Service")
		case 12:
			set([]string{"AWSCloudTrailWrite20150319"}, "Sid")
		case 13:
			set([]string{rapid.SampledFrom([]string{"s3:PutObjectAcl", "s3:PutObject", "s3:*"}).Draw(t, "action")}, "Action")
		case 14:
			set([]string{bucket, bucket + "/*"}, "Resource")
		}
	}
	return string(text)
}

// genForeign returns a statement that no plan may touch.
func genForeign(t *rapid.T, w world) string {
	texts := foreignStatements()
	if rapid.IntRange(0, 2).Draw(t, "deny") > 0 {
		texts = slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(s, `"Deny"`) })
	}
	text := rapid.SampledFrom(texts).Draw(t, "foreign statement")
	text = strings.ReplaceAll(text, "BUCKET", "arn:"+w.partition()+":s3:::"+testBucket)
	return strings.ReplaceAll(text, "PARTITION", w.partition())
}

func foreignStatements() []string {
	return []string{
		`{"Sid":"Reader","Effect":"Allow","Principal":{"AWS":["arn:PARTITION:iam::555555555555:role/reader","666666666666"]},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["BUCKET","BUCKET/*"]}`,
		"{ \"Sid\" : \"Reader\",\n\t\"Effect\":\"Allow\", \"Principal\":{\"AWS\":\"555555555555\"},\r\n \"Action\":\"s3:GetObject\" ,\"Resource\":\"BUCKET/*\"}",
		`{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:PutObject","Resource":"BUCKET/AWSLogs/111111111111/Config/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}`,
		`{"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow","Principal":{"Service":["config.amazonaws.com"]},"Action":"s3:GetBucketAcl","Resource":"BUCKET"}`,
		`{"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow","Principal":{"AWS":"arn:PARTITION:iam::555555555555:root"},"Action":"s3:PutObject","Resource":"BUCKET/AWSLogs/*"}`,
		`{"Sid":"Theirs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"BUCKET/AWSLogs/999999999999/*","Condition":{"StringEquals":{"aws:SourceArn":"arn:PARTITION:cloudtrail:us-east-1:999999999999:trail/theirs"}}}`,
		`{"Sid":"AWSCloudTrailAclCheck20131101","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"BUCKET"}`,
		`{"Sid":"Tower","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","config.amazonaws.com"]},"Action":"s3:PutObject","Resource":"BUCKET/o-exampleorg1/AWSLogs/*/*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-exampleorg1"}}}`,
		`{"Sid":"Upload","Effect":"Allow","Principal":"*","NotAction":["s3:PutBucketPolicy","s3:DeleteBucketPolicy"],"Resource":["BUCKET","BUCKET/shared/*"],"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}}`,
		`{"Sid":"Größe <&> \"quoted\"","Effect":"Allow","Principal":{"AWS":"arn:PARTITION:iam::555555555555:user/ü"},"Action":"s3:PutObject","Resource":"BUCKET/upload/${aws:username}/*","Condition":{"NumericLessThan":{"s3:signatureAge":600000},"Bool":{"aws:SecureTransport":true}}}`,
		`{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["BUCKET","BUCKET/*"],"Condition":{"Bool":{"aws:SecureTransport":false}}}`,
		`{"Sid":"KeepFiles","Effect":"Deny","Principal":{"AWS":"*"},"Action":["s3:DeleteObject*","s3:PutBucketPolicy"],"Resource":["BUCKET","BUCKET/*"]}`,
		`{"Sid":"OnlyFromVpce","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["BUCKET","BUCKET/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0a1b2c3d"}}}`,
		`{"Sid":"KMS","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"BUCKET/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}`,
		`{"Sid":"Maybe","Effect":"Deny","Principal":"*","Action":"s3:GetBucketAcl","Resource":"BUCKET","Condition":{"Bool":{"aws:ViaAWSService":"false"}}}`,
		`{"Sid":"Org","Effect":"Deny","NotPrincipal":{"Service":"cloudtrail.amazonaws.com"},"NotAction":"s3:GetObject","Resource":"BUCKET/*"}`,
		`{"Sid":"Prefix","Effect":"Deny","Principal":"*","Action":"s3:PutObject","NotResource":["BUCKET/AWSLogs/*","BUCKET/logs/*"]}`,
	}
}

// reserialized writes a policy as S3 may give it back: one-element lists for
// single values and the other way round, lists in another order, an account
// by its root ARN, and its own white space.
func reserialized(t *rapid.T, doc *policy.Document, partition string) *policy.Document {
	d := json.NewDecoder(strings.NewReader(string(doc.Text())))
	d.UseNumber()
	var p map[string]any
	if err := d.Decode(&p); err != nil {
		t.Fatalf("read %s: %v", doc.Text(), err)
	}
	statements, ok := p["Statement"].([]any)
	if !ok {
		statements = []any{p["Statement"]}
	}
	for _, s := range statements {
		members := s.(map[string]any)
		for _, element := range slices.Sorted(maps.Keys(members)) {
			value := members[element]
			switch v := value.(type) {
			case map[string]any:
				reorder(t, v, partition)
			default:
				if element != "Sid" && element != "Effect" && value != "*" {
					members[element] = listed(t, value)
				}
			}
		}
	}
	p["Statement"] = statements
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	out, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	return out
}

func reorder(t *rapid.T, m map[string]any, partition string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value := m[key]
		if inner, ok := value.(map[string]any); ok {
			reorder(t, inner, partition)
			continue
		}
		m[key] = listed(t, value)
		if key == "AWS" {
			list, ok := m[key].([]any)
			if !ok {
				list = []any{m[key]}
			}
			for i, v := range list {
				if s, ok := v.(string); ok && len(s) == 12 {
					list[i] = "arn:" + partition + ":iam::" + s + ":root"
				}
			}
			m[key] = list
		}
	}
}

func listed(t *rapid.T, value any) any {
	list, ok := value.([]any)
	switch {
	case !ok:
		return []any{value}
	case len(list) == 1:
		return list[0]
	case len(list) > 1:
		return rapid.Permutation(list).Draw(t, "order")
	default:
		return value
	}
}
