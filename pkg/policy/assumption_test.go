package policy

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAssumptions(t *testing.T) {
	const allow, all = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"*","Resource":"arn:aws:s3:::b/*"}`, `"Action":"*","Resource":"arn:aws:s3:::b/*"`
	tests := []struct {
		name, statements string
		want             []string
	}{
		{"none", allow, nil},
		{"the grant", `{"Effect":"Allow","Principal":{"AWS":"*"},` + all + `}`, []string{"aws-star-matches-services"}},
		{"a grant beside another", allow + `,{"Effect":"Allow","Principal":{"AWS":"*"},` + all + `}`, nil},
		{"a denial", allow + `,{"Effect":"Deny","Principal":{"AWS":"*"},` + all + `}`, []string{"aws-star-matches-services"}},
		{"a denial that does not match", allow + `,{"Effect":"Deny","Principal":{"AWS":"*"},` + all + `,"Condition":{"StringEquals":{"k:k":"x"}}}`, nil},
		{"a denial that an assumption takes away", allow + `,{"Effect":"Deny","Principal":"*",` + all + `,"Condition":{"StringNotEquals":{"k:set":"x"}}}`, []string{"scalar-operator-on-set"}},
		{"two of one denial", allow + `,{"Effect":"Deny","Principal":{"AWS":"*"},` + all + `,"Condition":{"ArnLike":{"k:arn":"arn:aws:x"}}}`, []string{"aws-star-matches-services", "malformed-arn"}},
		{"a malformed value first", `{"Effect":"Allow","Principal":"*",` + all + `,"Condition":{"ArnNotEqualsIfExists":{"k:arn":["arn:aws:s:*:x","arn:aws:t:*:*:*"]}}}`, []string{"malformed-arn"}},
		{"a malformed value last", `{"Effect":"Allow","Principal":"*",` + all + `,"Condition":{"ArnNotEqualsIfExists":{"k:arn":["arn:aws:t:*:*:*","arn:aws:s:*:x"]}}}`, []string{"malformed-arn"}},
		{"what is tried for an open key", allow + `,{"Effect":"Deny","Principal":"*",` + all + `,"Condition":{"Null":{"k:open":"false"},"StringNotEquals":{"k:open":"x"}}}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := mustRead(t, []byte(`{"Version":"2012-10-17","Statement":[`+test.statements+`]}`))
			var got []string
			for _, a := range d.Decide(cloudTrailRequest(NewContext(Value{}).With("k:k", Is("v")).With("k:set", Set("a", "b")).With("k:arn", Is("arn:aws:s:r:1:a")).With("k:open", Value{State: Either}))).Assumptions {
				got = append(got, a.ID)
				if a.Text == "" {
					t.Errorf("%s has no text", a.ID)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("assumptions %q, want %q", got, test.want)
			}
		})
	}
	if got := len((assumptionsEnd - 1).list()); got != 29 {
		t.Errorf("%d assumptions", got)
	}
	page, err := os.ReadFile("../../docs/assumptions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range (assumptionsEnd - 1).list() {
		if a.ID == "" || !strings.Contains(a.Text, ": https://") {
			t.Errorf("an assumption without ID or source: %+v", a)
		}
		if !strings.Contains(string(page), "\n| `"+a.ID+"` | ") {
			t.Errorf("docs/assumptions.md has no row %s", a.ID)
		}
	}
}
