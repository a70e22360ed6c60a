package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// TestActionTable: the table has a line for each action, in order, none twice,
// and each says on what the action works.
func TestActionTable(t *testing.T) {
	var names []string
	count := map[resourceLevel]int{}
	for name, level := range S3().listedActions() {
		if name != glob.LowerASCII(name) || strings.ContainsAny(name, " \t:*?") {
			t.Errorf("%q is no name in lower case", name)
		}
		if level == 0 {
			t.Errorf("%s works on nothing", name)
		}
		if !S3().hasVerb(name) && name != "bypassgovernanceretention" && name != "objectowneroverridetobucketowner" {
			t.Errorf("%s begins with no verb of S3", name)
		}
		names = append(names, name)
		count[level]++
	}
	if most := len(actionSet{}) * 64; len(names) > most {
		t.Errorf("%d actions, more than the %d bits of a set", len(names), most)
	}
	if lines := strings.Count(actionTable, "\n") - 1; lines != len(names) {
		t.Errorf("%d lines, but %d actions", lines, len(names))
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("the actions are not in order, or one stands twice")
	}
	// Of the reference: to be changed with it.
	for level, want := range map[resourceLevel]int{bucketLevel: 65, objectLevel: 33, bucketLevel | objectLevel: 2, otherLevel: 74} {
		if count[level] != want {
			t.Errorf("%d actions of level %d, want %d", count[level], level, want)
		}
	}
}

func TestActionLevels(t *testing.T) {
	tests := []struct {
		text   string
		levels resourceLevel
		ok     bool
	}{
		{"s3:PutObject", objectLevel, true},
		{"S3:getbucketacl", bucketLevel, true},
		{"s3:PauseReplication", bucketLevel | objectLevel, true},
		{"s3:ListAllMyBuckets", otherLevel, true},
		{"s3:Get*Acl", bucketLevel | objectLevel, true},
		{"s3:?utObject", objectLevel, true},
		{"*", bucketLevel | objectLevel, true},
		{"s3:*", bucketLevel | objectLevel | otherLevel, true},
		{"s3:GetBucketHologram", bucketLevel | objectLevel, true}, // yet to come
		{"s3:GetHolo*", bucketLevel | objectLevel, true},
		{"s3:GetObjcet", bucketLevel | objectLevel, false},
		{"s3:Put Object", bucketLevel | objectLevel, false},
		{"s3:Frob*", bucketLevel | objectLevel, false},
		{"s3:", 0, false},
		{"ec2:RunInstances", 0, false},
	}
	for _, test := range tests {
		if s := S3().scopeOf(test.text); s.levels != test.levels || (s.grade != refused) != test.ok {
			t.Errorf("%s: levels %b, grade %d", test.text, s.levels, s.grade)
		}
	}
}
