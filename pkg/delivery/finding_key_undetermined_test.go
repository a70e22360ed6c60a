package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// What hangs on the setting of S3 Bucket Keys is asked for.
func TestKeyUndeterminedAsksForBucketKeys(t *testing.T) {
	r := rowOf(t, "more.jsonl", "M08").judge(t)
	f := finding(t, r, "key-encrypt-undetermined")
	if !strings.Contains(f.Remedy, "--bucket-key") || !slices.Contains(r.NotLookedAt, delivery.NotBucketKey) {
		t.Errorf("%+v, not looked at %v", f, r.NotLookedAt)
	}
}

// Whether the bucket has S3 Bucket Keys is named as not looked at where it would change an answer, and nowhere
// else.
func TestBucketKeysAreNamedWhereTheyMatter(t *testing.T) {
	allow := func(actions, condition string) string {
		return `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":[` + actions + `],"Resource":"*"` + condition + `}`
	}
	const encrypt, decrypt = `"kms:GenerateDataKey*","kms:DescribeKey"`, `"kms:Decrypt"`
	filesOnly := `,"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs-b/AWSLogs/*"}}`
	for name, tt := range map[string]struct {
		policy, state string
		setting       trail.Switch
		want          bool
	}{
		"without Decrypt":                  {allow(encrypt, ""), "Enabled", "", true},
		"with Decrypt":                     {allow(encrypt+","+decrypt, ""), "Enabled", "", false},
		"files only":                       {allow(encrypt, filesOnly) + "," + allow(decrypt, ""), "Enabled", "", true},
		"nothing is allowed":               {allow(`"kms:DescribeKey"`, ""), "Enabled", "", false},
		"the key is disabled":              {allow(encrypt, ""), "Disabled", "", false},
		"without Decrypt, and they are on": {allow(encrypt, ""), "Enabled", trail.On, false},
		"files only, and they are off":     {allow(encrypt, filesOnly), "Enabled", trail.Off, false},
	} {
		t.Run(name, func(t *testing.T) {
			tr := mainTrail()
			tr.KMSKeyID = "arn:aws:kms:us-east-1:111111111111:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
			trails, env := []trail.Trail{tr}, trail.Environment{Now: now(), BucketRegion: "us-east-1"}
			b := documented(t, trails, trail.Environment{})
			key := delivery.Key{
				Key:    trail.Key{ARN: tr.KMSKeyID, State: tt.state},
				Policy: parseIn(t, policy.KMS(), []byte(`{"Version":"2012-10-17","Statement":[`+tt.policy+`]}`)),
			}
			budget := delivery.NewBudget(b, trails)
			r := delivery.JudgeChain(budget, delivery.JudgeWithin(budget, b, trails, env), b, trails, env, delivery.Chain{
				BucketKeys: tt.setting, Keys: []delivery.Key{key},
			})
			if got := slices.Contains(r.NotLookedAt, delivery.NotBucketKey); got != tt.want {
				t.Errorf("named: %v, want %v\n%s", got, tt.want, show(r))
			}
		})
	}
}
