package iac_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// row is a row of the corpus of pkg/delivery.
type row struct {
	buckets.Row

	said trail.Environment // beside the bucket
}

// rows are the rows with a policy.
func rows(t *testing.T) []row {
	t.Helper()
	var out []row
	for _, r := range buckets.Rows(t, "../delivery/testdata") {
		if r.HasPolicy() {
			out = append(out, row{r, r.Environment(t, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))})
		}
	}
	return out
}

// setting is what the row says beside the policy.
func (r row) setting() (iac.Setting, []trail.Trail) {
	s := iac.Setting{Now: r.said.Now, Organization: r.said.Organization, EnabledRegions: r.said.EnabledRegions}
	trails, _ := trail.Parse(r.Trails)
	return s, slices.DeleteFunc(trails, func(t trail.Trail) bool { return t.Bucket != r.Bucket })
}

// verdict judges a policy of the row as pkg/delivery does.
func (r row) verdict(text []byte, bucket, owner string, trails []trail.Trail) delivery.Verdict {
	doc, err := policy.Parse(text)
	if err != nil {
		return delivery.Undetermined
	}
	s, _ := r.setting()
	return delivery.Judge(delivery.Bucket{Name: bucket, Owner: owner, State: delivery.PolicyRead, Policy: doc}, trails,
		trail.Environment{Organization: s.Organization, EnabledRegions: s.EnabledRegions, Now: s.Now}).Verdict
}

// leaves are the paths to all texts of a value, and to what holds them.
func leaves(v any, path []string) [][]string {
	out := [][]string{path}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			out = append(out, leaves(x, append(slices.Clip(path), strconv.Itoa(i)))...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, leaves(v[name], append(slices.Clip(path), name))...)
		}
	}
	return out
}

// with returns a value with another one at a path.
func with(v any, path []string, x any) any {
	if len(path) == 0 {
		return x
	}
	switch v := v.(type) {
	case []any:
		v = slices.Clone(v)
		i, _ := strconv.Atoi(path[0])
		v[i] = with(v[i], path[1:], x)
		return v
	case map[string]any:
		v = maps.Clone(v)
		v[path[0]] = with(v[path[0]], path[1:], x)
		return v
	}
	return v
}

func marshal(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}

// What is decided of a policy with holes is decided so of the policy with whatever may stand in
// their places.
func TestHolesDecideForWhateverTheyAre(t *testing.T) {
	all := rows(t)
	var texts []string // of all policies, to fill holes with
	for _, r := range all {
		for _, m := range regexp.MustCompile(`"[^"]+"`).FindAllString(string(r.Policy), -1) {
			texts = append(texts, strings.Trim(m, `"`))
		}
	}
	decided := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(all).Draw(t, "row")
		var whole map[string]any
		if json.Unmarshal(r.Policy, &whole) != nil {
			t.Skip("no JSON object")
		}
		var paths [][]string
		for _, p := range leaves(whole["Statement"], []string{"Statement"}) {
			if len(p) > 1 {
				paths = append(paths, p)
			}
		}
		holes := rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 1, 3, func(p []string) string { return strings.Join(p, "\x00") }).Draw(t, "holes")
		var holed, filled any = whole, whole
		for _, p := range holes {
			if slices.ContainsFunc(holes, func(q []string) bool { return len(q) < len(p) && slices.Equal(q, p[:len(q)]) }) {
				continue // within another hole
			}
			holed = with(holed, p, nil)
			if rapid.Bool().Draw(t, "fill") {
				filled = with(filled, p, rapid.SampledFrom(texts).Draw(t, "text"))
			}
		}
		set, trails := r.setting()
		set.Trails = trails
		snapshot := iac.Snapshot{
			Buckets:  []iac.Bucket{{Name: iac.Text(r.Bucket), Account: iac.Text(r.Owner)}},
			Policies: []iac.Policy{{Origin: iac.Origin{Address: "p"}, Use: iac.Use{Name: iac.Text(r.Bucket)}, Text: iac.Text(string(marshal(holed)))}},
		}
		reports := iac.Assess(iac.Input{OnlyAfter: true, After: []iac.Snapshot{snapshot}}, set)
		if len(reports) != 1 || reports[0].After == delivery.Undetermined {
			return
		}
		decided++
		for _, text := range [][]byte{marshal(whole), marshal(filled)} {
			if want := r.verdict(text, r.Bucket, r.Owner, trails); want != reports[0].After {
				t.Fatalf("row %s: with holes %s, and filled %s\n%s\n%s", r.ID, reports[0].After, want, marshal(holed), text)
			}
		}
	})
	if decided == 0 {
		t.Error("nothing was decided")
	}
}

