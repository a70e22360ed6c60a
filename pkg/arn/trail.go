package arn

import (
	"errors"
	"strings"
)

// Trail is the ARN of a trail, taken apart. The region is its home region, and
// the account the one that owns it.
// Source: CreateTrail in the API reference of CloudTrail.
type Trail struct {
	Partition Partition
	Region    Region
	Account   Account
	Name      TrailName
}

// TrailIn returns the trail of that name in a region of an account. The
// partition is the region's.
func TrailIn(r Region, a Account, n TrailName) Trail {
	return Trail{Partition: r.Partition(), Region: r, Account: a, Name: n}
}

// ParseTrail reads the ARN of a trail. That the partition is the region's is
// not asked for.
func ParseTrail(text string) (Trail, error) {
	a, err := Parse(text)
	name, isTrail := strings.CutPrefix(a.Resource, "trail/")
	t := Trail{Partition: a.Partition, Region: a.Region, Account: a.Account, Name: TrailName(name)}
	if err != nil || a.Service != "cloudtrail" || !isTrail || !t.valid() {
		return Trail{}, errors.New("expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME")
	}
	return t, nil
}

// IsTrail reports whether a text is the ARN of a trail.
func IsTrail(text string) bool {
	_, err := ParseTrail(text)
	return err == nil
}

func (t Trail) valid() bool {
	return t.Partition.Valid() && t.Region.Valid() && t.Account.Valid() && t.Name.Valid()
}

// String returns the trail's ARN.
func (t Trail) String() string {
	return ARN{
		Partition: t.Partition, Service: "cloudtrail", Region: t.Region, Account: t.Account,
		Resource: "trail/" + string(t.Name),
	}.String()
}
