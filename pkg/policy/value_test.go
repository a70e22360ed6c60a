package policy

import (
	"cmp"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

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
		a, _, valid := parseAddress(addressText)
		if !ok || !valid {
			return
		}
		got, _ := r.contains(a)
		if (got != No) != inRange(a, r.prefix.Addr(), r.prefix.Bits()) {
			t.Errorf("%s in %s: %s", addressText, rangeText, got)
		}
	})
}

func TestDecimal(t *testing.T) {
	order := []string{"-1e3", "-1.5", "-1", "-0.1", "0", "0.00001", "0.1", "1", "1.0000001", "2", "9.99", "10", "1e2", "101"}
	for i, a := range order {
		for j, b := range order {
			x, okX := parseDecimal(a)
			y, okY := parseDecimal(b)
			if got, want := x.compare(y), cmp.Compare(i, j); !okX || !okY || got != want {
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
		if d, ok := parseDate(text); !ok || d.millis != 1767312000000 {
			t.Errorf("%s is read as %d, %t", text, d.millis, ok)
		}
	}
	if d, _ := parseDate("2027"); !d.ambiguous || d.other != 2027000 {
		t.Errorf("2027 is read as the second %d, %t", d.other, d.ambiguous)
	}
	if _, ok := parseDate("soon"); ok {
		t.Error("soon is read as a date")
	}
}
