package iac

import (
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// hidden is what of a judgement is not to be shown: the policy's text, or names of buckets
// and trails. It is judged all the same.
type hidden struct{ policy, names bool }

// notShown stands where a sentence would show what is sensitive.
const notShown = "What decides it is sensitive, and is not shown."

// shown returns the report as people may see it: with addresses in the place of names that
// were made up, and without what is sensitive.
func (r BucketReport) shown(j *judgement) BucketReport {
	for i := range r.Trails {
		r.Trails[i].TrailReport = j.showTrail(r.Trails[i].TrailReport)
	}
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		r.Findings[i] = j.showFinding(r.Findings[i])
	}
	r.Faults, r.MaybeFaults = j.showFaults(r.Faults), j.showFaults(r.MaybeFaults)
	return r
}

func (j *judgement) showTrail(t delivery.TrailReport) delivery.TrailReport {
	t.ARN = j.showARN(t.ARN)
	t.Requirements = slices.Clone(t.Requirements)
	for i := range t.Requirements {
		q := &t.Requirements[i]
		q.Resource, q.Why, q.Example = j.replace(q.Resource), j.replace(q.Why), j.replace(q.Example)
		if j.hidden != (hidden{}) {
			q.Why, q.Example, q.Statements = notShown, "", j.byIndex(q.Statements)
			q.Near, q.DependsOn = nil, nil
		}
		if j.hidden.names {
			q.Resource = ""
		}
	}
	return t
}

// showARN is the ARN of a trail, or its address.
func (j *judgement) showARN(arn string) string {
	if address := j.addresses[arn]; j.hidden.names && address != "" {
		return "<" + address + ">"
	}
	return j.replace(arn)
}

func (j *judgement) showFinding(f delivery.Finding) delivery.Finding {
	f.Trail, f.Chain = j.showARN(f.Trail), j.showARN(f.Chain)
	f.Message, f.Remedy, f.Edit = j.replace(f.Message), j.replace(f.Remedy), j.replace(f.Edit)
	// These are made of addresses.
	ours := f.ID == delivery.ValuesUnknownID || f.ID == delivery.PolicyContestedID || f.ID == delivery.TrailBeforePolicyID
	if j.hidden == (hidden{}) || ours {
		return f
	}
	known, _ := delivery.LookupType(f.ID)
	f.Statements = j.byIndex(f.Statements)
	f.Message, f.Remedy, f.Edit = known.Title+". "+notShown, "Look at the source of the policy.", ""
	return f
}

func (j *judgement) showFaults(faults []string) []string {
	faults = slices.Clone(faults)
	for i := range faults {
		if faults[i] = j.replace(faults[i]); j.hidden != (hidden{}) {
			return []string{notShown}
		}
	}
	return faults
}

// replace puts addresses in the place of names that were made up.
func (j *judgement) replace(text string) string { return shownNames(j.madeUp, text) }

// Shown is a text about the subject as people may see it: with addresses in the place of names that
// were made up.
func (r BucketReport) Shown(text string) string { return shownNames(r.madeUp, text) }

func shownNames(madeUp []replacement, text string) string {
	for _, r := range madeUp {
		text = strings.ReplaceAll(text, r.name, r.shown)
	}
	return text
}

// byIndex names statements by their indexes: a Sid is part of the policy's text.
func (j *judgement) byIndex(labels []string) []string {
	out := []string{}
	for _, label := range labels {
		if i := statementLabelled(j.Subject.Bucket.Policy, label); i >= 0 {
			label = "#" + strconv.Itoa(i)
		} else {
			label = "#?"
		}
		out = append(out, label)
	}
	return out
}

// statementLabelled is the index of the statement that people call so, or -1.
func statementLabelled(doc *policy.Document, label string) int {
	if doc == nil {
		return -1
	}
	for i := range doc.Len() {
		if doc.Label(i) == label {
			return i
		}
	}
	return -1
}
