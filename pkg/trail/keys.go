package trail

import (
	"slices"
	"strings"

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

// layout writes the keys of one trail.
type layout struct {
	trail Trail
	env   Environment
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
	bucket := l.env.Bucket
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
	if id := l.env.Organization.ID; id != "" {
		return append(s, glob.Segment{Name: "organization", Words: []string{id}}, fixed("/"))
	}
	ids := organizationIDs()
	return append(s, ids[0], glob.Segment{Name: "organization", Class: ids[1].Class, Min: ids[1].Min, Max: ids[1].Max}, fixed("/"))
}

// guesses reports whether the keys under root are more than CloudTrail asks
// for.
func (l layout) guesses(inOrganization bool) bool {
	return len(l.prefixes()) > 1 || inOrganization && l.env.Organization.ID == ""
}

// knownAccounts are the accounts whose files the trail is known to hold.
func (l layout) knownAccounts() glob.Segment {
	known := []string{l.trail.Account()}
	if l.trail.Organization {
		known = append(known, l.env.Organization.Members...)
		if m := l.env.Organization.ManagementAccount; m != "" {
			known = append(known, m)
		}
		slices.Sort(known[1:])
	}
	// The owner comes first: it is what is shown. There may be fifty thousand more.
	words := known[:1]
	for _, a := range slices.Compact(known[1:]) {
		if a != known[0] {
			words = append(words, a)
		}
	}
	return glob.Segment{Name: "account", Words: words}
}

// files are the ARNs of the files of a folder for accounts, regions and dates.
func (l layout) files(folder string, account glob.Segment, region glob.KeySet, date datePart) glob.KeySet {
	s := l.root(l.trail.Organization)
	s = append(s, account, fixed("/"+folder+"/"))
	s = append(s, region...)
	s = append(s, date.folders...)
	// The file's name says the account, the region and the date once more.
	again := func(p glob.Segment) glob.Segment {
		p.Name = repeated(p.Name)
		return p
	}
	s = append(s, again(account), fixed("_"+folder+"_"))
	for _, p := range region {
		s = append(s, again(p))
	}
	if folder == digestFolder {
		s = append(append(s, fixed("_"+l.trail.name()+"_"+l.trail.region()+"_")), date.name...)
		return append(s, fixed("T"),
			glob.Segment{Class: digits, Min: 6, Max: 6}, fixed("Z"),
			glob.Segment{Words: []string{"", "_backfill"}}, fixed(".json.gz"))
	}
	s = append(append(s, fixed("_")), date.name...)
	return append(s, fixed("T"), glob.Segment{Class: digits, Min: 4, Max: 4}, fixed("Z_"),
		glob.Segment{Class: letters + digits, Min: 16, Max: 16}, fixed(".json.gz"))
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
		id := l.env.Organization.ID
		if id == "" {
			id = "<organization>"
		}
		b.WriteString(id + "/")
	}
	b.WriteString(rest)
	return b.String()
}
