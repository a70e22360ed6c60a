package trail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
)

// The folders of an account, by what CloudTrail writes there.
// Source: "Finding your CloudTrail log files" in the CloudTrail user guide.
const (
	logFolder       = "CloudTrail"
	digestFolder    = "CloudTrail-Digest"
	insightFolder   = "CloudTrail-Insight"
	networkFolder   = "CloudTrail-NetworkActivity"
	aggregateFolder = "CloudTrail-Aggregated"
)

// redelivery is for how long CloudTrail tries to deliver a file.
// Source: create-s3-bucket-policy-for-cloudtrail.html.
const redelivery = 30 * 24 * time.Hour

// lastYear is the last year of which files are asked for.
const lastYear = 2099

func fixed(text string) glob.Segment { return glob.Segment{Words: []string{text}} }

// anyAccount is every account there may be.
func anyAccount(name string) glob.Segment {
	return glob.Segment{Name: name, Class: digits, Min: 12, Max: 12}
}

// organizationIDs are all ids that an organization may have.
// Source: the API reference of AWS Organizations, Organization.
func organizationIDs() glob.KeySet {
	return glob.KeySet{fixed("o-"), {Class: lowerLetters + digits, Min: 10, Max: 32}}
}

// newRegions are the names that a region may have which AWS has yet to open.
func newRegions(partition arn.Partition) glob.KeySet {
	direction := glob.Segment{Words: []string{
		"north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest",
	}}
	number := glob.Segment{Class: "123456789", Min: 1, Max: 1}
	country := glob.Segment{Class: lowerLetters, Min: 2, Max: 2}
	switch partition {
	case arn.Commercial:
		return glob.KeySet{country, fixed("-"), direction, fixed("-"), number}
	case arn.China:
		return glob.KeySet{fixed("cn-"), direction, fixed("-"), number}
	case arn.GovCloud:
		return glob.KeySet{fixed("us-gov-"), direction, fixed("-"), number}
	case arn.EuropeanSovereign:
		return glob.KeySet{fixed("eusc-"), country, fixed("-"), direction, fixed("-"), number}
	default:
		return glob.KeySet{{Class: lowerLetters + digits + "-", Min: 8, Max: 24}}
	}
}

// layout writes the keys of one trail.
type layout struct {
	trail   Trail
	setting Environment
	dates   glob.KeySet // the folders of a date, with the slashes around them
}

func newLayout(t Trail, s Environment) layout {
	slash := fixed("/")
	return layout{t, s, glob.KeySet{
		slash, years(s.Now), slash, twoDigits("month", 12), slash, twoDigits("day", 31), slash,
	}}
}

// prefixes are the ways in which the trail's prefix may stand before
// "AWSLogs/", each with its slash. There is more than one where the prefix
// begins or ends with a slash: how CloudTrail joins those is not documented.
func (l layout) prefixes() []string { return prefixes(l.trail.Prefix) }

