package arn

import (
	"errors"
	"strings"
)

// Partition is a group of regions with accounts and ARNs of their own.
// Source: partitions.json of the AWS SDKs, 2026, for all partitions, the
// prefixes of their regions and the regions.
type Partition string

// The partitions.
const (
	Commercial        Partition = "aws"
	China             Partition = "aws-cn"
	GovCloud          Partition = "aws-us-gov"
	EuropeanSovereign Partition = "aws-eusc"
	ISO               Partition = "aws-iso"
	ISOB              Partition = "aws-iso-b"
	ISOE              Partition = "aws-iso-e"
	ISOF              Partition = "aws-iso-f"
)

// Valid reports whether the text is spelled like a partition, be it one of
// those above or one that AWS has yet to open.
func (p Partition) Valid() bool {
	const longest = 16
	rest, more := strings.CutPrefix(string(p), "aws-")
	return p == Commercial ||
		more && rest != "" && len(p) <= longest && only(rest, func(c byte) bool { return isLower(c) || c == '-' })
}

// Region is the name of a region: "us-gov-east-1".
type Region string

// ParseRegion reads the name of a region, be it one that AWS has yet to open.
func ParseRegion(text string) (Region, error) {
	if r := Region(text); r.Valid() {
		return r, nil
	}
	return "", errors.New("expected a region such as eu-central-1")
}

// Valid reports whether the text is spelled like a region: two to four letters
// for where it is, a word or more, and a number, joined by hyphens.
func (r Region) Valid() bool {
	const longest = 32
	parts := strings.Split(string(r), "-")
	last := len(parts) - 1
	if last < 2 || len(r) > longest || len(parts[0]) < 2 || len(parts[0]) > 4 {
		return false
	}
	for _, word := range parts[1:last] {
		if word == "" || !only(word, func(c byte) bool { return isLower(c) || isDigit(c) }) {
			return false
		}
	}
	return only(parts[0], isLower) && parts[last] != "" && only(parts[last], isDigit)
}

// Partition returns the partition that a region of this name is in. A name
// without the prefix of another partition is one of "aws".
func (r Region) Partition() Partition {
	for _, other := range []struct {
		prefix    string
		partition Partition
	}{
		{"cn-", China},
		{"us-gov-", GovCloud},
		{"eusc-", EuropeanSovereign},
		{"us-iso-", ISO},
		{"us-isob-", ISOB},
		{"eu-isoe-", ISOE},
		{"us-isof-", ISOF},
	} {
		if strings.HasPrefix(string(r), other.prefix) {
			return other.partition
		}
	}
	return Commercial
}
