package delivery

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// What is told of a policy is data that anybody may have written. In a sentence
// it is shown so that it cannot be taken for the sentence's own words.

// Shown is a text of the policy as it stands in a sentence: as it is if it is
// one plain word, else quoted.
func Shown(text string) string {
	const most = 300
	plain := text != "" && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
	cut := strings.ToValidUTF8(text[:min(len(text), most)], "")
	if len(cut) < len(text) {
		cut += "…"
	}
	if plain {
		return cut
	}
	return strconv.Quote(cut)
}

// brief lists texts of the policy: all of up to four, the first three of more.
func brief(texts []string) string {
	var out []string
	for i, text := range texts {
		if i == 3 && len(texts) > 4 {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d others", len(texts)-i)
		}
		out = append(out, Shown(text))
	}
	return list(out)
}

// list joins texts as prose: "a, b and c".
func list(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// because adds a reason in brackets.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(reason, ".") + ")"
}

// names lists the bucket's trails for a sentence.
func (j *judgement) names() string {
	var names []string
	for _, t := range j.trails {
		names = append(names, trailName(t))
	}
	if len(names) == 1 {
		return "trail " + names[0]
	}
	return "trails " + list(names)
}

// trailName is what people call a trail; the account tells those of the same
// name apart.
func trailName(t trail.Trail) string {
	if t.Account() == "" {
		return cmp.Or(t.Name, t.ARN)
	}
	return fmt.Sprintf("%s of account %s", cmp.Or(t.Name, t.ARN), t.Account())
}

// operation says what CloudTrail does in a requirement.
func (j *judgement) operation(t trail.Trail, id trail.RequirementID) string {
	name, bucket := trailName(t), j.bucket.Name
	files := func(kind string) string {
		return fmt.Sprintf("write the %s files of trail %s to bucket %s", kind, name, bucket)
	}
	switch id {
	case trail.BucketACL:
		return fmt.Sprintf("check the ACL of bucket %s for trail %s", bucket, name)
	case trail.LogFiles:
		return files("log")
	case trail.DigestFiles:
		return files("digest")
	case trail.InsightsFiles:
		return files("Insights")
	case trail.NetworkActivityFiles:
		return files("network activity")
	case trail.AggregatedFiles:
		return files("aggregated")
	case trail.ManagementAccountFiles:
		return fmt.Sprintf("write to the management account's folder in bucket %s, as making or changing trail %s takes", bucket, name)
	case trail.PreflightMarker:
		return fmt.Sprintf("write its marker to bucket %s, as making or changing trail %s takes", bucket, name)
	case trail.KeyEncrypt:
		return fmt.Sprintf("encrypt the files of trail %s with %s", name, j.subject())
	case trail.KeyDescribe:
		return fmt.Sprintf("describe %s, as making or changing trail %s takes", j.subject(), name)
	case trail.KeyDecrypt:
		return fmt.Sprintf("decrypt with %s, as making or changing trail %s takes", j.subject(), name)
	case trail.TopicPublish:
		return fmt.Sprintf("tell %s of the files of trail %s", j.subject(), name)
	case trail.TopicKey:
		return fmt.Sprintf("use %s, as telling of the files of trail %s takes", j.subject(), name)
	}
	return string(id)
}

// subject is what has the policy that is judged.
func (j *judgement) subject() string {
	if j.part != nil {
		return j.part.subject()
	}
	return "bucket " + j.bucket.Name
}

// statementsDo begins a sentence about statements.
func statementsDo(names []string, one, many string) string {
	switch len(names) {
	case 0:
		return "Nothing " + one
	case 1:
		return "Statement " + Shown(names[0]) + " " + one
	default:
		return "Statements " + brief(names) + " " + many
	}
}

// statementsNamed names statements within a sentence.
func statementsNamed(names []string) string {
	if len(names) == 1 {
		return "statement " + Shown(names[0])
	}
	return "statements " + brief(names)
}

// statementNames is what people call the statements.
func statementNames(doc *policy.Document, indexes []int) []string {
	names := make([]string, len(indexes))
	for i, index := range indexes {
		names[i] = doc.Label(index)
	}
	return names
}
