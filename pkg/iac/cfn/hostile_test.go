package cfn_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
)

// template is a template in JSON with a trail, in a condition if one is given.
func template(sections, resources map[string]any, condition string) []byte {
	trail := map[string]any{"Type": "AWS::CloudTrail::Trail", "Properties": map[string]any{"S3BucketName": map[string]any{"Ref": "B0"}, "IsLogging": true}}
	if condition != "" {
		trail["Condition"] = condition
	}
	all := map[string]any{"B0": map[string]any{"Type": "AWS::S3::Bucket"}, "T": trail}
	maps.Copy(all, resources)
	out := map[string]any{"Resources": all}
	maps.Copy(out, sections)
	text, _ := json.Marshal(out) // texts, lists and maps
	return text
}

func fn(name string, arguments ...any) map[string]any { return map[string]any{name: arguments} }

// What grows with each step, or has too many ways to be tried, ends soon. A trail that may be there is never
// left out, and never fine.
func TestHostileTemplates(t *testing.T) {
	const steps = 60
	conditions, names, mapping, open, parameters, buckets := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for i := range steps {
		next := map[string]any{"Condition": fmt.Sprintf("C%d", i+1)}
		conditions[fmt.Sprintf("C%d", i)] = fn("Fn::And", next, next)
		again := fmt.Sprintf("${B%d}", i+1)
		names[fmt.Sprintf("B%d", i)] = map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": map[string]any{"Fn::Sub": again + again}}}
		find := fn("Fn::FindInMap", "M", fmt.Sprintf("K%d", i+1), "x")
		mapping[fmt.Sprintf("K%d", i)] = map[string]any{"x": fn("Fn::Join", "", []any{find, find})}
		open[fmt.Sprintf("C%d", i)] = fn("Fn::Equals", map[string]any{"Ref": fmt.Sprintf("P%d", i)}, "a")
		parameters[fmt.Sprintf("P%d", i)] = map[string]any{"Type": "String"}
	}
	conditions[fmt.Sprintf("C%d", steps)] = fn("Fn::Equals", "a", "a")
	for i := range 40 {
		buckets[fmt.Sprintf("X%d", i)] = map[string]any{"Type": "AWS::S3::Bucket", "Condition": fmt.Sprintf("C%d", i)}
	}
	some := map[string]any{"Conditions": open, "Parameters": parameters}
	tests := map[string][]byte{
		"conditions of conditions": template(map[string]any{"Conditions": conditions}, nil, "C0"),
		"names of names":           template(nil, names, ""),
		"maps of maps": template(map[string]any{"Mappings": map[string]any{"M": mapping}}, map[string]any{
			"B0": map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": fn("Fn::FindInMap", "M", "K0", "x")}},
		}, ""),
		"a long text many times": template(map[string]any{"Parameters": map[string]any{"P": map[string]any{"Type": "String", "Default": strings.Repeat("x", 100_000)}}}, map[string]any{
			"B0": map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": map[string]any{"Fn::Sub": strings.Repeat("${P}", 100_000)}}},
		}, ""),
		"many ways":                       template(some, buckets, "C39"),
		"a trail that may be there":       template(some, nil, "C0"),
		"a condition that is itself":      template(map[string]any{"Conditions": map[string]any{"C": map[string]any{"Condition": "C"}}}, nil, "C"),
		"a name that is itself":           template(nil, map[string]any{"B0": map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": map[string]any{"Ref": "B0"}}}}, ""),
		"a condition that does not exist": template(nil, nil, "None"),
	}
	for name, text := range tests {
		in, err := cfn.Read(text, cfn.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		trails := 0
		for _, r := range iac.Assess(in, setting) {
			trails += len(r.Trails)
			if r.After == delivery.Delivering {
				t.Errorf("%s: fine", name)
			}
		}
		if trails == 0 {
			t.Errorf("%s: the trail is left out", name)
		}
	}
}

// Many resources that are of no interest, and many that are: what is judged in every region is bounded.
func TestManyResources(t *testing.T) {
	others, all := map[string]any{}, map[string]any{}
	for i := range 50_000 {
		others[fmt.Sprintf("R%d", i)] = map[string]any{"Type": "AWS::SNS::Topic"}
	}
	for i := range 200 {
		bucket := fmt.Sprintf("X%d", i)
		all[bucket] = map[string]any{"Type": "AWS::S3::Bucket"}
		all["T"+bucket] = map[string]any{"Type": "AWS::CloudTrail::Trail", "Properties": map[string]any{"S3BucketName": map[string]any{"Ref": bucket}, "IsLogging": true}}
	}
	for name, tt := range map[string]struct {
		resources map[string]any
		buckets   int
		after     delivery.Verdict
	}{
		"of no interest": {others, 1, delivery.Blocked}, "of interest": {all, 201, delivery.Undetermined},
	} {
		in, err := cfn.Read(template(nil, tt.resources, ""), cfn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reports := iac.Assess(in, setting)
		if len(reports) != tt.buckets || reports[0].After != tt.after {
			t.Errorf("%s: %d buckets, %s", name, len(reports), reports[0].After)
		}
	}
}

// The ways before and after are paired by what is open in them, not by their number.
func TestBetweenOtherConditions(t *testing.T) {
	read := func(template string) iac.Input {
		in, err := cfn.Read([]byte(template), here)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	// Before, the policy is there if the environment is for production; after, the trail is there if another
	// parameter says so, and the policy is nowhere.
	before := with("Type: AWS::S3::BucketPolicy", "Type: AWS::S3::BucketPolicy\n    Condition: Production")
	after := with("Environment: {Type: String}", "Environment: {Type: String}\n  Audit: {Type: String}", "!Ref Environment", "!Ref Audit",
		"Type: AWS::CloudTrail::Trail", "Type: AWS::CloudTrail::Trail\n    Condition: Production", "DependsOn: LogsPolicy", "", "AWS::S3::BucketPolicy", "AWS::SNS::Topic")
	in := cfn.Between(read(before), read(after))
	if len(in.After) != 4 {
		t.Fatalf("%d ways", len(in.After))
	}
	for _, r := range iac.Assess(in, setting) {
		if r.After != delivery.Undetermined && r.After != delivery.Blocked {
			t.Errorf("%s, then %s", r.Before, r.After)
		}
	}
}

// A folder whose manifest names itself, or more than anybody has, is refused.
func TestHostileAssemblies(t *testing.T) {
	artifacts := func(n int, kind, properties string) *fstest.MapFile {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"A%d":{"type":%q,"properties":{%s}}`, i, kind, properties))
		}
		return &fstest.MapFile{Data: []byte(`{"artifacts":{` + strings.Join(list, ",") + `}}`)}
	}
	for name, tt := range map[string]struct {
		folder fstest.MapFS
		says   string
	}{
		"itself":      {fstest.MapFS{"manifest.json": artifacts(1, "cdk:cloud-assembly", `"directoryName":"."`)}, "names itself"},
		"many":        {fstest.MapFS{"manifest.json": artifacts(3000, "cdk:tree", "")}, "more than 2000 artifacts"},
		"outside":     {fstest.MapFS{"manifest.json": artifacts(1, "aws:cloudformation:stack", `"templateFile":"../t.json"`)}, "is not within the folder"},
		"no template": {fstest.MapFS{"manifest.json": artifacts(1, "aws:cloudformation:stack", `"templateFile":"t.json"`)}, "no t.json in it"},
		"many deep": {fstest.MapFS{
			"manifest.json": artifacts(30, "cdk:cloud-assembly", `"directoryName":"a"`), "a/manifest.json": artifacts(30, "cdk:cloud-assembly", `"directoryName":"a"`),
			"a/a/manifest.json": artifacts(30, "cdk:cloud-assembly", `"directoryName":"a"`), "a/a/a/manifest.json": artifacts(30, "cdk:tree", ""),
		}, "more than 2000 artifacts"},
	} {
		if _, err := cfn.ReadAssembly(tt.folder, "", cfn.Options{}); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
