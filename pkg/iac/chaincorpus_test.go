package iac_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// chainRow is a row of the corpus of keys and topics.
type chainRow struct {
	ID, Resource, Why string
	Policy            json.RawMessage
	Trail             json.RawMessage
	Setting           struct {
		Owner        string `json:"bucket_owner"`
		Region       string `json:"bucket_region"`
		Organization string `json:"organization_id"`
		BucketKey    *bool  `json:"bucket_key"`
		Key          *chainKey
		Topic        *struct {
			ARN string    `json:"arn"`
			Key *chainKey `json:"kms_key"`
		}
	}
	Expect delivery.Verdict
}

type chainKey struct {
	ARN, State, Spec, Usage, Manager, Alias string
	Policy                                  json.RawMessage
}

// values are the attributes of the key in a plan.
func (k chainKey) values(policy json.RawMessage) map[string]any {
	return map[string]any{
		"arn": k.ARN, "key_id": k.ARN[strings.LastIndex(k.ARN, "/")+1:], "is_enabled": k.State != "Disabled", "policy": string(policy),
		"customer_master_key_spec": k.Spec, "key_usage": k.Usage,
	}
}

// TestChainCorpusInPlans judges each row as a plan that changes nothing: it comes out as check has it.
func TestChainCorpusInPlans(t *testing.T) {
	judged := 0
	for _, file := range []string{"checks.jsonl", "more.jsonl"} {
		for _, c := range corpus.Rows[chainRow](t, "../delivery/testdata/chain/"+file) {
			trails, err := trail.Parse(c.Trail)
			if err != nil {
				t.Fatal(err)
			}
			tr := trails[0]
			bucketPolicy, err := trail.DocumentedPolicy(trails, trail.Environment{
				Bucket: tr.Bucket, Organization: trail.Organization{Known: c.Setting.Organization != "", ID: c.Setting.Organization},
			})
			if err != nil {
				t.Fatal(err)
			}
			var changes []any
			add := func(address string, values map[string]any) {
				changes = append(changes, resourceChange(address, []string{"no-op"}, values, values, nil))
			}
			add("aws_s3_bucket.a", map[string]any{"bucket": tr.Bucket, "region": c.Setting.Region})
			add("aws_s3_bucket_policy.a", map[string]any{"bucket": tr.Bucket, "policy": string(bucketPolicy)})
			if on := c.Setting.BucketKey; on != nil {
				add("aws_s3_bucket_server_side_encryption_configuration.a", map[string]any{"bucket": tr.Bucket, "rule": []any{map[string]any{"bucket_key_enabled": *on}}})
			}
			add("aws_cloudtrail.a", map[string]any{
				"arn": tr.ARN, "name": tr.Name, "home_region": tr.HomeRegion, "s3_bucket_name": tr.Bucket, "s3_key_prefix": tr.Prefix, "kms_key_id": tr.KMSKeyID,
				"sns_topic_name": tr.SNSTopic, "enable_logging": true, "is_multi_region_trail": tr.MultiRegion, "is_organization_trail": tr.Organization,
				"enable_log_file_validation": tr.LogFileValidation,
			})
			unread := tr.CustomSelectors || tr.InsightSelectors || tr.NetworkActivity // which files it writes, the plan would say elsewhere
			if k := c.Setting.Key; k != nil && c.Resource == "kms" {
				unread = unread || strings.HasPrefix(k.State, "Pending") || k.State == "Gone" || tr.KMSKeyID != k.ARN && tr.KMSKeyID != "" // a plan has no such state, nor an alias
				add("aws_kms_key.a", k.values(c.Policy))
			}
			if topic := c.Setting.Topic; topic != nil {
				values := map[string]any{"arn": topic.ARN, "name": topic.ARN[strings.LastIndex(topic.ARN, ":")+1:], "policy": string(c.Policy)}
				if k := topic.Key; k != nil {
					if values["kms_master_key_id"] = k.ARN; k.Manager == "AWS" {
						values["kms_master_key_id"] = "alias/aws/sns"
					} else {
						unread = unread || strings.HasPrefix(k.State, "Pending") || len(k.Policy) == 0
						add("aws_kms_key.t", k.values(k.Policy))
					}
				}
				add("aws_sns_topic.a", values)
			}
			if unread || c.Setting.Key != nil && c.Resource == "sns" {
				continue
			}
			judged++
			text, err := json.Marshal(map[string]any{"format_version": "1.2", "complete": true, "resource_changes": changes})
			if err != nil {
				t.Fatal(err)
			}
			t.Run(c.ID+" "+c.Why, func(t *testing.T) {
				in, err := tfplan.Read(strings.NewReader(string(text)), tfplan.Options{})
				in.Organization = c.Setting.Organization
				r := assess(t, in, err)
				got := r.After
				if c.Resource == "sns" {
					got = r.Trails[0].Notification
				}
				if got != c.Expect {
					t.Errorf("%s, want %s: %+v", got, c.Expect, r.Findings)
				}
			})
		}
	}
	if judged < 60 {
		t.Errorf("%d rows are judged", judged)
	}
}
