package delivery_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// chainRow is a row of the corpus of keys and topics: the policy of one of them, the trail that
// uses it, and whether files (of a key) or notifications (of a topic) arrive.
type chainRow struct {
	ID       string
	Resource string // "kms" or "sns"
	Policy   json.RawMessage
	// KeyPolicy is that of the trail's key, in a row of a topic.
	KeyPolicy json.RawMessage `json:"-"`
	Trail     json.RawMessage
	Setting   struct {
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
	Expect     delivery.Verdict
	Statements []string // named by a finding or by a requirement, if given
	Findings   []string // ids, if given
	Why        string
	Source     string
}

type chainKey struct {
	ARN, State, Spec, Usage, Manager, Alias string
	Policy                                  json.RawMessage
}

func (k *chainKey) key(t *testing.T) *delivery.Key {
	t.Helper()
	out := &delivery.Key{Key: trail.Key{ARN: k.ARN, State: k.State, Spec: k.Spec, Usage: k.Usage, Manager: k.Manager}}
	if len(k.Policy) > 0 && string(k.Policy) != "null" {
		out.Policy = parseIn(t, policy.KMS(), k.Policy)
	}
	return out
}

func parseIn(t *testing.T, d policy.Dialect, text []byte) *policy.Document {
	t.Helper()
	doc, err := d.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// judge judges the row, with the bucket policy that AWS documents for its trail.
func (c chainRow) judge(t *testing.T) delivery.Report {
	t.Helper()
	trails, err := trail.Parse(c.Trail)
	if err != nil {
		t.Fatal(err)
	}
	tr := trails[0]
	s := trail.Environment{
		Now: now(), Bucket: tr.Bucket, BucketOwner: c.Setting.Owner, BucketRegion: c.Setting.Region,
		Organization: trail.Organization{Known: c.Setting.Organization != "", ID: c.Setting.Organization},
	}
	documented, err := trail.DocumentedPolicy(trails, s)
	if err != nil {
		t.Fatal(err)
	}
	b := delivery.Bucket{Name: tr.Bucket, State: delivery.PolicyRead, Policy: parse(t, string(documented))}
	chain := delivery.Chain{}
	if c.Setting.BucketKey != nil {
		chain.BucketKeys = trail.Off
		if *c.Setting.BucketKey {
			chain.BucketKeys = trail.On
		}
	}
	if c.Setting.Key != nil && tr.KMSKeyID != "" {
		k := c.Setting.Key.key(t)
		k.Policy = parseIn(t, policy.KMS(), c.Policy)
		if len(c.KeyPolicy) > 0 {
			k.Policy = parseIn(t, policy.KMS(), c.KeyPolicy)
		}
		chain.Keys = []delivery.Key{*k}
	}
	if topic := c.Setting.Topic; topic != nil {
		observed := delivery.Topic{Topic: trail.Topic{ARN: topic.ARN}, Document: parseIn(t, policy.SNS(), c.Policy)}
		if topic.Key != nil {
			observed.KMSKeyID, observed.Key = topic.Key.ARN, topic.Key.key(t)
		}
		chain.Topics = []delivery.Topic{observed}
	}
	budget := delivery.NewBudget(b, trails)
	return delivery.JudgeChain(budget, delivery.JudgeWithin(budget, b, trails, s), b, trails, s, chain)
}

func chainRows(t *testing.T, file string) []chainRow {
	t.Helper()
	return corpus.Rows[chainRow](t, "testdata/chain/"+file)
}

func rowOf(t *testing.T, file, id string) chainRow {
	t.Helper()
	rows := chainRows(t, file)
	i := slices.IndexFunc(rows, func(c chainRow) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("%s has no row %s", file, id)
	}
	return rows[i]
}

// TestChainCorpus judges every row: of a key by the trail's verdict, of a topic by its
// notification. What is denied names the statement, where one is there for CloudTrail.
func TestChainCorpus(t *testing.T) {
	for file, least := range map[string]int{"checks.jsonl": 50, "more.jsonl": 29} {
		rows := chainRows(t, file)
		if len(rows) < least {
			t.Fatalf("%s: %d rows", file, len(rows))
		}
		for _, c := range rows {
			t.Run(c.ID+" "+c.Why, func(t *testing.T) {
				r := c.judge(t)
				got := r.Verdict
				if c.Resource == "sns" {
					if got != delivery.Delivering {
						t.Errorf("a topic has made the verdict %s", got)
					}
					got = r.Trails[0].Notification
				}
				if got != c.Expect {
					t.Errorf("%s, want %s\n%s", got, c.Expect, show(r))
				}
				if c.Findings != nil && !slices.Equal(ids(r.Findings), c.Findings) {
					t.Errorf("findings %v, want %v", ids(r.Findings), c.Findings)
				}
				if c.Statements == nil && file == "checks.jsonl" && c.Expect != delivery.Delivering {
					t.Error("the row does not say which statement it is; none where it is the key itself")
				}
				if c.Statements != nil && !slices.Equal(statementsOf(r, c.Resource), c.Statements) {
					t.Errorf("statements %v, want %v\n%s", statementsOf(r, c.Resource), c.Statements, show(r))
				}
				checkReport(t, r)
				if text := show(r); strings.Contains(text, " .") || strings.Contains(text, "%!") {
					t.Errorf("a sentence lacks a word:\n%s", text)
				}
			})
		}
	}
}

// statementsOf are the statements that the finding about the verdict names.
func statementsOf(r delivery.Report, resource string) []string {
	out := []string{}
	for _, f := range r.Findings {
		if f.Kind != delivery.Weakness || resource == "sns" {
			out = append(out, f.Statements...)
		}
	}
	return out
}
