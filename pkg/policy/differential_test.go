//go:build differential

package policy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// simulator is the folder that test/npm.sh prints, with test/differential/simulate.mjs in it.
var simulator = flag.String("simulator", "", "folder of the simulator that Decide is compared with")

// simulated is one case as the simulator takes it.
type simulated struct {
	Policy    map[string]any      `json:"policy"`
	Principal string              `json:"principal"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Context   map[string][]string `json:"context"`
}

// realKeys are keys that S3 knows for PutObject: the simulator drops others. The
// operands and values are those of randomKeys.
func realKeys() []randomKey {
	names := map[string]string{
		"t:a": "s3:x-amz-acl", "t:b": "aws:SourceOrgID", "aws:SourceArn": "aws:SourceArn", "t:n": "s3:TlsVersion",
		"aws:CurrentTime": "aws:CurrentTime", "aws:SourceIp": "aws:SourceIp", "aws:TagKeys": "aws:SourceOrgPaths",
	}
	var out []randomKey
	for _, k := range randomKeys() {
		name, ok := names[k.name]
		if !ok {
			continue
		}
		k.name = name
		for i, operand := range k.operands {
			k.operands[i] = strings.ReplaceAll(operand, "t:b", "aws:SourceOrgID")
		}
		out = append(out, k)
	}
	return out
}

// TestDifferential puts random policies and requests of which everything is known
// to another project's simulator, unmodified. Where the two differ, the policy has
// to have one of the features of which the simulator is known to be wrong.
func TestDifferential(t *testing.T) {
	if *simulator == "" {
		t.Fatal("-simulator is missing: run make differential")
	}
	var cases []simulated
	var ours []Decision
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawSimulated(t)
		cases, ours = append(cases, c), append(ours, d)
	})
	theirs := simulate(t, cases)
	counts := map[string]int{}
	for i, c := range cases {
		switch {
		case ours[i].Outcome == Undetermined:
			counts["undetermined here"]++
		case theirs[i] == ours[i].Outcome:
			counts["agree"]++
		default:
			known := knownFaults(t, c)
			if len(known) == 0 {
				t.Errorf("%+v\nsimulator: %s, here: %s", c, theirs[i], ours[i].Outcome)
				continue
			}
			for _, fault := range known {
				counts["differ where there is: "+fault]++
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[what], what)
	}
	if counts["agree"] < len(cases)/2 {
		t.Errorf("only %d of %d cases were compared and agree", counts["agree"], len(cases))
	}
}

func drawSimulated(t *rapid.T) (simulated, Decision) {
	keys := realKeys()
	some := rapid.SliceOfN(rapid.SampledFrom(keys), 1, 3).Draw(t, "keys")
	var list []any
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		s := drawStatement(t, some)
		for _, element := range []string{"Resource", "NotResource"} {
			if text, ok := s[element].(string); ok {
				s[element] = strings.ReplaceAll(text, "t:a", "s3:x-amz-acl")
			}
		}
		list = append(list, s)
	}
	c := simulated{
		Policy:    map[string]any{"Version": rapid.SampledFrom([]string{currentVersion, currentVersion, oldVersion}).Draw(t, "version"), "Statement": list},
		Principal: "cloudtrail.amazonaws.com", Action: "s3:PutObject", Resource: "arn:aws:s3:::b/a/x",
		Context: map[string][]string{},
	}
	context := NewContext(Value{})
	for _, k := range keys {
		if rapid.Bool().Draw(t, "absent "+k.name) {
			continue
		}
		values := drawValues(t, k, k.values)
		c.Context[k.name] = values
		context = context.With(k.name, Value{State: Present, Known: true, Multi: k.multi, Values: values})
	}
	return c, mustParse(t, c.Policy).Decide(cloudTrailRequest(context))
}

// simulate returns what the simulator answers to each case; an error is a policy
// that it does not take.
func simulate(t *testing.T, cases []simulated) []Outcome {
	t.Helper()
	var in bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", "simulate.mjs")
	cmd.Dir, cmd.Stdin = *simulator, &in
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("node simulate.mjs: %v", err)
	}
	outcomes := map[string]Outcome{"Allowed": Allowed, "ExplicitlyDenied": ExplicitDeny, "ImplicitlyDenied": ImplicitDeny}
	var out []Outcome
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var said struct{ Outcome, Error string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			t.Fatal(err)
		}
		if said.Error != "" {
			out = append(out, Outcome("error "+said.Error))
			continue
		}
		out = append(out, outcomes[said.Outcome])
	}
	if len(out) != len(cases) {
		t.Fatalf("%d answers to %d cases", len(out), len(cases))
	}
	return out
}

// knownFaults are the features of a case of which the simulator is known to be
// wrong, or on which AWS's documentation is silent and its recorded answers are
// followed here: see docs/assumptions.md.
func knownFaults(t *testing.T, c simulated) []string {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(string(text), part) })
	}
	var out []string
	for name, found := range map[string]bool{
		// Version 2008-10-17 has none: the text is literal. Where one has no value, an
		// operator that negates matches, and an entry of NotResource exempts nothing.
		"policy variables":          has("${"),
		"Null with a qualifier":     has("ForAllValues:Null", "ForAnyValue:Null"),
		"ARN pattern that is none":  has(`"arn:aws:s:1:a"`) || has(`"Arn`, `:Arn`) && has(`"*"`),
		"IPv4 in IPv6 form":         has("::ffff:"),
		"all of IPv4":               has("0.0.0.0/0"),
		"address with zeros before": has("010.0.0."),
		"number that is none":       has(`"s3:TlsVersion":["x"]`),
		"sign before a date":        has(`"+1"`),
		"IPv6 against an address":   has(`Address`) && has(`["10.0.0.1"`, `,"10.0.0.1"`) && has("::"),
		"BinaryEquals":              has("BinaryEquals"),
		"Kelvin sign":               has("\u212a"),
	} {
		if found {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
