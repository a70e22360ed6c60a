package delivery_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// drawTrails draws one to four trails of one bucket and partition.
func drawTrails(t *rapid.T) []trail.Trail {
	partition := rapid.SampledFrom([]arn.Partition{"aws", "aws-cn", "aws-us-gov"}).Draw(t, "partition")
	var trails []trail.Trail
	for i := range rapid.IntRange(1, 4).Draw(t, "trails") {
		region := rapid.SampledFrom(trail.Regions(partition)).Draw(t, "region")
		account := rapid.SampledFrom([]string{"111111111111", "222222222222", "333333333333"}).Draw(t, "account")
		tr := trail.Trail{
			Name: fmt.Sprint("t", i), HomeRegion: region, Bucket: "logs-b",
			ARN:               fmt.Sprintf("arn:%s:cloudtrail:%s:%s:trail/t%d", partition, region, account, i),
			Prefix:            rapid.SampledFrom([]string{"", "p", "a/b", "logs/", "/logs", "o-exampleorg1", "x*y"}).Draw(t, "prefix"),
			MultiRegion:       rapid.Bool().Draw(t, "multi-region"),
			Organization:      rapid.Bool().Draw(t, "organization"),
			LogFileValidation: rapid.Bool().Draw(t, "validation"),
			InsightSelectors:  rapid.Bool().Draw(t, "insights"),
			NetworkActivity:   rapid.Bool().Draw(t, "network"),
			Aggregated:        rapid.Bool().Draw(t, "aggregated"),
		}
		if rapid.Bool().Draw(t, "kms") {
			tr.KMSKeyID = fmt.Sprintf("arn:%s:kms:%s:%s:key/k", partition, region, account)
		}
		trails = append(trails, tr)
	}
	return trails
}

func drawSetting(t *rapid.T) trail.Environment {
	s := trail.Environment{Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
	if rapid.Bool().Draw(t, "members known") {
		s.Organization.Members = []string{"222222222222", "444444444444"}
	}
	if rapid.Bool().Draw(t, "time known") {
		s.Now = now()
	}
	return s
}

func TestDocumentedDelivers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trails, s := drawTrails(rt), drawSetting(rt)
		b := documented(t, trails, s)
		r := delivery.Judge(b, trails, s)
		if r.Verdict != delivery.Delivering || len(r.Findings) > 0 || len(r.Faults) > 0 || len(r.Trails) != len(trails) {
			rt.Fatalf("documented policy\n%s\nis judged\n%s", b.Policy.Text(), show(r))
		}
	})
}

func TestForeignDenyBlocks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trails, s := drawTrails(rt), drawSetting(rt)
		b := documented(t, trails, s)
		arn := "arn:" + trails[0].Partition() + ":s3:::logs-b"
		condition := rapid.SampledFrom([]string{
			"", `,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}`,
			`,"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`,
			`,"Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`,
			`,"Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:*:iam::111111111111:role/*"}}`,
			`,"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalServiceName":"config.amazonaws.com"}}`,
		}).Draw(rt, "condition")
		deny := fmt.Sprintf(`{"Sid":"D","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":[%q,%q]%s}`, arn, arn+"/*", condition)
		doc, err := b.Policy.With(nil, []byte(deny))
		if err != nil {
			rt.Fatal(err)
		}
		b.Policy = doc
		r := delivery.Judge(b, trails, s)
		for _, tr := range r.Trails {
			for _, q := range tr.Requirements {
				if q.Decision != policy.ExplicitDeny || !slices.Equal(q.Statements, []string{"D"}) {
					rt.Fatalf("%s of %s is %s by %v", q.ID, tr.ARN, q.Decision, q.Statements)
				}
			}
		}
		for _, f := range r.Findings {
			if f.Kind == delivery.Outage && (f.Restorable || f.Edit == "") {
				rt.Fatalf("a Deny is restorable, or has no edit: %+v", f)
			}
		}
	})
}

// decisions are what Judge decides, without words.
func decisions(r delivery.Report) map[string]policy.Outcome {
	out := map[string]policy.Outcome{}
	for _, t := range r.Trails {
		for _, q := range t.Requirements {
			out[t.ARN+" "+string(q.ID)] = q.Decision
		}
	}
	return out
}

// allNamed reports whether every statement has a Sid of its own.
func allNamed(doc *policy.Document) bool {
	for _, st := range doc.All() {
		if st.Sid == "" || st.Label() != st.Sid {
			return false
		}
	}
	return true
}

// TestStatementOrder shuffles the statements of every row of the corpus.
func TestStatementOrder(t *testing.T) {
	checks := checks(t)
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(checks).Draw(rt, "row")
		b, trails, s := c.inputs(t)
		if b.Policy == nil || !allNamed(b.Policy) {
			return // a statement without a name of its own goes by its place
		}
		var p struct {
			Version   string `json:",omitempty"`
			Statement []json.RawMessage
		}
		if json.Unmarshal(c.Policy, &p) != nil {
			return
		}
		before := delivery.Judge(b, trails, s)
		p.Statement = rapid.Permutation(p.Statement).Draw(rt, "order")
		text, err := json.Marshal(p)
		if err != nil {
			rt.Fatal(err)
		}
		b.Policy = parse(t, string(text))
		after := delivery.Judge(b, trails, s)
		if diff := cmp.Diff(decisions(before), decisions(after)); diff != "" {
			rt.Fatalf("%s: decisions differ:\n%s", c.ID, diff)
		}
		if diff := cmp.Diff(ids(before.Findings), ids(after.Findings)); diff != "" {
			rt.Fatalf("%s: findings differ:\n%s", c.ID, diff)
		}
	})
}

