package policy

import (
	"net/netip"
	"strings"
)

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
func (r addressRange) contains(a netip.Addr) (Truth, notes) {
	if !r.prefix.Contains(a) {
		return No, 0
	}
	if r.hostBits {
		return Maybe, noteHostBits
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

// named reports whether the range is so small that it names somebody.
func (r addressRange) named() bool {
	if r.prefix.Addr().Is4() {
		return r.prefix.Bits() >= 8
	}
	return r.prefix.Bits() >= 16
}
