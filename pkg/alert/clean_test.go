package alert_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "arn:aws:iam::111111111111:user/alice", "arn:aws:iam::111111111111:user/alice"},
		{"letters of other scripts", "Zoë 東京 Δ", "Zoë 東京 Δ"},
		{"empty", "", ""},
		{"line feed", "a\nb", `a\nb`},
		{"carriage return and tab", "a\r\tb", `a\r\tb`},
		{"vertical tab and form feed", "a\v\fb", `a\v\fb`},
		{"terminal escape", "\x1b[2J", `\u001b[2J`},
		{"next line", "a\u0085b", `a\u0085b`},
		{"line and paragraph separator", "a\u2028b\u2029c", `a\u2028b\u2029c`},
		{"right-to-left override", "a\u202eb", `a\u202eb`},
		{"isolate", "a\u2066b\u2069", `a\u2066b\u2069`},
		{"zero width", "a\u200bb\u200dc\ufeff", `a\u200bb\u200dc\ufeff`},
		{"soft hyphen", "a\u00adb", `a\u00adb`},
		{"no-break and wide space", "a\u00a0b\u3000c", `a\u00a0b\u3000c`},
		{"letters that draw nothing", "a\u3164b\u115fc\u2800", `a\u3164b\u115fc\u2800`},
		{"variation selector and tag", "a\ufe0fb\U000e0041", `a\ufe0fb\U000e0041`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"private use", "a\ue000", `a\ue000`},
		{"pile of marks", "e\u0301\u0302\u0303\u0304", "e\u0301\u0302" + `\u0303\u0304`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := alert.Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanTwiceIsCleanOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := alert.Clean(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text"))
		if twice := alert.Clean(once); twice != once {
			t.Errorf("%q, then %q", once, twice)
		}
		if strings.ContainsFunc(once, forging) || strings.Contains(once, "\n") {
			t.Errorf("%q is not clean", once)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "- \n"},
		{"fits", "one two", "- one two\n"},
		{"breaks at a space", "one two three four", "- one two\n  three four\n"},
		{"keeps a long word whole", "see https://example.com/abc now", "- see\n  https://example.com/abc\n  now\n"},
		{"starts with a long word", "https://example.com/abc", "- https://example.com/abc\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := "- " + strings.Join(alert.Wrap(tt.text, 11, nil), "\n  ") + "\n"; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
