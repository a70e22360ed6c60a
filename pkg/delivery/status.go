package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// JudgeStatus adds to the report what CloudTrail itself says of its
// deliveries: the findings with [SourceStatus]. It returns the new report. The evidence is what
// the times of deliveries are held against.
//
// An outage among them makes the trail's verdict blocked, whatever the policy
// allows: nothing is delivered. The decisions on the requirements stay as they are. CloudTrail
// is slow to notice: its error stays until the next file is delivered, minutes
// after the policy is right again.
func JudgeStatus(r Report, trails []trail.Trail, statuses []trail.Status, e Evidence) Report {
	r.Trails, r.Findings = slices.Clone(r.Trails), slices.Clone(r.Findings)
	for _, status := range statuses {
		i := slices.IndexFunc(r.Trails, func(t TrailReport) bool { return t.ARN == status.ARN })
		if i < 0 {
			continue
		}
		found := statusFindings(r.Trails[i], status)
		if slices.ContainsFunc(found, func(f Finding) bool { return f.Kind == Outage }) {
			r.Trails[i].Verdict = Blocked
		}
		r.Findings = append(r.Findings, found...)
		if k := slices.IndexFunc(trails, func(t trail.Trail) bool { return t.ARN == status.ARN }); k >= 0 {
			r.Findings = append(r.Findings, evidentFindings(r.Trails[i], trails[k], status, e)...)
		}
	}
	order(r.Findings, trails)
	r.Verdict = worst(r.Trails)
	return r
}

func statusFindings(r TrailReport, s trail.Status) []Finding {
	var out []Finding
	for _, t := range Catalog() {
		if t.findStatus == nil {
			continue
		}
		for _, f := range t.findStatus(r, s) {
			out = append(out, t.complete(f))
		}
	}
	return out
}

func evidentFindings(r TrailReport, t trail.Trail, s trail.Status, e Evidence) []Finding {
	var out []Finding
	for _, known := range Catalog() {
		if known.findEvidence == nil {
			continue
		}
		for _, f := range known.findEvidence(r, t, s, e) {
			out = append(out, known.complete(f))
		}
	}
	return out
}
