// Package costly makes policies that take much work to decide: some that careful owners
// write, and some that nobody writes but to keep a guard busy. It is for tests.
package costly

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Family is a kind of policies that take much work.
type Family struct {
	Name string
	// Honest: a careful owner may write it, so it is to be decided in full, within so
	// many thousand steps for the judgement and the plan. The others have only to end.
	Honest bool
	Steps  int
	// Organization: the trail is an organization's. Trails is how many there are, one
	// if it is 0.
	Organization bool
	Trails       int
	OneAccount   bool // the trails are of one, and differ in their names

	statements []statement
}

// WithFirst returns the family with a statement before its own.
func (f Family) WithFirst(s map[string]any) Family {
	f.statements = append([]statement{s}, f.statements...)
	return f
}

// Policy is the family's policy of a bucket with a trail of that name, up to the size that
// S3 takes. Statements that find no room are left out.
func (f Family) Policy(bucket, trailName string) []byte {
	names := strings.NewReplacer(madeFor, bucket, Trail, strings.TrimSuffix(Trail, "main")+trailName)
	for n := len(f.statements); ; n-- {
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": f.statements[:n]})
		if err != nil {
			panic(err) // it is made of maps, lists and texts
		}
		if out := names.Replace(string(text)); len(out) <= 20_480 {
			return []byte(out)
		}
	}
}

type statement map[string]any

// Whose the policies are.
const (
	Account      = "111111111111"
	Organization = "o-exampleorg1"
	Trail        = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"

	madeFor = "logs-b"
	letters = "abcdefghijklmnopqrstuvwxyz"
)

func key(format string, values ...any) string {
	return "arn:aws:s3:::logs-b/" + fmt.Sprintf(format, values...)
}

func service() any { return map[string]any{"Service": trail.ServicePrincipal} }

func grantACL() statement {
	return statement{
		"Sid": "Acl", "Effect": "Allow", "Principal": service(), "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::logs-b",
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceArn": Trail}},
	}
}

func grantWrite(resources any, more ...map[string]any) statement {
	equals := map[string]any{"aws:SourceArn": Trail, "s3:x-amz-acl": "bucket-owner-full-control"}
	for _, m := range more {
		maps.Copy(equals, m)
	}
	return statement{
		"Effect": "Allow", "Principal": service(), "Action": "s3:PutObject", "Resource": resources,
		"Condition": map[string]any{"StringEquals": equals},
	}
}

func denyWrite(resources any, condition map[string]any) statement {
	s := statement{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resources}
	if condition != nil {
		s["Condition"] = condition
	}
	return s
}

// butFor turns a statement's Resource into NotResource.
func butFor(s statement) statement {
	s["NotResource"] = s["Resource"]
	delete(s, "Resource")
	return s
}

func when(operator, key string, values ...string) map[string]any {
	return map[string]any{operator: map[string]any{key: values}}
}

// unknown asks n keys, of which it is not known what CloudTrail's requests hold, for a
// value.
func unknown(n int, value func() string) map[string]any {
	equals := map[string]any{}
	for i := range n {
		equals[fmt.Sprintf("aws:ResourceTag/k%d", i)] = value()
	}
	return map[string]any{"StringEquals": equals}
}

// manyKeys asks many keys for one value.
func manyKeys(operator string, from, to int, value string) map[string]any {
	keys := map[string]any{}
	for i := range numbers(from, to) {
		keys[fmt.Sprint("aws:k", from+i)] = value
	}
	return map[string]any{operator: keys}
}

// s3Keys are keys that a write may have.
func s3Keys() []string {
	return strings.Fields("s3:x-amz-acl s3:x-amz-copy-source s3:x-amz-grant-read s3:x-amz-grant-write s3:x-amz-server-side-encryption " +
		"s3:x-amz-server-side-encryption-aws-kms-key-id s3:x-amz-storage-class s3:object-lock-mode s3:authType s3:signatureAge " +
		"s3:x-amz-content-sha256 s3:TlsVersion s3:ResourceAccount s3:RequestObjectTag/a s3:RequestObjectTagKeys s3:if-none-match")
}

func each[T any](list []T, of func(T) statement) []statement {
	var out []statement
	for _, x := range list {
		out = append(out, of(x))
	}
	return out
}

