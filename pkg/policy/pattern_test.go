package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

func TestLongPatternsTakeNoExponentialTime(t *testing.T) {
	start := time.Now()
	d, err := Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/` +
		strings.Repeat("a*", 500) + `b","Condition":{"StringLike":{"k:k":"` + strings.Repeat("a*?", 500) + `b"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d.Decide(cloudTrailRequest(NewContext(Value{State: Either})))
	d.Prepare(cloudTrailRequest(NewContext(Value{})), NewBudget(DecisionSteps)).
		Samples(glob.KeySet{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "ab", Min: 50, Max: 5000}})
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestPatternPieces: what is read of a text with variables, special characters
// and wildcards.
func TestPatternPieces(t *testing.T) {
	lookup := func(key string) Value {
		switch key {
		case "k:star":
			return Is("*")
		case "k:empty":
			return Is("")
		case "k:open":
			return Value{State: Present}
		}
		return Value{}
	}
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"a${k:star}", "a*", true},
		{"a${k:star}", "ab", false},
		{"a${*}${?}${$}*", "a*?$x", true},
		{"a${*}", "ab", false},
		{"${k:empty}a", "a", true},
		{"a${k:open}b", "axyb", true},
		{"a${k:open}b", "axyc", false},
		{"a${k:none, 'x'}", "ax", true},
		{"a${k:none,'x'}*", "axy", true},
		{"a${k:none}", "a", false},
		{"a${", "a${", true},
		{"a${b*", "a${bc", true},
		{"${k:star}${k:open", "*${k:open", true},
	}
	for _, test := range tests {
		p := statementReader{S3(), true}.newPattern(test.pattern, likeForm, false)
		e := p.expand(lookup)
		if got := !e.matchesNothing && e.Match(glob.TextOf(test.text)); got != test.want {
			t.Errorf("pattern %q, text %q: match %t", test.pattern, test.text, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("arn:aws:s3:::b/*", "arn:aws:s3:::b/x", uint8(2))
	f.Add("a*a*a*b", "aaaaaaaaaa", uint8(1))
	f.Add("${a}*", "x", uint8(1))
	f.Fuzz(func(t *testing.T, text, s string, n uint8) {
		p := statementReader{S3(), true}.newPattern(text, form(n%3), true)
		if len(text) > 200 || len(s) > 200 {
			return
		}
		p.expand(func(string) Value { return Is(s) }).Match(glob.TextOf(s))
	})
}
