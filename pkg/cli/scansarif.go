package cli

import (
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// newScanSARIF returns the findings on what is after a change as a SARIF log. Each has a place in a
// file: the statement or resource that is to be mended, or the plan.
func newScanSARIF(all []scanned) sarifLog {
	type found struct {
		sarifFinding

		in scanned
		on scannedBucket
	}
	category := "scan/several"
	if len(all) == 1 {
		category = "scan/" + all[0].name()
	}
	run := newSARIFRun(category)
	var findings []found
	for _, s := range all {
		if s.partial != "" {
			run.warn(s.name() + " is not complete: " + s.partial)
		}
		for _, b := range s.buckets {
			for _, f := range b.all() {
				findings = append(findings, found{f, s, b})
			}
		}
	}
	findings = limited(&run, findings, func(f found) delivery.Severity { return f.Severity })
	prints := fingerprints{}
	for _, f := range findings {
		file, line := f.on.place(f.in, f.Finding)
		at := []sarifLocation{{
			sarifPhysical{sarifArtifact{fileURI(file)}, sarifRegion{line, 1, line, 2}},
			[]sarifLogical{{FullyQualifiedName: f.on.Address, Kind: "resource"}},
		}}
		result := run.addResult(f.Finding, f.on.Label, at, prints.of(f.on.Label, f.ID, f.Trail, f.fault))
		result.Properties["change"], result.Properties["before"], result.Properties["after"] = f.on.Change, f.on.Before, f.on.After
	}
	return run.log()
}

// all are the findings on a bucket, and what S3 would or may refuse of its policy in the form of
// findings.
func (b scannedBucket) all() []sarifFinding { return sarifFindings(b.overview()) }

// overview is the bucket as check has it.
func (b scannedBucket) overview() *bucketOverview {
	report := delivery.Report{Bucket: b.Label, Verdict: b.After, Findings: b.Findings, Faults: b.Faults, MaybeFaults: b.MaybeFaults}
	return &bucketOverview{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: b.Label}, Report: report}, accepted: b.accepted}
}

// place is the file and line of a finding: those of the source that was read, if there are no others.
func (b scannedBucket) place(s scanned, f delivery.Finding) (file string, line int) {
	o := b.Place(f)
	for _, sid := range f.Statements {
		if f.Target != "" {
			break // they are of another policy
		}
		if at, ok := b.statements[sid]; ok {
			return at.File, at.Line
		}
	}
	if o.File == "" {
		o = iac.Origin{File: s.name(), Line: 1}
	}
	return o.File, max(o.Line, 1)
}

// name is what the source is called.
func (s scanned) name() string {
	if s.source == "-" {
		return standardInput
	}
	return s.source
}
