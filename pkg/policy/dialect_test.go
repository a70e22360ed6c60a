package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// TestDialectTables: in each dialect the tables have a line for each name, in order, none
// twice; actions are in sets, begin with a verb, and a name that is listed is known.
func TestDialectTables(t *testing.T) {
	for _, d := range []Dialect{S3(), KMS(), SNS()} {
		t.Run(d.Name, func(t *testing.T) {
			var actions []string
			for name, level := range d.listedActions() {
				if name != glob.LowerASCII(name) || level == 0 {
					t.Errorf("%s: level %d", name, level)
				}
				if s := d.scopeOf(d.Service + ":" + name); s.grade != accepted || s.levels != level {
					t.Errorf("%s: %+v", name, s)
				}
				if d.Service != "s3" && !d.hasVerb(name) && name != "reencryptfrom" && name != "reencryptto" {
					t.Errorf("%s begins with no verb", name)
				}
				actions = append(actions, name)
			}
			if len(actions) != strings.Count(d.actions, "\n")-1 || len(actions) > 64*len(actionSet{}) {
				t.Errorf("%d actions in %d lines", len(actions), strings.Count(d.actions, "\n")-1)
			}
			var keys []string
			for key := range d.listedKeys() {
				if strings.HasPrefix(key, "aws:") {
					continue
				}
				keys = append(keys, key)
				if strings.HasSuffix(key, "/") || strings.HasSuffix(key, ":") {
					key += "x"
				}
				if !d.ownKey(key) || d.lookUpKey(key) != keyKnown {
					t.Errorf("%s is not known", key)
				}
			}
			for _, names := range [][]string{actions, keys} {
				if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
					t.Errorf("not in order, or one stands twice: %v", names)
				}
			}
		})
	}
}

func TestLookUpKeyOfOtherDialects(t *testing.T) {
	for key, want := range map[string]keyKnowledge{
		"kms:encryptioncontext:aws:s3:arn": keyKnown, "kms:encryptioncontext:a/b": keyKnown, "kms:encryptioncontext:aws/": keyKnown,
		"kms:encryptioncontext:": keyUnknown, "kms:encryptioncontext": keyUnknown, "kms:encryptioncontextkey": keyUnknown,
		"kms:viaservices": keyUnknown, "kms:requestregion": keyPerhapsNew, "kms:hologram": keyUnknown,
		"aws:sourcearn": keyKnown, "aws:soucearn": keyUnknown, "s3:x-amz-ac": keyKnown, // of another service
	} {
		if got := KMS().lookUpKey(key); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

func TestDialectOf(t *testing.T) {
	for action, want := range map[string]string{"s3:PutObject": "S3", "KMS:Decrypt": "KMS", "sns:Publish": "SNS", "sqs:SendMessage": "", "kms": "KMS", "": ""} {
		if d, ok := DialectOf(action); d.Name != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", action, d.Name, ok)
		}
	}
}

// TestDialectStays: what is made of a document is read in its dialect.
func TestDialectStays(t *testing.T) {
	const text = `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*"}]}`
	d, err := KMS().Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	request := &Request{Caller: Caller{Principal: Principal{Type: Anyone, Value: "*"}}, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/1"}
	added, err := d.With(nil, d.StatementText(0))
	if err != nil {
		t.Fatal(err)
	}
	alone, err := d.Alone(0, d.StatementText(0))
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*Document{"as it was read": d, "added": added, "alone": alone, "compact": d.Compact()} {
		if got := d.Decide(request); got.Outcome != ImplicitDeny || d.Dialect().Name != "KMS" {
			t.Errorf("%s: %s", name, got.Outcome) // without Resource the Deny has no effect
		}
	}
}
