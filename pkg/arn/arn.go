package arn

import (
	"errors"
	"strings"
)

// ARN is an Amazon Resource Name, taken apart. Only its shape is known: the
// fields hold whatever the text did, a wildcard or nothing too.
// Source: "Amazon Resource Names (ARNs)" in the IAM user guide,
// reference-arns.html.
type ARN struct {
	Partition Partition // "aws"
	Service   string    // "cloudtrail"
	Region    Region    // "us-east-1"; empty for what belongs to no region
	Account   Account   // "111122223333"; empty for buckets
	Resource  string    // what follows the fifth colon: "trail/main"; it may hold colons itself
}

// Parse reads an ARN: "arn", and five more fields of any content.
func Parse(text string) (ARN, error) {
	if !strings.HasPrefix(text, "arn:") || strings.Count(text, ":") < 5 {
		return ARN{}, errors.New("expected arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	return Split(text), nil
}

// Split takes apart what may be an ARN, or a pattern for ARNs such as
// "*:*:iam::111122223333:*", at its first five colons. A field that is not
// there is empty, and what stands before the first colon is not looked at.
func Split(text string) ARN {
	var fields [6]string
	for i := range 5 {
		// After the last colon there is the empty text, and only that.
		fields[i], text, _ = strings.Cut(text, ":")
	}
	fields[5] = text
	return ARN{
		Partition: Partition(fields[1]),
		Service:   fields[2],
		Region:    Region(fields[3]),
		Account:   Account(fields[4]),
		Resource:  fields[5],
	}
}

// String returns the ARN's text.
func (a ARN) String() string {
	return "arn:" + string(a.Partition) + ":" + a.Service + ":" + string(a.Region) + ":" + string(a.Account) + ":" + a.Resource
}

// Root returns the ARN of an account's root user. As a principal it stands for
// the whole account, like the account's id.
// Source: "AWS JSON policy elements: Principal" in the IAM user guide.
func Root(p Partition, a Account) ARN {
	return ARN{Partition: p, Service: "iam", Account: a, Resource: "root"}
}

// RootOf returns the account whose root user the ARN is. The account is
// unchecked, as in the ARN.
func (a ARN) RootOf() (account Account, ok bool) {
	if a != Root(a.Partition, a.Account) {
		return "", false
	}
	return a.Account, true
}

// Placed reports whether the ARN is of an account, in a region of its partition that is spelled like
// one. The region of an ARN that others have written is to be placed before it becomes a part of an
// address.
func (a ARN) Placed() bool {
	return a.Region.Valid() && a.Region.Partition() == a.Partition && a.Account.Valid()
}

// ParseTopic reads the ARN of an SNS topic that is no FIFO topic.
// Source: CreateTopic in the API reference of SNS.
func ParseTopic(text string) (ARN, error) {
	const longest = 256
	isTopic := func(c byte) bool { return isAlphanumeric(c) || c == '-' || c == '_' }
	a, err := Parse(text)
	if err != nil || a.Service != "sns" || !a.Partition.Valid() || !a.Region.Valid() || !a.Account.Valid() ||
		a.Resource == "" || len(a.Resource) > longest || !only(a.Resource, isTopic) {
		return ARN{}, errors.New("expected the ARN of a standard SNS topic")
	}
	return a, nil
}