func numbers(from, to int) []int {
	var out []int
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

// grantAll grants CloudTrail all that it may ask for, for whomever it acts.
func grantAll() []statement {
	return []statement{
		{"Effect": "Allow", "Principal": service(), "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::logs-b"},
		{"Effect": "Allow", "Principal": service(), "Action": "s3:PutObject", "Resource": key("AWSLogs/*")},
	}
}

// documentedFor is what AWS documents, and more.
func documentedFor(more ...[]statement) []statement {
	out := []statement{grantACL(), grantWrite(key("AWSLogs/%s/*", Account))}
	for _, list := range more {
		out = append(out, list...)
	}
	return out
}

// Families are all of them.
func Families() []Family {
	rnd := rand.New(rand.NewPCG(1, 2))
	one := func(of string) string { return string(of[rnd.IntN(len(of))]) }
	a := func() string { return "a" }
	ab := func() string { return one("ab") }
	var alphabet []string
	for _, r := range letters {
		alphabet = append(alphabet, string(r))
	}
	regions := trail.Regions("aws")
	org := func(more ...[]statement) []statement {
		return documentedFor(append([][]statement{{grantWrite(key("AWSLogs/%s/*", Organization))}}, more...)...)
	}
	date := func(n int) (month, day int) { return n/31%12 + 1, n%31 + 1 }
	join := func(n int, part func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(part(i))
		}
		return b.String()
	}
	list := func(n int, part func(i int) string) []string {
		var out []string
		for i := range n {
			out = append(out, part(i))
		}
		return out
	}
	return []Family{
		// What careful owners write.
		{Name: "100 members denied", Honest: true, Organization: true, Steps: 300, statements: org(each(numbers(0, 100), func(i int) statement {
			return denyWrite(key("AWSLogs/%s/%d/*", Organization, 222200000000+i), when("StringNotEquals", "aws:PrincipalServiceName", trail.ServicePrincipal))
		}))},
		{Name: "100 members, one open key", Honest: true, Organization: true, Steps: 2_000, statements: org(each(numbers(0, 100), func(i int) statement {
			return denyWrite(key("AWSLogs/%s/%d/*", Organization, 222200000000+i), when("StringEquals", "aws:PrincipalType", fmt.Sprint("T", i)))
		}))},
		{Name: "74 years granted", Honest: true, Steps: 2_000, statements: []statement{grantACL(), grantWrite(list(74, func(i int) string { return key("AWSLogs/%s/*/%d/*", Account, 2026+i) }))}},
		{Name: "years and regions granted", Honest: true, Steps: 2_500, statements: []statement{grantACL(), grantWrite(list(150, func(i int) string {
			return key("AWSLogs/%s/CloudTrail/%s/%d/*", Account, regions[i%17], 2026+i/17)
		}))}},
		{Name: "dates denied", Honest: true, Steps: 1_000, statements: documentedFor(each(numbers(0, 100), func(i int) statement {
			month, day := date(4 * i)
			return denyWrite(key("AWSLogs/%s/CloudTrail/*/2026/%02d/%02d/*", Account, month, day), when("DateGreaterThan", "aws:CurrentTime", fmt.Sprintf("2026-%02d-%02dT00:00:00Z", month, min(day, 28))))
		}))},
		{Name: "72 months, one open key", Honest: true, Steps: 2_000, statements: documentedFor(each(numbers(0, 72), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%d/%02d/*", 2024+i/12, i%12+1), when("StringEquals", "aws:UserAgent", fmt.Sprint("agent-", i)))
		}))},
		{Name: "72 months, one closed key", Honest: true, Steps: 1_000, statements: documentedFor(each(numbers(0, 72), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%d/%02d/*", 2024+i/12, i%12+1), when("ArnEquals", "aws:PrincipalArn", fmt.Sprintf("arn:aws:iam::%s:role/r%d", Account, i)))
		}))},
		{Name: "72 months of an organization, one open key", Honest: true, Organization: true, Steps: 3_000, statements: org(each(numbers(0, 72), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%d/%02d/*", 2024+i/12, i%12+1), when("StringEquals", "aws:UserAgent", fmt.Sprint("agent-", i)))
		}))},
		{Name: "years of an organization's regions, one open key", Honest: true, Organization: true, Steps: 4_500, statements: org(each(numbers(0, 70), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%s/%d/*", regions[i%7], 2024+i/7), when("StringEquals", "aws:UserAgent", fmt.Sprint("agent-", i)))
		}))},
		{Name: "70 patterns, one closed key", Honest: true, Steps: 1_000, statements: documentedFor(each(numbers(0, 70), func(i int) statement {
			return denyWrite(key("AWSLogs/*%s%d*", one(letters), i), when("StringLike", "aws:PrincipalArn", fmt.Sprintf("*:role/%s*%d", one(letters), i)))
		}))},
		{Name: "70 patterns, one key from both sides", Honest: true, Steps: 7_500, statements: documentedFor(each(numbers(0, 70), func(i int) statement {
			c := when("StringNotLike", "aws:UserAgent", fmt.Sprintf("*%s%d*", one(letters), i))
			c["StringLike"] = map[string]any{"aws:UserAgent": one(letters) + "*"}
			return denyWrite(key("AWSLogs/*%d*", i), c)
		}))},
		{Name: "long NotResource", Honest: true, Steps: 500, statements: documentedFor([]statement{butFor(denyWrite(append([]string{key("AWSLogs/%s/*", Account)}, list(300, func(i int) string {
			return key("team-%d/*/%s*", i, one(letters))
		})...), nil))})},
		{Name: "NotResource of regions and years", Honest: true, Steps: 4_500, statements: documentedFor([]statement{butFor(denyWrite(list(140, func(i int) string {
			return key("AWSLogs/%s/CloudTrail*/%s/%d/*", Account, regions[i%20], 2025+i/20)
		}), when("StringNotEquals", "aws:PrincipalType", "x")))})},
		{Name: "regions one by one, denied elsewhere", Honest: true, Steps: 4_500, statements: append(append([]statement{grantACL()}, each(regions[:21], func(r string) statement {
			return grantWrite(key("AWSLogs/%s/*/%s/*", Account, r))
		})...), butFor(denyWrite(list(21, func(i int) string { return key("AWSLogs/%s/*/%s/*", Account, regions[i]) }), nil)))},
		{Name: "a list of 900 values", Honest: true, Steps: 8_000, statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), when("StringNotEquals", "aws:UserAgent", list(900, func(i int) string { return fmt.Sprint("agent-", i) })...))})},
		{Name: "address ranges", Honest: true, Steps: 300, statements: documentedFor(each(numbers(0, 30), func(int) statement {
			return denyWrite(key("AWSLogs/*"), when("NotIpAddress", "aws:SourceIp", list(20, func(int) string { return fmt.Sprintf("%d.%d.0.0/16", 1+rnd.IntN(220), rnd.IntN(255)) })...))
		}))},
		{Name: "prefixes of an organization and years, one open key", Honest: true, Organization: true, Steps: 10_500, statements: org(each(numbers(26, 86), func(y int) statement {
			return denyWrite(key("AWSLogs/%s/*%d%d/CloudTrail/*/20%d/*", Organization, rnd.IntN(10), rnd.IntN(10), y), unknown(1, ab))
		}))},
		{Name: "members granted one by one", Honest: true, Organization: true, Steps: 6_000, statements: []statement{grantACL(), grantWrite(append(
			[]string{key("AWSLogs/%s/*", Account)}, list(330, func(i int) string { return key("AWSLogs/%s/%d/*", Organization, 222200000000+i) })...))}},
		{Name: "all but members denied", Honest: true, Organization: true, Steps: 1_500, statements: org([]statement{butFor(denyWrite(append(
			[]string{key("AWSLogs/%s/*", Account)}, list(330, func(i int) string { return key("AWSLogs/%s/%d/*", Organization, 222200000000+i) })...), nil))})},
		{Name: "12 trails", Honest: true, Trails: 12, Steps: 14_000, statements: append([]statement{grantACL(), {"Effect": "Allow", "Principal": service(), "Action": "s3:PutObject", "Resource": key("AWSLogs/*")}}, each(numbers(0, 72), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%d/%02d/*", 2024+i/12, i%12+1), when("StringEquals", "aws:UserAgent", fmt.Sprint("agent-", i)))
		})...)},

		{Name: "12 accounts granted, 72 months, one open key", Honest: true, Trails: 12, Steps: 7_500, statements: append(grantAll(), each(numbers(0, 72), func(i int) statement {
			return denyWrite(key("AWSLogs/*/%d/%02d/*", 2024+i/12, i%12+1), when("StringEquals", "aws:UserAgent", fmt.Sprint("agent-", i)))
		})...)},
		{Name: "1,000 accounts", Honest: true, Trails: 1_000, Steps: 2_000, statements: grantAll()},
		{Name: "1,000 trails of an account", Honest: true, Trails: 1_000, OneAccount: true, Steps: 1_000, statements: grantAll()},
		{Name: "1,000 accounts, transport and encryption", Honest: true, Trails: 1_000, Steps: 2_000, statements: append(grantAll(),
			denyWrite("*", when("Bool", "aws:SecureTransport", "false")),
			denyWrite("*", when("NumericLessThan", "s3:TlsVersion", "1.2")),
			denyWrite(key("*"), when("StringNotEqualsIfExists", "s3:x-amz-server-side-encryption", "AES256", "aws:kms")),
			denyWrite(key("*"), when("StringNotEquals", "aws:PrincipalServiceName", trail.ServicePrincipal)))},

		// Many of one thing.
		{Name: "patterns and keys, nothing allowed", statements: each(alphabet[:9], func(c string) statement { return denyWrite(key("AWSLogs/*%s*.json.gz", c), unknown(7, a)) })},
		{Name: "patterns and keys, documented", statements: documentedFor(each(alphabet[:8], func(c string) statement { return denyWrite(key("AWSLogs/*%s*.json.gz", c), unknown(7, a)) }))},
		{Name: "60 patterns and 20 keys", statements: documentedFor(each(numbers(0, 60), func(i int) statement {
			c := unknown(20, ab)
			return denyWrite(key("AWSLogs/*%s*%s*.json.gz", alphabet[i%8], alphabet[8+i/8]), c)
		}))},
		{Name: "patterns and half-known keys", statements: documentedFor(each(numbers(0, 52), func(i int) statement {
			c := unknown(5, a)
			c["StringLike"] = map[string]any{"aws:SourceAccount": Account, "aws:UserAgent": "*" + alphabet[i%26] + "*"}
			return denyWrite(key("AWSLogs/*%s*.json.gz", alphabet[i%26]), c)
		}))},
		{Name: "one statement of 100 patterns", statements: documentedFor([]statement{denyWrite(list(100, func(i int) string { return key("AWSLogs/*%s*%s*.gz", alphabet[i%10], alphabet[10+i/10]) }), unknown(7, a))})},
		{Name: "one statement of 100 patterns, nothing allowed", statements: []statement{denyWrite(list(100, func(i int) string { return key("AWSLogs/*%s*%s*.gz", alphabet[i%10], alphabet[10+i/10]) }), unknown(7, a))}},
		{Name: "nested stars", statements: documentedFor(each(numbers(1, 60), func(i int) statement { return denyWrite(key("AWSLogs/%s*", strings.Repeat("*a*b*", i)), unknown(2, a)) }))},
		{Name: "9,000 stars", statements: documentedFor([]statement{denyWrite(key("AWSLogs/%s", strings.Repeat("*a", 9_000)), nil)})},
		{Name: "18,000 question marks", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*%s", strings.Repeat("?", 18_000)), nil)})},
		{Name: "question marks everywhere", statements: documentedFor(each(numbers(0, 90), func(int) statement {
			return denyWrite(key("AWSLogs/%s*", join(12, func(int) string { return one("?*???") + one(letters) })), nil)
		}))},
		{Name: "question marks after stars", statements: documentedFor(each(numbers(0, 52), func(i int) statement {
			return denyWrite(key("AWSLogs/*%s%s*%s", alphabet[i%26], strings.Repeat("?", 4+i), alphabet[i%26]), unknown(2, a))
		}))},
		{Name: "random patterns", statements: documentedFor(each(numbers(0, 20), func(int) statement {
			return denyWrite(key("AWSLogs/%s*", join(8, func(int) string { return one("*?*") + one(letters) })), nil)
		}))},
		{Name: "exact lengths", statements: documentedFor(each(numbers(20, 140), func(n int) statement { return denyWrite(key("%s%s*", strings.Repeat("?", n), one("xyz")), nil) }))},
		{Name: "classes of long stars", statements: documentedFor(each(numbers(0, 60), func(i int) statement {
			return denyWrite(key("AWSLogs/*%s*%s*", strings.Repeat("?", 7*i), alphabet[i%26]), nil)
		}))},
		{Name: "bits of the random part", statements: append([]statement{grantACL()}, each(numbers(0, 60), func(i int) statement {
			return grantWrite(key("AWSLogs/%s/*%s%c%s.json.gz", Account, strings.Repeat("?", 14-i/4), "ab01"[i%4], strings.Repeat("?", i/4)))
		})...)},
		{Name: "the n-th from the end", statements: append([]statement{grantACL()}, each(numbers(0, 72), func(i int) statement {
			return grantWrite(key("AWSLogs/%s/*%c%s", Account, "ab01XY"[i%6], strings.Repeat("?", 8+i/6)))
		})...)},
		{Name: "NotResource of stars", statements: documentedFor(each(numbers(0, 52), func(i int) statement {
			return butFor(denyWrite([]string{key("AWSLogs/*%s*", alphabet[i%26]), key("*%s?%s*", alphabet[i%26], alphabet[i%26])}, unknown(2, a)))
		}))},
		{Name: "variables", statements: documentedFor(each(numbers(0, 50), func(i int) statement {
			return denyWrite(key("AWSLogs/*${aws:ResourceTag/t%d}*/${aws:userid}*", i), when("StringLike", "aws:userid", "*"+one(letters)+"*"))
		}))},
		{Name: "variables of known keys", statements: documentedFor(each(numbers(0, 60), func(i int) statement {
			return denyWrite(key("AWSLogs/*${aws:SourceAccount}*%s%d?*${aws:RequestedRegion}*", one(letters), i), unknown(2, ab))
		}))},

		{Name: "600 malformed variables", statements: documentedFor([]statement{denyWrite(list(600, func(i int) string { return key("AWSLogs/*${aws:k%d", i) }), nil)})},
		{Name: "600 malformed variables, all but denied", statements: documentedFor([]statement{butFor(denyWrite(list(600, func(i int) string { return key("AWSLogs/*${aws:k%d", i) }), nil))})},
		{Name: "malformed variables in one text", statements: documentedFor([]statement{denyWrite(key("AWSLogs/%s", strings.Repeat("${aws:userid", 1_500)), nil)})},
		{Name: "malformed variables in conditions", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), when("StringLike", "aws:userid", list(1_500, func(i int) string { return fmt.Sprint("*${a", i) })...))})},
		{Name: "malformed variables and keys", statements: documentedFor(each(numbers(0, 200), func(i int) statement {
			return denyWrite(key("AWSLogs/*${aws:k%d*", i), when("StringEquals", "aws:UserAgent", fmt.Sprint("a", i)))
		}))},

		// Cases of unknown keys.
		{Name: "1,000 keys", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), manyKeys("StringEquals", 0, 1_000, "a"))})},
		{Name: "1,000 keys, negated", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), manyKeys("StringNotEquals", 0, 1_000, "a"))})},
		{Name: "900 keys, two operators", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), map[string]any{
			"StringEquals": manyKeys("StringEquals", 0, 500, "a")["StringEquals"], "StringNotLike": manyKeys("StringNotLike", 0, 400, "b*")["StringNotLike"],
		})})},
		{Name: "900 keys, absent", statements: documentedFor([]statement{denyWrite(key("AWSLogs/*"), manyKeys("Null", 0, 900, "true"))})},
		{Name: "1,000 keys of an allow", statements: []statement{grantACL(), {
			"Effect": "Allow", "Principal": service(), "Action": "s3:PutObject", "Resource": key("AWSLogs/%s/*", Account), "Condition": manyKeys("StringEquals", 0, 1_000, "a"),
		}}},
		{Name: "200 keys in as many statements", statements: documentedFor(each(numbers(0, 200), func(i int) statement { return denyWrite(key("AWSLogs/*"), manyKeys("StringEquals", i, i+1, "a")) }))},
		{Name: "20 of 1,000 keys in each statement", statements: documentedFor(each(numbers(0, 60), func(int) statement {
			equals := map[string]any{}
			for _, k := range rnd.Perm(1_000)[:20] {
				equals[fmt.Sprint("aws:k", k)] = ab()
			}
			return denyWrite(key("AWSLogs/*"), map[string]any{"StringEquals": equals})
		}))},
		{Name: "keys of allows and denies", statements: append([]statement{grantACL()}, append(each(numbers(0, 50), func(i int) statement {
			s := grantWrite(key("AWSLogs/%s/*", Account))
			s["Condition"] = manyKeys("StringEquals", i, i+1, "a")
			return s
		}), each(numbers(0, 50), func(i int) statement { return denyWrite(key("*"), manyKeys("StringNotEquals", i, i+1, "a")) })...)...)},
		{Name: "keys that S3 knows", statements: documentedFor(each(numbers(0, 60), func(i int) statement {
			keys := map[string]any{}
			for _, k := range rnd.Perm(len(s3Keys()))[:8] {
				keys[s3Keys()[k]] = one(letters) + "*"
			}
			return denyWrite(key("AWSLogs/*%s%d*", one(letters), i), map[string]any{[]string{"StringEquals", "StringNotLike", "StringLike"}[i%3]: keys})
		}))},
		{Name: "pigeons, one too many", statements: documentedFor(pigeons(7, 6))},
		{Name: "pigeons that fit", statements: documentedFor(pigeons(7, 7))},
		{Name: "random cover by three tags", statements: documentedFor(each(numbers(0, 120), func(int) statement {
			c := map[string]any{}
			for _, k := range rnd.Perm(30)[:3] {
				c[fmt.Sprintf("aws:ResourceTag/x%d", k)] = one("tf")
			}
			return denyWrite(key("*"), map[string]any{"StringEquals": c})
		}))},
		{Name: "random cover by absence", statements: documentedFor(each(numbers(0, 120), func(int) statement {
			c := map[string]any{}
			for _, k := range rnd.Perm(30)[:3] {
				c[fmt.Sprintf("aws:ResourceTag/x%d", k)] = []string{"true", "false"}[rnd.IntN(2)]
			}
			return denyWrite(key("*"), map[string]any{"Null": c})
		}))},
		{Name: "allows by absence", statements: append([]statement{grantACL()}, each(numbers(0, 100), func(int) statement {
			c := map[string]any{}
			for _, k := range rnd.Perm(12)[:2] {
				c[fmt.Sprintf("aws:ResourceTag/x%d", k)] = []string{"true", "false"}[rnd.IntN(2)]
			}
			s := grantWrite(key("AWSLogs/%s/*%s*", Account, one(letters)))
			s["Condition"] = map[string]any{"Null": c}
			return s
		})...)},
		{Name: "allows by cases", statements: append(append([]statement{grantACL()}, each(numbers(0, 40), func(i int) statement {
			return grantWrite(key("AWSLogs/%s/*", Account), map[string]any{fmt.Sprintf("aws:ResourceTag/k%d", i): "a"})
		})...), statement{
			"Effect": "Allow", "Principal": service(), "Action": "s3:PutObject", "Resource": key("AWSLogs/%s/*", Account),
			"Condition": map[string]any{"StringNotEquals": unknown(40, a)["StringEquals"]},
		})},
		{Name: "a chain of implications", statements: documentedFor(each(numbers(0, 100), func(i int) statement {
			c := when("StringEquals", fmt.Sprintf("aws:ResourceTag/c%d", i), "a")
			c["StringNotEquals"] = map[string]any{fmt.Sprintf("aws:ResourceTag/c%d", i+1): "a"}
			return denyWrite(key("AWSLogs/*"), c)
		}), []statement{
			denyWrite(key("AWSLogs/*"), when("StringNotEquals", "aws:ResourceTag/c0", "a")),
			denyWrite(key("AWSLogs/*"), when("StringEquals", "aws:ResourceTag/c100", "a")),
		})},
		{Name: "one key, 500 inner patterns", statements: documentedFor(each(numbers(0, 55), func(int) statement {
			c := when("StringLike", "aws:UserAgent", list(5, func(i int) string { return fmt.Sprintf("*%s*%s%d*", one(letters), one(letters), i) })...)
			c["StringNotLike"] = map[string]any{"aws:UserAgent": list(5, func(int) string { return fmt.Sprintf("*%s?%s*", one(letters), one(letters)) })}
			return denyWrite(key("AWSLogs/*"), c)
		}))},
		{Name: "many operators on one key", statements: documentedFor(each(numbers(0, 40), func(int) statement {
			c := map[string]any{}
			for o := range strings.FieldsSeq("StringEquals StringNotEquals StringLike StringNotLike StringEqualsIfExists StringNotEqualsIfExists StringLikeIfExists StringNotLikeIfExists") {
				c[o] = map[string]any{"aws:UserAgent": []string{"*" + one(letters) + one(letters) + "*", one(letters) + "?"}}
			}
			return denyWrite(key("AWSLogs/*"), c)
		}))},
		{Name: "deep conditions", statements: documentedFor(each(numbers(0, 8), func(int) statement {
			c := map[string]any{}
			for j, o := range strings.Fields("StringEquals StringNotEquals StringLike StringNotLike StringEqualsIfExists ArnLike NumericLessThan DateLessThan Null IpAddress BinaryEquals") {
				keys := map[string]any{}
				for i := range 8 {
					keys[fmt.Sprintf("aws:ResourceTag/u%d", i)] = fmt.Sprint(one(letters), j)
				}
				c[o] = keys
			}
			return denyWrite(key("AWSLogs/*"), c)
		}))},
		{Name: "sets", statements: documentedFor(each(alphabet, func(c string) statement {
			return denyWrite(key("AWSLogs/*%s*", c), map[string]any{
				"ForAnyValue:StringEquals": map[string]any{"aws:CalledVia": []string{c, c + "2"}, "aws:SourceOrgPaths": []string{"o-" + c + "/r"}},
				"ForAllValues:StringLike":  map[string]any{"aws:PrincipalServiceNamesList": []string{"*" + c + "*"}},
			})
		}))},
		{Name: "sets with many classes", statements: documentedFor(each(alphabet, func(c string) statement {
			return denyWrite(key("AWSLogs/*"), map[string]any{
				"ForAnyValue:StringLike":     map[string]any{"aws:SourceOrgPaths": list(4, func(i int) string { return "*" + c + alphabet[i] + "*" })},
				"ForAllValues:StringNotLike": map[string]any{"aws:SourceOrgPaths": list(4, func(i int) string { return "*" + alphabet[4+i] + c + "*" })},
			})
		}))},
		{Name: "12 trails, patterns and keys", Trails: 12, statements: append([]statement{grantACL(), grantWrite(key("AWSLogs/*"))}, each(numbers(0, 52), func(i int) statement {
			return denyWrite(key("AWSLogs/*%s%d*.json.gz", alphabet[i%26], i/26), unknown(5, ab))
		})...)},
		{Name: "1,000 accounts, patterns and keys", Trails: 1_000, statements: append(grantAll(), each(numbers(0, 52), func(i int) statement {
			return denyWrite(key("AWSLogs/*%s%d*.json.gz", alphabet[i%26], i/26), unknown(5, ab))
		})...)},
		{Name: "old accounts and patterns", statements: append(append([]statement{grantACL()}, each(alphabet[:20], func(c string) statement {
			return denyWrite(key("AWSLogs/*%s*.json.gz", c), unknown(3, ab))
		})...), statement{
			"Effect": "Allow", "Principal": map[string]any{"AWS": []string{"arn:aws:iam::086441151436:root", "arn:aws:iam::475085895292:root", "arn:aws:iam::388731089494:root"}},
			"Action": "s3:PutObject", "Resource": key("AWSLogs/%s/*", Account),
		}, grantWrite(key("AWSLogs/%s/*", Account)))},
	}
}

// pigeons are Denies that cover all cases if there are more pigeons than
// holes.
func pigeons(pigeons, holes int) []statement {
	var all []string
	for h := range holes {
		all = append(all, fmt.Sprint(h))
	}
	var out []statement
	for p := range pigeons {
		out = append(out, denyWrite(key("*"), when("StringNotEquals", fmt.Sprintf("aws:ResourceTag/p%d", p), all...)))
		for q := range p {
			for _, h := range all {
				out = append(out, denyWrite(key("*"), map[string]any{"StringEquals": map[string]any{fmt.Sprintf("aws:ResourceTag/p%d", p): h, fmt.Sprintf("aws:ResourceTag/p%d", q): h}}))
			}
		}
	}
	return out
}
