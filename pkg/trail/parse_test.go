package trail_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

const mainTrail = `{"Name":"main","S3BucketName":"logs-b","S3KeyPrefix":"p","HomeRegion":"us-east-1","IsMultiRegionTrail":true,` +
	`"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","LogFileValidationEnabled":true,"KmsKeyId":"arn:aws:kms:us-east-1:111111111111:key/k"}`

func TestParse(t *testing.T) {
	main := trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", HomeRegion: "us-east-1", Bucket: "logs-b",
		Prefix: "p", KMSKeyID: "arn:aws:kms:us-east-1:111111111111:key/k", MultiRegion: true, LogFileValidation: true,
	}
	bare := trail.Trail{Name: "t", ARN: "arn:aws-us-gov:cloudtrail:us-gov-west-1:222222222222:trail/t", HomeRegion: "us-gov-west-1", Bucket: "logs-b"}
	second := `{"TrailARN":"` + bare.ARN + `","S3BucketName":"logs-b"}`
	tests := []struct {
		name, text string
		want       []trail.Trail
	}{
		{"describe-trails", `{"trailList":[` + mainTrail + `,` + second + `]}`, []trail.Trail{main, bare}},
		{"get-trail", `{"Trail":` + mainTrail + `}`, []trail.Trail{main}},
		{"bare list", `[` + second + `]`, []trail.Trail{bare}},
		{"bare object", mainTrail, []trail.Trail{main}},
		{"byte order mark and space", "\ufeff\n " + mainTrail + "\n", []trail.Trail{main}},
		{"the European Sovereign Cloud", `[{"TrailARN":"arn:aws-eusc:cloudtrail:eusc-de-east-1:111111111111:trail/main","S3BucketName":"logs-b"}]`, []trail.Trail{{
			Name: "main", ARN: "arn:aws-eusc:cloudtrail:eusc-de-east-1:111111111111:trail/main", HomeRegion: "eusc-de-east-1", Bucket: "logs-b",
		}}},
		{"shadow copy", `[` + mainTrail + `,` + mainTrail + `]`, []trail.Trail{main}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := trail.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	other := strings.Replace(mainTrail, `"p"`, `"q"`, 1)
	tests := []struct{ name, text, want string }{
		{"empty", " \n", "empty; expected"},
		{"text", "hello", "not JSON; expected"},
		{"cut off", `{"trailList":[`, "not JSON (unexpected EOF); expected"},
		{"two values", mainTrail + mainTrail, "more than one JSON value"},
		{"no trails", `{"trailList":[]}`, "no trails in it"},
		{"empty list", `[]`, "no trails in it"},
		{"trailList is no list", `{"trailList":7}`, "trailList is not a list"},
		{"list-trails", `{"Trails":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","Name":"main"}]}`, "list-trails, which names no buckets"},
		{"policy", `{"Version":"2012-10-17","Statement":[]}`, "this is a policy"},
		{"something else", `{"Buckets":[]}`, "no trailList in it"},
		{"no ARN", `[{"S3BucketName":"logs-b"}]`, "trail 1: no TrailARN"},
		{"other ARN", `[{"S3BucketName":"logs-b","TrailARN":"arn:aws:s3:::logs-b"}]`, "is no trail's ARN; expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME"},
		{"no bucket", `[` + mainTrail + `,{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/two"}]`, "trail 2: no S3BucketName"},
		{"bad bucket", `[{"S3BucketName":"s3://logs","TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/two"}]`, `"s3://logs" is no bucket's name`},
		{"wrong type", `[{"TrailARN":1}]`, "trail 1: json: cannot unmarshal number"},
		{"contradiction", `[` + mainTrail + `,` + other + `]`, "is listed twice with different settings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := trail.Parse([]byte(tt.text))
			if err == nil {
				t.Fatalf("read %v, want an error", got)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(mainTrail))
	f.Add([]byte(`{"trailList":[` + mainTrail + `]}`))
	f.Add([]byte(`[{"S3BucketName":"logs-b"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		trails, err := trail.Parse(text)
		if (err == nil) == (len(trails) == 0) {
			t.Fatalf("got %d trails and error %v", len(trails), err)
		}
		for _, tr := range trails {
			if tr.Account() == "" || tr.Bucket == "" || tr.HomeRegion == "" || tr.Name == "" {
				t.Fatalf("trail without account, bucket, region or name: %+v", tr)
			}
		}
	})
}
