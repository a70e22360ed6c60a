package policy

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// asRegexp restates a pattern as a regular expression.
func asRegexp(text string, f form) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	colons := 0
	for _, r := range text {
		one := "."
		if f == arnForm && colons < 5 && strings.Trim(text, "*") != "" {
			one = "[^:]"
		}
		switch {
		case r == '*' && f != exactForm:
			b.WriteString(one + "*")
		case r == '?' && f != exactForm:
			b.WriteString(one)
		default:
			if r == ':' {
				colons++
			}
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func TestGlobLikeRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]form{exactForm, likeForm, arnForm}).Draw(t, "form")
		letters := []rune("ab*?:é\n/")
		text := rapid.StringOfN(rapid.SampledFrom(letters), 0, 9, -1).Draw(t, "pattern")
		if f == arnForm && rapid.Bool().Draw(t, "six fields") {
			text = "a:*:?b:" + text + ":*:" + text
		}
		p := newPattern(text, f, false, false)
		if p.shape == malformed {
			return
		}
		for range 8 {
			s := rapid.StringOfN(rapid.SampledFrom([]rune("ab:é\n/")), 0, 14, -1).Draw(t, "text")
			if rapid.Bool().Draw(t, "from pattern") {
				s = strings.NewReplacer("*", s, "?", "a").Replace(text)
			}
			want := asRegexp(text, f).MatchString(s)
			if got := matchTokens(p.tokens, units(s)); got != want {
				t.Fatalf("pattern %q, text %q: match %t, want %t", text, s, got, want)
			}
			if got := automatonMatch(p.tokens, s); got != want {
				t.Fatalf("pattern %q, text %q: automaton %t, want %t", text, s, got, want)
			}
		}
	})
}

// automatonMatch matches by the automaton that samples are found with.
func automatonMatch(tokens []token, s string) bool {
	x := newExplorer([]matcher{{tokens: tokens}})
	return x.patterns[0].accepts(x.read([]int32{x.patterns[0].start}, s)[0])
}

func TestGlobCharacters(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"?", "é", true},
		{"?", "𝒂", false}, // two UTF-16 code units
		{"??", "𝒂", true},
		{"*", "𝒂", true},
		{"𝒂?", "𝒂b", true},
		{"?𝒂", "b𝒂", true},
		{"a?b", "a\nb", true},
		{"", "", true},
		{"*", "", true},
		{"**a", "ba", true},
		{"?", "\xff", true},
	}
	for _, test := range tests {
		p := newPattern(test.pattern, likeForm, false, false)
		if got := matchTokens(p.tokens, units(test.text)); got != test.want {
			t.Errorf("pattern %q, text %q: match %t", test.pattern, test.text, got)
		}
	}
}

func TestGlobTakesNoExponentialTime(t *testing.T) {
	p := newPattern(strings.Repeat("a*", 2000)+"b", likeForm, false, false)
	text := strings.Repeat("a", 20000)
	start := time.Now()
	if matchTokens(p.tokens, text) {
		t.Error("the pattern ends in b")
	}
	d, err := Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/` +
		strings.Repeat("a*", 500) + `b","Condition":{"StringLike":{"k:k":"` + strings.Repeat("a*?", 500) + `b"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d.Decide(cloudTrailRequest(NewContext(Value{State: Either})))
	d.Samples(Space{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "ab", Min: 50, Max: 5000}}, cloudTrailRequest(NewContext(Value{})))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// inRange restates CIDR membership bit by bit.
func inRange(address netip.Addr, network netip.Addr, bits int) bool {
	if address.BitLen() != network.BitLen() {
		return false
	}
	a, n := address.AsSlice(), network.AsSlice()
	for i := range bits {
		if a[i/8]>>(7-i%8)&1 != n[i/8]>>(7-i%8)&1 {
			return false
		}
	}
	return true
}

func checkRange(t interface{ Fatalf(string, ...any) }, address, network netip.Addr, bits int) {
	text := netip.PrefixFrom(network, bits).String()
	r, ok := parseRange(text)
	if !ok {
		t.Fatalf("range %s is not read", text)
	}
	got, _ := r.contains(address)
	want := truthOf(inRange(address, network, bits))
	if want == Yes && network.Is6() && netip.PrefixFrom(network, bits).Masked().Addr() != network {
		want = Maybe
	}
	if got != want {
		t.Fatalf("%s in %s: %s, want %s", address, text, got, want)
	}
}

func TestRangeBitByBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		n := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "network")
		a := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address")
		bits := rapid.IntRange(0, size*8).Draw(t, "bits")
		copy(a, n[:rapid.IntRange(0, size).Draw(t, "common")])
		network, _ := netip.AddrFromSlice(n)
		address, _ := netip.AddrFromSlice(a)
		if network.Is4In6() || address.Is4In6() {
			return
		}
		checkRange(t, address, network, bits)
	})
}

func FuzzCIDR(f *testing.F) {
	f.Add("10.0.0.0/8", "10.1.2.3")
	f.Add("2001:db8::1/32", "2001:db8::5")
	f.Add("::ffff:10.0.0.0/104", "10.9.9.9")
	f.Add("1.2.3.4", "::ffff:1.2.3.4")
	f.Fuzz(func(t *testing.T, rangeText, addressText string) {
		r, ok := parseRange(rangeText)
		a, valid := parseAddress(addressText)
		if !ok || !valid {
			return
		}
		got, _ := r.contains(a)
		if (got != No) != inRange(a, r.prefix.Addr(), r.prefix.Bits()) {
			t.Errorf("%s in %s: %s", addressText, rangeText, got)
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("arn:aws:s3:::b/*", "arn:aws:s3:::b/x", uint8(2))
	f.Add("a*a*a*b", "aaaaaaaaaa", uint8(1))
	f.Add("${a}*", "x", uint8(1))
	f.Fuzz(func(t *testing.T, text, s string, n uint8) {
		form := form(n % 3)
		p := newPattern(text, form, false, false)
		if p.shape == malformed || len(text) > 200 || len(s) > 200 {
			return
		}
		got := matchTokens(p.tokens, units(s))
		if got != automatonMatch(p.tokens, s) {
			t.Errorf("pattern %q, text %q: match %t, but not by automaton", text, s, got)
		}
		if plainText(text) && plainText(s) && got != asRegexp(text, form).MatchString(s) {
			t.Errorf("pattern %q, text %q: match %t, but not by regexp", text, s, got)
		}
		folded := newPattern(text, form, true, true)
		folded.expand(func(string) Value { return Is(s) })
	})
}

// plainText reports whether all characters are of one UTF-16 code unit.
func plainText(s string) bool {
	for _, r := range s {
		if r > 0xFFFF || r == 0xFFFD {
			return false
		}
	}
	return true
}

func TestDecimal(t *testing.T) {
	order := []string{"-1e3", "-1.5", "-1", "-0.1", "0", "0.00001", "0.1", "1", "1.0000001", "2", "9.99", "10", "1e2", "101"}
	for i, a := range order {
		for j, b := range order {
			x, okX := parseDecimal(a)
			y, okY := parseDecimal(b)
			if got, want := x.compare(y), compareInt(int64(i), int64(j)); !okX || !okY || got != want {
				t.Errorf("%s to %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range []string{"1", "01", "1.0", "+1", "1e0", "10e-1", "0.1E1"} {
		x, ok := parseDecimal(same)
		y, _ := parseDecimal("1")
		if !ok || x.compare(y) != 0 {
			t.Errorf("%s is not 1", same)
		}
	}
	for _, bad := range []string{"", "-", ".", "1e", "1e9999", "1x", "1.2.3", "0x1", "e1", "NaN"} {
		if _, ok := parseDecimal(bad); ok {
			t.Errorf("%q is read as a number", bad)
		}
	}
}

func TestDate(t *testing.T) {
	for _, text := range []string{"2026-01-02T00:00:00Z", "2026-01-02", "1767312000", "1767312000.000", "2026-01-02T01:00:00+01:00", "2026-01-02T00:00Z"} {
		if millis, _, _, ok := parseDate(text); !ok || millis != 1767312000000 {
			t.Errorf("%s is read as %d, %t", text, millis, ok)
		}
	}
	if _, other, two, _ := parseDate("2027"); !two || other != 2027000 {
		t.Errorf("2027 is read as the second %d, %t", other, two)
	}
	if _, _, _, ok := parseDate("soon"); ok {
		t.Error("soon is read as a date")
	}
}