func TestJudgeIsDeterministic(t *testing.T) {
	for _, c := range checks(t) {
		b, trails, s := c.inputs(t)
		first := show(delivery.Judge(b, trails, s))
		for range 3 {
			if diff := cmp.Diff(first, show(delivery.Judge(b, trails, s))); diff != "" {
				t.Fatalf("%s:\n%s", c.ID, diff)
			}
		}
	}
}

// TestCutsOfTheKeySpace compares the judgement on grants that cut the key
// space with the decisions on single keys, one of each kind there is in each
// horizon.
func TestCutsOfTheKeySpace(t *testing.T) {
	var optIn []string
	for _, r := range trail.Regions("aws") {
		if !slices.Contains(trail.EnabledByDefault("aws"), r) {
			optIn = append(optIn, r)
		}
	}
	current := []string{"2026/11/01", "2026/11/02"}
	later := []string{"2026/11/03", "2026/12/31"}
	for _, year := range []string{"2027", "2028", "2099"} {
		for _, month := range []string{"01", "10", "11", "12"} {
			later = append(later, year+"/"+month+"/31")
		}
	}
	today, perhaps := keysOf(trail.EnabledByDefault("aws"), current), keysOf(optIn, current)
	weaknesses := map[string][]string{
		delivery.BacklogDeniedID:        keysOf(trail.EnabledByDefault("aws"), []string{"2026/10/02", "2026/10/31"}),
		delivery.GrantExpiresID:         keysOf(trail.EnabledByDefault("aws"), later),
		delivery.NewRegionsNotGrantedID: keysOf([]string{"us-north-9", "xx-central-3", "eu-west-9", "xx-northeast-2"}, current),
	}
	segment := func(values ...string) *rapid.Generator[string] { return rapid.SampledFrom(values) }
	rapid.Check(t, func(rt *rapid.T) {
		var resources []string
		for range rapid.IntRange(1, 4).Draw(rt, "patterns") {
			resources = append(resources, "arn:aws:s3:::logs-b/AWSLogs/"+strings.Join([]string{
				segment("111111111111", "*", "1?1111111111").Draw(rt, "account"), "CloudTrail",
				segment("*", "*", "us-*", "us-east-1", "*-1", "*-?", "eu-west-?", "??-*", "me-*").Draw(rt, "region"),
				segment("*", "*", "20??", "2026", "2027", "20[2").Draw(rt, "year"),
				segment("*", "*/*", "0*", "1*", "11/*").Draw(rt, "month"),
			}, "/"))
		}
		list, err := json.Marshal(resources)
		if err != nil {
			rt.Fatal(err)
		}
		effect := segment("Allow", "Deny").Draw(rt, "effect")
		text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":"*","Action":"s3:PutObject","Resource":%s}`, effect, list)
		if effect == "Deny" {
			text += `,{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs-b/*"]}`
		}
		text += `,{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/AWSLogs/111111111111/CloudTrail*/"]}`
		doc := parse(t, text+"]}")
		tr := mainTrail()
		tr.LogFileValidation = false
		r := delivery.Judge(delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: doc}, []trail.Trail{tr}, trail.Environment{Now: now()})
		place := trail.ServiceRequirements(tr, trail.Environment{})[1].Sets[0]
		refuses := func(keys []string) bool {
			return slices.ContainsFunc(keys, func(key string) bool {
				q := policy.Request{Caller: place.Caller, Action: "s3:PutObject", Resource: key, Context: place.Context}
				return doc.Decide(&q).Outcome != policy.Allowed
			})
		}
		want := "allowed"
		switch {
		case refuses(today):
			want = "denied"
		case refuses(perhaps):
			want = "undetermined"
		}
		if got := decision(r, trail.LogFiles); got != want {
			rt.Fatalf("log-files is %s, and the keys say %s, for\n%s\n%s", got, want, text, show(r))
		}
		for id, keys := range weaknesses {
			want := want == "allowed" && refuses(keys)
			if got := slices.Contains(ids(r.Findings), id); got != want {
				rt.Fatalf("%s: %t, and the keys say %t, for\n%s\n%s", id, got, want, text, show(r))
			}
		}
	})
}

// keysOf lists keys of log files of regions and dates.
func keysOf(regions, dates []string) []string {
	var keys []string
	for _, region := range regions {
		for _, date := range dates {
			keys = append(keys, fmt.Sprintf(
				"arn:aws:s3:::logs-b/AWSLogs/111111111111/CloudTrail/%s/%s/111111111111_CloudTrail_%s_%sT0915Z_nBsuPO1qSTEVerMD.json.gz",
				region, date, region, strings.ReplaceAll(date, "/", "")))
		}
	}
	return keys
}
