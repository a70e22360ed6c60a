package delivery

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Grantee is somebody for whom a policy lets CloudTrail write into a bucket: a
// trail, or any trail of an account.
type Grantee struct {
	Account string `json:"account"`
	Trail   string `json:"trail,omitempty"`  // its ARN; empty: any of the account
	Prefix  string `json:"prefix,omitempty"` // of its files, before "AWSLogs/"
}

// maxGrantees bounds what is read of one policy. A policy of 20 KB that is meant
// for people to read names fewer.
const maxGrantees = 1000

// Is reports whether a trail is the grantee's.
func (g Grantee) Is(t trail.Trail) bool {
	if g.Trail != "" {
		return g.Trail == t.ARN
	}
	return g.Account == t.Account()
}

// Compare orders grantees by account, trail and prefix.
func (g Grantee) Compare(other Grantee) int {
	return cmp.Or(strings.Compare(g.Account, other.Account), strings.Compare(g.Trail, other.Trail), strings.Compare(g.Prefix, other.Prefix))
}

// String names the grantee for a sentence.
func (g Grantee) String() string {
	if g.Trail == "" {
		return "account " + g.Account
	}
	return "trail " + trailName(trail.Trail{ARN: g.Trail, Name: nameOf(g.Trail)})
}

func nameOf(trailARN string) string {
	t, err := arn.ParseTrail(trailARN)
	if err != nil {
		return ""
	}
	return string(t.Name)
}

// Grantees returns whom the grants to CloudTrail name, sorted, each once. Who is
// served without being named, as by a grant for a whole organization, is not
// among them. It says whom somebody meant, and not what the policy decides.
func Grantees(doc *policy.Document, bucket string) []Grantee {
	var all []Grantee
	for _, st := range doc.All() {
		if len(all) < maxGrantees && grantsWrites(st) {
			all = append(all, granteesOf(st, bucket)...)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Compare(all[j]) < 0 })
	var once []Grantee
	for i, g := range all {
		if (i == 0 || all[i-1] != g) && len(once) < maxGrantees {
			once = append(once, g)
		}
	}
	return once
}

// grantsWrites reports whether a statement is meant to let CloudTrail write.
func grantsWrites(st *policy.Statement) bool {
	puts := slices.ContainsFunc(st.Actions.List, func(a string) bool {
		return glob.Parse(glob.LowerASCII(a)).Match(glob.TextOf(glob.LowerASCII("s3:PutObject")))
	})
	return st.Effect == policy.Allow && !st.Principals.Not && slices.ContainsFunc(st.Principals.Entries, isCloudTrail) && puts != st.Actions.Not
}

// isCloudTrail reports whether a principal is CloudTrail by one of the names that
// policies have for it.
func isCloudTrail(p policy.Principal) bool {
	name := strings.ToLower(strings.TrimSuffix(p.Value, ".cn"))
	return isLegacy(p) || p.Type == policy.Service && strings.HasPrefix(name, "cloudtrail.") && strings.HasSuffix(name, ".amazonaws.com")
}

// NamesCloudTrail reports whether the policy speaks of CloudTrail, to let it in or
// to shut it out. A text that cannot be read may.
func NamesCloudTrail(text []byte) bool {
	doc, err := policy.Parse(text)
	if err != nil {
		return true
	}
	for _, st := range doc.All() {
		if slices.ContainsFunc(st.Principals.Entries, isCloudTrail) {
			return true
		}
	}
	return false
}

// grantsOf are the statements that are meant to let CloudTrail write.
func grantsOf(doc *policy.Document) []int {
	var indexes []int
	for _, st := range doc.All() {
		if grantsWrites(st) {
			indexes = append(indexes, st.Index)
		}
	}
	return indexes
}

// granteesOf pairs the folders of a statement with the sources that its
// conditions name.
func granteesOf(st *policy.Statement, bucket string) []Grantee {
	sources := sourcesOf(st)
	var all []Grantee
	for _, resource := range st.Resources.List {
		prefix, account, ok := folderOf(resource, bucket)
		switch {
		case st.Resources.Not || !ok:
			continue
		case account != "" && len(sources) == 0:
			all = append(all, Grantee{Account: account, Prefix: prefix})
		}
		for _, s := range sources {
			if (account == "" || account == s.Account) && len(all) < maxGrantees {
				all = append(all, Grantee{Account: s.Account, Trail: s.Trail, Prefix: prefix})
			}
		}
	}
	return all
}

// folderOf returns whose files a resource of the bucket is for, and the prefix of
// these. The account is empty where that is anybody's. A prefix with a wildcard
// may be any, so that nothing can be said of it.
func folderOf(resource, bucket string) (prefix, account string, ok bool) {
	path, key, isObject := strings.Cut(resource, "/")
	name := path[strings.LastIndex(path, ":")+1:]
	if !isObject || name != bucket {
		return "", "", false
	}
	prefix, rest, standard := strings.Cut(key, "AWSLogs/")
	if !standard {
		return "", "", strings.Trim(key, "*") == ""
	}
	owner, _, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(prefix, "*?$") || strings.HasPrefix(owner, "o-") {
		return "", "", false
	}
	if !arn.Account(owner).Valid() {
		owner = ""
	}
	return strings.TrimSuffix(prefix, "/"), owner, true
}

// sourcesOf are the trails and accounts that the conditions of a statement ask
// for. Where both are named, the trails say more.
func sourcesOf(st *policy.Statement) []Grantee {
	var trails, accounts []Grantee
	for _, c := range st.Conditions {
		if strings.Contains(strings.ToLower(c.Operator), "not") {
			continue
		}
		for _, value := range c.Values {
			source := arn.Split(value)
			switch strings.ToLower(c.Key) {
			case "aws:sourcearn":
				if arn.IsTrail(value) {
					trails = append(trails, Grantee{Account: string(source.Account), Trail: value})
				} else if source.Account.Valid() {
					accounts = append(accounts, Grantee{Account: string(source.Account)})
				}
			case "aws:sourceaccount":
				if arn.Account(value).Valid() {
					accounts = append(accounts, Grantee{Account: value})
				}
			}
		}
	}
	if len(trails) > 0 {
		return trails
	}
	return accounts
}

// writing is what CloudTrail asks for to write the log files of a grantee. Of its trail
// nothing is known but what the grantee says.
func (j *judgement) writing(g Grantee) trail.Requirement {
	t := trail.Trail{ARN: g.Trail, Bucket: j.bucket.Name, Prefix: g.Prefix}
	if t.ARN == "" {
		// Its name and region are not known, so that they are left open below.
		region := arn.Region(cmp.Or(j.environment.BucketRegion, "us-east-1"))
		t.ARN = arn.TrailIn(region, arn.Account(g.Account), "any").String()
	}
	open := policy.Value{State: policy.Either}
	requirements := trail.ServiceRequirements(t, j.environment)
	files := requirements[slices.IndexFunc(requirements, func(r trail.Requirement) bool { return r.ID == trail.LogFiles })]
	files.Sets = slices.Clone(files.Sets)
	for i := range files.Sets {
		c := files.Sets[i].Context
		if g.Trail == "" {
			c = c.With("aws:SourceArn", open)
		}
		for _, key := range []string{
			"aws:SourceOrgID", "aws:SourceOrgPaths", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
		} {
			c = c.With(key, open)
		}
		files.Sets[i].Context = c
	}
	return files
}