func prefixes(prefix string) []string {
	if prefix == "" {
		return []string{""}
	}
	var out []string
	for _, head := range []string{prefix, strings.TrimLeft(prefix, "/")} {
		for _, p := range []string{strings.TrimRight(head, "/"), head} {
			if p != "" {
				p += "/"
			}
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (l layout) bucketARN() string {
	bucket := l.setting.Bucket
	if bucket == "" {
		bucket = l.trail.Bucket
	}
	return arn.Bucket(bucket).ARN(l.trail.Partition())
}

// root is the ARN up to the folder that holds the accounts' folders.
func (l layout) root(inOrganization bool) glob.KeySet {
	s := glob.KeySet{fixed(l.bucketARN() + "/")}
	if p := l.prefixes(); len(p) > 1 || p[0] != "" {
		s = append(s, glob.Segment{Name: "prefix", Words: p})
	}
	s = append(s, fixed("AWSLogs/"))
	if !inOrganization {
		return s
	}
	if id := l.setting.Organization.ID; id != "" {
		return append(s, glob.Segment{Name: "organization", Words: []string{id}}, fixed("/"))
	}
	ids := organizationIDs()
	return append(s, ids[0], glob.Segment{Name: "organization", Class: ids[1].Class, Min: ids[1].Min, Max: ids[1].Max}, fixed("/"))
}

// guesses reports whether the keys under root are more than CloudTrail asks
// for.
func (l layout) guesses(inOrganization bool) bool {
	return len(l.prefixes()) > 1 || inOrganization && l.setting.Organization.ID == ""
}

// years are those of which CloudTrail may still write files.
func years(now time.Time) glob.Segment {
	first := 2020
	if !now.IsZero() {
		first = min(now.Add(-redelivery).UTC().Year(), lastYear)
	}
	segment := glob.Segment{Name: "year", Words: make([]string, 0, lastYear-first+1)}
	for y := first; y <= lastYear; y++ {
		segment.Words = append(segment.Words, strconv.Itoa(y))
	}
	return segment
}

func twoDigits(name string, last int) glob.Segment {
	segment := glob.Segment{Name: name, Words: make([]string, last)}
	for i := range segment.Words {
		segment.Words[i] = fmt.Sprintf("%02d", i+1)
	}
	return segment
}

// accounts are the segments that stand for the accounts whose files the trail
// holds. An organization's accounts come and go, so beside the known ones it
// may be any.
func (l layout) accounts() []glob.Segment {
	owner := l.trail.Account()
	if !l.trail.Organization {
		return []glob.Segment{{Name: "account", Words: []string{owner}}}
	}
	known := append([]string{owner}, l.setting.Organization.Members...)
	if m := l.setting.Organization.ManagementAccount; m != "" {
		known = append(known, m)
	}
	slices.Sort(known[1:])
	return []glob.Segment{
		{Name: "account", Words: slices.Compact(known)},
		anyAccount("account"),
	}
}

// files are the ARNs of the files of a folder for an account and a region.
func (l layout) files(folder string, account glob.Segment, region glob.KeySet) glob.KeySet {
	s := l.root(l.trail.Organization)
	s = append(s, account, fixed("/"+folder+"/"))
	s = append(s, region...)
	s = append(s, l.dates...)
	// The file's name says the account and the region once more.
	s = append(s, unnamed(account), fixed("_"+folder+"_"))
	for _, p := range region {
		s = append(s, unnamed(p))
	}
	date := glob.Segment{Class: digits, Min: 8, Max: 8}
	if folder == digestFolder {
		return append(s, fixed("_"+l.trail.name()+"_"+l.trail.region()+"_"), date, fixed("T"),
			glob.Segment{Class: digits, Min: 6, Max: 6}, fixed("Z"),
			glob.Segment{Words: []string{"", "_backfill"}}, fixed(".json.gz"))
	}
	return append(s, fixed("_"), date, fixed("T"), glob.Segment{Class: digits, Min: 4, Max: 4}, fixed("Z_"),
		glob.Segment{Class: letters + digits, Min: 16, Max: 16}, fixed(".json.gz"))
}

func unnamed(p glob.Segment) glob.Segment {
	p.Name = ""
	return p
}

// marker is the ARN of the empty object that CloudTrail writes into a folder
// of the trail's owner when the trail is made or changed.
func (l layout) marker(folder string, inOrganization bool) glob.KeySet {
	account := glob.Segment{Name: "account", Words: []string{l.trail.Account()}}
	return append(l.root(inOrganization), account, fixed("/"+folder+"/"))
}

// resource is what people read for an ARN under root.
func (l layout) resource(inOrganization bool, rest string) string {
	var b strings.Builder
	b.WriteString(l.bucketARN() + "/" + l.prefixes()[0] + "AWSLogs/")
	if inOrganization {
		id := l.setting.Organization.ID
		if id == "" {
			id = "<organization>"
		}
		b.WriteString(id + "/")
	}
	b.WriteString(rest)
	return b.String()
}
