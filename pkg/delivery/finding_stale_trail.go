package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// StaleTrailARNID is the id of the finding that a grant serves a trail that is
// gone.
const StaleTrailARNID = "stale-trail-arn"

func staleTrailARNType() FindingType {
	return FindingType{
		ID: StaleTrailARNID, Title: "A grant names a trail that is gone",
		Kind: Weakness, Severity: Low, Source: SourcePolicy, Loss: LossNone, Restored: RestoredNever,
		find: (*judgement).staleTrailARN,
	}
}

// staleTrailARN finds grants to trails that are gone. Only trails of accounts of which
// some trail was given are missed: of other accounts nothing is known.
func (j *judgement) staleTrailARN() []Finding {
	var indexes []int
	var gone []string
	for _, st := range j.doc.All() {
		if st.Effect != policy.Allow {
			continue
		}
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, "aws:SourceArn") || strings.Contains(c.Operator, "Not") {
				continue
			}
			for _, v := range c.Values {
				if !j.isGone(v) {
					continue
				}
				indexes = append(indexes, st.Index)
				if !slices.Contains(gone, v) {
					gone = append(gone, v)
				}
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	names := statementNames(j.doc, slices.Compact(indexes))
	return []Finding{{
		Statements: names,
		Message: fmt.Sprintf("%s %s, which is not among the known trails of its account.",
			statementsDo(names, "serves", "serve"), brief(gone)),
		Remedy: "Remove the trail's ARN from aws:SourceArn if the trail is gone.",
	}}
}

// isGone reports whether a value is the ARN of one trail, of an account whose
// trails are known, that is not there.
func (j *judgement) isGone(arn string) bool {
	if !strings.Contains(arn, ":cloudtrail:") || strings.ContainsAny(arn, "*?$") {
		return false
	}
	account := trail.Trail{ARN: arn}.Account()
	known := false
	for _, t := range j.known {
		if t.ARN == arn {
			return false
		}
		known = known || t.Account() == account
	}
	return known
}
