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
func (r statementReader) newOperand(o operator, text string) operand {
	x := operand{text: text, ok: true}
	switch o.kind {
	case stringOperator, arnOperator:
		x.pattern = r.newPattern(text, o.form, o.fold)
	case numericOperator:
		x.number, x.ok = parseDecimal(text)
	case dateOperator:
		x.date, x.ok = parseDate(text)
	case boolOperator:
		x.truth = strings.EqualFold(text, "true")
		x.ok = x.truth || strings.EqualFold(text, "false")
	case nullOperator:
		x.truth = strings.EqualFold(text, "true") // any other text is read as "false"
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

// oddWord reports whether the value of a Null condition is neither "true" nor "false".
func (x *operand) oddWord() bool { return !x.truth && !strings.EqualFold(x.text, "false") }

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
	// unsure: IAM takes the text for a date, but which one is not known.
	unsure bool
	signed bool // seconds with a sign
}

// parseDate reads a date of the W3C profile of ISO 8601, or seconds since 1970. ok is
// true for a text too that only comes close to a date: which one it is, is unsure.
func parseDate(s string) (d date, ok bool) {
	seconds, isEpoch := parseEpoch(s)
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006",
		"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return date{millis: t.UnixMilli(), other: seconds, ambiguous: isEpoch}, true
		}
	}
	if isEpoch {
		return date{millis: seconds, signed: s[0] == '+'}, true
	}
	return date{unsure: true}, nearDate(s)
}

// nearDate reports whether IAM is known to take the text for a date: it reads years of
// any length, a day of one digit, "t" for "T", and leaves out what is missing.
// Source: the texts that IAM accepted and refused, as the tests of the emulator moto
// hold them, https://github.com/getmoto/moto/blob/master/moto/iam/policy_validation.py.
func nearDate(s string) bool {
	s = strings.ToLower(s)
	day, clock, hasClock := strings.Cut(s, "t")
	if !hasClock && !strings.Contains(day, "-") {
		return s != "" && allDigits(s) && len(s) < 20 // seconds
	}
	parts := strings.Split(strings.TrimPrefix(day, "-"), "-")
	if len(parts) > 3 || !below(parts[0], 0, 292278993) || len(parts) > 1 && !below(parts[1], 1, 12) || len(parts) > 2 && !below(parts[2], 1, 31) {
		return false
	}
	parts = strings.Split(clock, ":")
	if parts[0] != "" && !below(parts[0], 0, 23) || len(parts) > 1 && !below(parts[1], 0, 59) {
		return false
	}
	if len(parts) < 3 {
		return true
	}
	// A zone's minutes are the fourth part: "00.5+02:30".
	seconds, zone, hasZone := strings.Cut(strings.Join(parts[2:], ":"), "+")
	if !hasZone {
		seconds = strings.TrimSuffix(seconds, "z")
	} else if hours, minutes, _ := strings.Cut(zone, ":"); len(hours) != 2 || !below(hours, 0, 23) || minutes != "" && !below(minutes, 0, 59) {
		return false
	}
	whole, fraction, hasFraction := strings.Cut(seconds, ".")
	return below(whole, 0, 59) && (!hasFraction || below(fraction, 0, 999999999))
}

// below reports whether the text is a number from low to high.
func below(s string, low, high int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && allDigits(s) && low <= n && n <= high
}

// compare says whether an instant of a request stands to the date as the
// relation asks.
func (d date) compare(r relation, at int64) (Truth, assumptionSet) {
	result := truthOf(r.holds(cmp.Compare(at, d.millis)))
	switch {
	case d.unsure:
		return Maybe, assumeDateSpelling
	case d.signed:
		return result, assumeSignedEpoch
	}
	if d.ambiguous && truthOf(r.holds(cmp.Compare(at, d.other))) != result {
		return Maybe, assumeYearOrEpoch
	}
	return result, 0
}

// parseEpoch reads seconds since 1970, with a sign and a fraction or not.
func parseEpoch(s string) (millis int64, ok bool) {
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
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
	// mapped: a range of IPv4 addresses that is written as one of IPv6.
	mapped bool
	// respelled: numbers are written as AWS does not document it, "010" or "+8".
	respelled bool
}

// parseRange reads a CIDR range, or one address: then the prefix is the
// address's whole length. Host bits of IPv4 ranges are ignored, see
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func parseRange(s string) (addressRange, bool) {
	address, length, hasLength := strings.Cut(s, "/")
	a, respelled, ok := parseAddress(address)
	if !ok {
		return addressRange{}, false
	}
	mapped := a.Is4() && strings.Contains(address, ":")
	bits := a.BitLen()
	if mapped {
		bits = 128
	}
	if hasLength {
		number := strings.TrimPrefix(length, "+")
		if !below(number, 0, bits) {
			return addressRange{}, false
		}
		bits, _ = strconv.Atoi(number) // it is a number from 0 to bits
		respelled = respelled || strconv.Itoa(bits) != length
	}
	switch {
	case mapped && bits >= 96:
		bits -= 96
	case mapped:
		a, mapped = netip.AddrFrom16(a.As16()), false
	}
	prefix := netip.PrefixFrom(a, bits).Masked()
	return addressRange{prefix: prefix, hostBits: a.Is6() && a != prefix.Addr(), mapped: mapped, respelled: respelled}, true
}

// contains says whether an address of a request lies in the range. An IPv4
// address in IPv6 form counts as the IPv4 address.
func (r addressRange) contains(a netip.Addr) (Truth, assumptionSet) {
	switch {
	case !r.prefix.Contains(a) && r.respelled:
		return No, assumeAddressSpelling
	case !r.prefix.Contains(a):
		return No, 0
	case r.mapped:
		return Maybe, assumeMappedRange
	case r.hostBits:
		return Maybe, assumeHostBits
	case r.respelled:
		return Yes, assumeAddressSpelling
	}
	return Yes, 0
}

// parseAddress reads an address. One of IPv4 may be written in IPv6 form, or have zeros
// before its numbers, which IAM was seen to take: then respelled is set.
func parseAddress(s string) (a netip.Addr, respelled, ok bool) {
	a, err := netip.ParseAddr(s)
	if err == nil {
		return a.Unmap(), false, a.Zone() == ""
	}
	numbers := strings.Split(s, ".")
	if len(numbers) != 4 {
		return a, false, false
	}
	var b [4]byte
	for i, number := range numbers {
		if !below(number, 0, 255) {
			return a, false, false
		}
		n, _ := strconv.Atoi(number) // it is a number from 0 to 255
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), true, true
}

// namesSomebody reports whether the range is so small that it is a customer's,
// and not all addresses of a kind.
func (r addressRange) namesSomebody() bool {
	if r.prefix.Addr().Is4() {
		return r.prefix.Bits() >= 8
	}
	return r.prefix.Bits() >= 16
}