// What is decided with stand-ins for names that are not known is decided so for every name, also
// for one that the policy happens to spell.
func TestStandInsDecideForEveryName(t *testing.T) {
	var all []row
	for _, r := range rows(t) {
		if _, trails := r.setting(); len(trails) == 1 && trails[0].Account() != "" {
			all = append(all, r)
		}
	}
	decided := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(all).Draw(t, "row")
		set, trails := r.setting()
		was := trails[0]
		var whole map[string]any
		if json.Unmarshal(r.Policy, &whole) != nil {
			t.Skip("no JSON object")
		}
		hideBucket, hideAccount, hideName := rapid.Bool().Draw(t, "bucket"), rapid.Bool().Draw(t, "account"), rapid.Bool().Draw(t, "name")
		// Some of the places that spell a name get its mark, as Ref and Sub do.
		var marked any = whole
		for _, p := range leaves(whole["Statement"], []string{"Statement"}) {
			text, ok := at(whole, p).(string)
			if !ok || rapid.IntRange(0, 3).Draw(t, "keep") == 0 {
				continue
			}
			if hideBucket {
				text = regexp.MustCompile(`(:::)`+regexp.QuoteMeta(r.Bucket)+`($|/)`).ReplaceAllString(text, "${1}"+iac.Mark(iac.BucketMark, "Logs")+"${2}")
			}
			if hideAccount {
				text = strings.ReplaceAll(text, was.Account(), iac.Mark(iac.AccountMark, ""))
			}
			if hideName && strings.HasSuffix(text, ":trail/"+was.Name) {
				text = strings.TrimSuffix(text, was.Name) + iac.Mark(iac.TrailMark, "Trail")
			}
			marked = with(marked, p, text)
		}
		tr := iac.Trail{
			Origin: iac.Origin{Address: "Trail"}, Name: iac.Text(was.Name), Account: iac.Text(was.Account()), Region: iac.Text(was.HomeRegion),
			Use: iac.Use{Name: iac.Text(r.Bucket)}, Organization: flag(was.Organization), MultiRegion: flag(was.MultiRegion),
			Validation: flag(was.LogFileValidation), Insights: flag(was.InsightSelectors), Selectors: flag(was.CustomSelectors),
		}
		if was.Prefix != "" {
			tr.Prefix = iac.Text(was.Prefix)
		}
		if was.KMSKeyID != "" {
			tr.Key = iac.Text(was.KMSKeyID)
		}
		bucket := iac.Bucket{Origin: iac.Origin{Address: "Logs"}, Name: iac.Text(r.Bucket), Account: iac.Text(r.Owner)}
		if hideBucket {
			bucket.Name = iac.NotKnown()
			tr.Use = iac.Use{Name: iac.NotKnown(), At: "Logs"}
		}
		if hideAccount {
			tr.Account = iac.Text(iac.Mark(iac.AccountMark, ""))
			if r.Owner == was.Account() {
				bucket.Account = tr.Account
			}
		}
		if hideName {
			tr.Name = iac.Text(iac.Mark(iac.TrailMark, "Trail"))
		}
		snapshot := iac.Snapshot{
			Buckets: []iac.Bucket{bucket}, Trails: []iac.Trail{tr},
			Policies: []iac.Policy{{Origin: iac.Origin{Address: "p"}, Use: tr.Use, Text: iac.Text(string(marshal(marked)))}},
		}
		reports := iac.Assess(iac.Input{OnlyAfter: true, After: []iac.Snapshot{snapshot}}, set)
		if len(reports) != 1 || reports[0].After == delivery.Undetermined {
			return
		}
		decided++
		// The names as they were, and others: those that the policy spells, and made-up ones.
		for range 3 {
			now, name, account, owner := was, r.Bucket, was.Account(), r.Owner
			trailName := was.Name
			if hideBucket {
				spelled := regexp.MustCompile(`:::([a-z0-9.-]{3,})`).FindAllStringSubmatch(string(r.Policy), -1)
				names := []string{r.Bucket, "another-bucket", "logs", r.Bucket + "-2"}
				for _, m := range spelled {
					names = append(names, m[1])
				}
				name = rapid.SampledFrom(names).Draw(t, "bucket's name")
			}
			if hideAccount {
				ids := append(regexp.MustCompile(`[0-9]{12}`).FindAllString(string(r.Policy), -1), account, "111111111119", "911111111111", "000000000000")
				account = rapid.SampledFrom(ids).Draw(t, "account's id")
				if owner == was.Account() {
					owner = account
				}
			}
			if hideName {
				names := []string{was.Name, "x", was.Name + "2", "main", "undefined"}
				for _, m := range regexp.MustCompile(`:trail/([A-Za-z0-9._-]+)`).FindAllStringSubmatch(string(r.Policy), -1) {
					names = append(names, m[1])
				}
				trailName = rapid.SampledFrom(names).Draw(t, "trail's name")
			}
			now.Bucket, now.Name = name, trailName
			now.ARN = arn.TrailIn(arn.Region(was.HomeRegion), arn.Account(account), arn.TrailName(trailName)).String()
			text := string(marshal(marked))
			text = strings.NewReplacer(iac.Mark(iac.BucketMark, "Logs"), name, iac.Mark(iac.AccountMark, ""), account, iac.Mark(iac.TrailMark, "Trail"), trailName).Replace(text)
			if want := r.verdict([]byte(text), name, owner, []trail.Trail{now}); want != reports[0].After {
				t.Fatalf("row %s: with stand-ins %s, and for bucket %s, account %s, trail %s %s\n%s", r.ID, reports[0].After, name, account, trailName, want, text)
			}
		}
	})
	if decided == 0 {
		t.Error("nothing was decided")
	}
}

func flag(on bool) iac.Value { return iac.Text(strconv.FormatBool(on)) }

// at is the value at a path.
func at(v any, path []string) any {
	for _, step := range path {
		switch x := v.(type) {
		case []any:
			i, _ := strconv.Atoi(step)
			v = x[i]
		case map[string]any:
			v = x[step]
		}
	}
	return v
}
