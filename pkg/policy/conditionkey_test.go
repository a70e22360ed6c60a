package policy

import (
	"slices"
	"strings"
	"testing"
)

// TestKeyTables: the tables have a line for each key, in order, none twice, and name actions
// that there are.
func TestKeyTables(t *testing.T) {
	actions := map[string]bool{"*": true}
	for name := range S3().listedActions() {
		actions[name] = true
	}
	for _, table := range []string{globalKeys, keyTable} {
		var keys []string
		for line := range strings.Lines(strings.TrimPrefix(table, "\n")) {
			fields := strings.Fields(line)
			keys = append(keys, fields[0])
			for _, action := range fields[1:] {
				if !actions[action] {
					t.Errorf("%s: %s is no action", fields[0], action)
				}
			}
			if fields[0] != strings.ToLower(fields[0]) {
				t.Errorf("%s is not in lower case", fields[0])
			}
		}
		if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Error("the keys are not in order, or one stands twice")
		}
	}
	if got := len(slices.Collect(S3().listedKeys())); got != 112 {
		t.Errorf("%d keys are listed", got) // of the references: to be changed with them
	}
}

func TestLookUpKey(t *testing.T) {
	for key, want := range map[string]keyKnowledge{
		"aws:sourcearn": keyKnown, "aws:principaltag/cost center": keyKnown, "aws:tagkeys": keyKnown,
		"s3:x-amz-acl": keyKnown, "s3:existingobjecttag/a/b": keyKnown,
		"kms:viaservice": keyKnown, "k:k": keyKnown, // of other services there is no list
		"aws:sourcehologram": keyPerhapsNew, "aws:vpceaccounttype": keyPerhapsNew,
		"s3:x-amz-object-hologram": keyPerhapsNew, "s3:objecthologram": keyPerhapsNew,
		"aws:arn": keyUnknown, "aws:foo": keyUnknown, "aws:": keyUnknown, "aws:source": keyUnknown,
		"aws:sourcearns": keyUnknown, "aws:soucearn": keyUnknown, "aws:principaltag": keyUnknown, "aws:principaltag/": keyUnknown,
		"aws:source arn": keyUnknown, "aws:sourcearn*": keyUnknown,
		"s3:": keyUnknown, "s3:foo": keyUnknown, "s3:x-acl": keyUnknown, "s3:x-amz-ac": keyUnknown, "s3:existingobjecttag/": keyUnknown,
	} {
		if got := S3().lookUpKey(key); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

func TestFoldCase(t *testing.T) {
	for text, want := range map[string]string{
		"AbC": "abc", "ÉTÉ": "été", "\u212a": "k", "\u0130": "i\u0307", "\u017f": "\u017f", "STRAßE": "straße",
		"Σ": "σ", "ΑΣ": "ας", "ΑΣΑ": "ασα", "ΑΣ Σ": "ας σ", "ΑΣ1": "ας1", "Α\u0301Σ": "α\u0301ς", "ΑΣ\u0301": "ας\u0301", "ΑΣ.": "ας.", "ΑΣ.Α": "ασ.α",
	} {
		if got := foldCase(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestNearDate(t *testing.T) {
	for text, want := range map[string]bool{
		"2016-12-13t2:00:00.593194+23": true, "2016-12-13t2:00:00.593194+23:30": true, "01T": true, "2026-1-2": true,
		"2026-01-02T10": true, "2026-01-02t10:11:12z": true, "292278993": true, "-292275054-1-1T": true, "17673120000000000": true,
		"t": false, "": false, "soon": false, "tomorrow": false, "2026-13-01": false, "2026-01-32": false, "2026-1-2-3": false,
		"2026-01-02T24": false, "2026-01-02T10:60": false, "2026-01-02T10:11:60": false, "2026-01-02T10:11:12+1a": false,
		"2026-01-02T10:11:12+1": false, "2026-01-02T10:11:12+01:60": false, "2026-01-02T10:11:12.": false, "2026-01-02T10:11:12zz": false,
		"99999999999999999999": false,
	} {
		if got := nearDate(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
