package policy

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operand is one value of a condition, read as its operator needs it.
type operand struct {
	text      string
	ok        bool // the value is of the operator's kind
	pattern   pattern
	number    decimal
	date      date
	bits      []byte
	truth     bool
	addresses addressRange
}

// newOperand reads a value. Variables stand in string and ARN operators only.
func newOperand(o operator, text string, variables bool) operand {
	x := operand{text: text, ok: true}
	switch o.kind {
	case stringOperator, arnOperator:
		x.pattern = newPattern(text, o.form, o.fold, variables)
	case numericOperator:
		x.number, x.ok = parseDecimal(text)
	case dateOperator:
		x.date, x.ok = parseDate(text)
	case boolOperator, nullOperator:
		x.truth = strings.EqualFold(text, "true")
		x.ok = x.truth || strings.EqualFold(text, "false")
	case binaryOperator:
		var err error
		x.bits, err = base64.StdEncoding.DecodeString(text)
		x.ok = err == nil
	case addressOperator:
		x.addresses, x.ok = parseRange(text)
	case unknownOperator:
		x.ok = false
	}
	return x
}

// decimal is a number of any size: 0.digits times ten to the power exp.
type decimal struct {
	negative bool
	digits   string // without zeros at either end; empty for zero
	exp      int
}

// maxExponent bounds what is read as a number, so that no comparison or
// rendering takes long.
const maxExponent = 400

// parseDecimal reads an integer or decimal number, with an exponent or not.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	mantissa, exponent, scientific := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, scientific = s[:i], s[i+1:], true
	}
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > maxExponent || n < -maxExponent {
			return decimal{}, false
		}
		d.exp = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) || len(s) > maxExponent {
		return decimal{}, false
	}
	digits := whole + fraction
	d.exp += len(whole)
	trimmed := strings.TrimLeft(digits, "0")
	d.exp -= len(digits) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// compare orders two numbers by value.
func (d decimal) compare(e decimal) int {
	if c := cmp.Compare(d.sign(), e.sign()); c != 0 || d.digits == "" {
		return c
	}
	c := cmp.Compare(d.exp, e.exp)
	if c == 0 {
		c = strings.Compare(d.digits, e.digits)
	}
	if d.negative {
		return -c
	}
	return c
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// date is an instant of a condition, in milliseconds since 1970. A text of four
// digits is a year or a number of seconds: then there is a second reading.
type date struct {
	millis    int64
	other     int64 // the second reading, if ambiguous
	ambiguous bool
}

// parseDate reads a date of the W3C profile of ISO 8601, or seconds since 1970.
func parseDate(s string) (date, bool) {
	seconds, isEpoch := parseEpoch(s)
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006",
		"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return date{t.UnixMilli(), seconds, isEpoch}, true
		}
	}
	return date{millis: seconds}, isEpoch
}

// compare says whether an instant of a request stands to the date as the
// relation asks.
func (d date) compare(r relation, at int64) (Truth, assumptionSet) {
	result := truthOf(r.holds(cmp.Compare(at, d.millis)))
	if d.ambiguous && truthOf(r.holds(cmp.Compare(at, d.other))) != result {
		return Maybe, assumeYearOrEpoch
	}
	return result, 0
}

// parseEpoch reads seconds since 1970, with a fraction or not.
func parseEpoch(s string) (millis int64, ok bool) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || len(whole) > 14 || !allDigits(whole) || !allDigits(fraction) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, false
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// formatDate is the text for milliseconds since 1970.
func formatDate(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// addressRange is the value of an IpAddress condition.
type addressRange struct {
	prefix netip.Prefix
	// hostBits: a range of IPv6 addresses whose text names one address in it.
	hostBits bool
}

// parseRange reads a CIDR range, or one address: then the prefix is the
// address's whole length. Host bits of IPv4 ranges are ignored, see
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func parseRange(s string) (addressRange, bool) {
	if strings.Contains(s, "%") {
		return addressRange{}, false
	}
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return addressRange{}, false
		}
		a = a.Unmap()
		return addressRange{prefix: netip.PrefixFrom(a, a.BitLen())}, true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return addressRange{}, false
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	masked := p.Masked()
	return addressRange{prefix: masked, hostBits: p.Addr().Is6() && p.Addr() != masked.Addr()}, true
}

// contains says whether an address of a request lies in the range. An IPv4
// address in IPv6 form counts as the IPv4 address.
func (r addressRange) contains(a netip.Addr) (Truth, assumptionSet) {
	if !r.prefix.Contains(a) {
		return No, 0
	}
	if r.hostBits {
		return Maybe, assumeHostBits
	}
	return Yes, 0
}

// parseAddress reads the address of a request.
func parseAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// namesSomebody reports whether the range is so small that it is a customer's,
// and not all addresses of a kind.
func (r addressRange) namesSomebody() bool {
	if r.prefix.Addr().Is4() {
		return r.prefix.Bits() >= 8
	}
	return r.prefix.Bits() >= 16
}
