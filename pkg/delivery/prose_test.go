package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Names in a policy are data: they are quoted where they could be taken for
// words of the sentence, cut where they are long, counted where they are many.
func TestNamesInSentences(t *testing.T) {
	deny := func(sid string) string {
		return `{"Sid":"` + sid + `","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*"}`
	}
	tests := []struct{ name, statements, want string }{
		{"plain", deny("Plain"), "Statement Plain denies"},
		{"no Sid", strings.Replace(deny(""), `"Sid":"",`, "", 1), "Statement #0 denies"},
		{"words", deny("is fine. Statement X"), `Statement "is fine. Statement X" denies`},
		{"control characters", deny(`a\nb\u001b[31m`), `Statement "a\nb\x1b[31m" denies`},
		{"long", deny(strings.Repeat("x", 1000)), "Statement " + strings.Repeat("x", 300) + "… denies"},
		{"many", strings.Join([]string{deny("A"), deny("B"), deny("C"), deny("D"), deny("E")}, ","), "Statements A, B, C and 2 others deny"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judgeMain(parse(t, `{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`))
			f := finding(t, r, "log-files-denied")
			if why := r.Trails[0].Requirements[1].Why; !strings.HasPrefix(why, tt.want) {
				t.Errorf("got %q, want %q at its start", why, tt.want)
			}
			if strings.ContainsAny(f.Message+f.Remedy, "\n\x1b") {
				t.Errorf("control characters in %q", f.Message+f.Remedy)
			}
			if f.Kind != delivery.Outage {
				t.Errorf("got %+v", f)
			}
		})
	}
}
