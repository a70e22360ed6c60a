package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// homepage is where the project and the page on its findings are.
const (
	homepage     = alert.Project
	findingsPage = alert.FindingsPage
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

// mostSARIFResults is how many results GitHub takes in a run. It refuses a file
// with more.
// Source: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
const mostSARIFResults = 25_000

// The part of SARIF 2.1.0 that is used, of which GitHub refuses a file without
// the members that are always written here.
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails sarifAutomation   `json:"automationDetails"`
		Invocations       []sarifInvocation `json:"invocations"`
		ColumnKind        string            `json:"columnKind"`
		Results           []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name            string      `json:"name"`
		Version         string      `json:"version,omitempty"`
		SemanticVersion string      `json:"semanticVersion,omitempty"`
		InformationURI  string      `json:"informationUri"`
		Rules           []sarifRule `json:"rules"`
	}
	// sarifAutomation tells apart runs of one commit: without it a run for
	// another bucket would take the place of this one.
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		WorkingDirectory    *sarifArtifact      `json:"workingDirectory,omitempty"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
		Properties          map[string]any    `json:"properties"`
	}
)

// newSARIF returns the findings of an overview as a SARIF log that GitHub's code
// scanning takes: every result has a place in a file.
func newSARIF(o *overview, places sarifPlaces) sarifLog {
	run := newSARIFRun(places.category)
	var all []sarifFinding
	for i := range o.Buckets {
		all = append(all, sarifFindings(&o.Buckets[i])...)
	}
	all = limited(&run, all, func(f sarifFinding) delivery.Severity { return f.Severity })
	prints := fingerprints{}
	for _, f := range all {
		run.add(f, places, prints)
	}
	return run.log()
}

// newSARIFRun is a run without results. The category tells it from others of the same commit.
func newSARIFRun(category string) sarifRun {
	version := buildVersion()
	return sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "trailwarden", Version: version, SemanticVersion: semanticVersion(version),
			InformationURI: homepage, Rules: []sarifRule{},
		}},
		AutomationDetails: sarifAutomation{ID: "trailwarden/" + category + "/"},
		Invocations:       []sarifInvocation{{ExecutionSuccessful: true}},
		ColumnKind:        "utf16CodeUnits",
		Results:           []sarifResult{},
	}
}

// warn notes what a reader of the results has to know.
func (r *sarifRun) warn(text string) {
	r.Invocations[0].Notifications = append(r.Invocations[0].Notifications, sarifNotification{"warning", sarifText{text}})
}

// limited are the findings that GitHub takes, the most severe, and a note of what is left out.
func limited[T any](run *sarifRun, all []T, severity func(T) delivery.Severity) []T {
	more := len(all) - mostSARIFResults
	if more <= 0 {
		return all
	}
	slices.SortStableFunc(all, func(a, b T) int { return severity(a).Rank() - severity(b).Rank() })
	run.warn(fmt.Sprintf("%d more findings of the lowest severities are left out: GitHub refuses a longer file.", more))
	return all[:mostSARIFResults]
}

// log is the log of one run.
func (r sarifRun) log() sarifLog {
	if r.namesAbsolute() {
		r.Invocations[0].WorkingDirectory = workingDirectory()
	}
	return sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{r}}
}

// sarifFinding is a finding, or what else is wrong with a bucket in the form of
// one.
type sarifFinding struct {
	delivery.Finding
	bucket *bucketOverview
	// fault is what tells faults of one policy apart, and statement where it is:
	// an index, or -1.
	fault     string
	statement int
}

// sarifFindings are the findings of a bucket, and what else is wrong with it.
func sarifFindings(b *bucketOverview) []sarifFinding {
	var out []sarifFinding
	for _, f := range b.Report.Findings {
		out = append(out, sarifFinding{Finding: f, bucket: b, statement: -1})
	}
	faults, maybe := b.faultyStatements()
	for i, fault := range b.Report.Faults {
		out = append(out, sarifFinding{delivery.Finding{
			ID: invalidRule, Kind: delivery.Outage, Severity: delivery.High,
			Message: "S3 would refuse this policy: " + fault, Remedy: "Correct the policy.",
		}, b, fault, faults[i]})
	}
	for i, fault := range b.Report.MaybeFaults {
		out = append(out, sarifFinding{delivery.Finding{
			ID: doubtfulRule, Kind: delivery.Unknown, Severity: delivery.Informational,
			Message: "S3 may refuse this policy: " + fault, Remedy: "Write it as AWS documents it, or try it.",
		}, b, fault, maybe[i]})
	}
	if b.Err != nil {
		unjudged := delivery.Finding{
			ID: unjudgedRule, Kind: delivery.Unknown, Severity: delivery.High,
			Message: "The bucket could not be judged: " + b.Err.Error(), Remedy: "Try again, with credentials that may read it.",
		}
		if account, ok := delivery.AccountOf(b.Bucket.Name); ok {
			unjudged.Message, unjudged.Remedy = "Account "+account+" could not be read: "+b.Err.Error(), remedyUnread
		}
		out = append(out, sarifFinding{unjudged, b, "", -1})
	}
	return out
}

// add adds a finding.
func (r *sarifRun) add(f sarifFinding, places sarifPlaces, prints fingerprints) {
	r.addResult(f.Finding, f.bucket.Bucket.Name, places.of(f), prints.of(f.bucket.Bucket.Name, f.ID, f.Trail, f.fault))
}

// addResult adds a finding on a bucket at some places, and its rule when it is the rule's first. Own is
// what tells the result from all others.
func (r *sarifRun) addResult(f delivery.Finding, bucket string, at []sarifLocation, own string) *sarifResult {
	driver := &r.Tool.Driver
	rule := slices.IndexFunc(driver.Rules, func(s sarifRule) bool { return s.ID == f.ID })
	if rule < 0 {
		rule = len(driver.Rules)
		driver.Rules = append(driver.Rules, newSARIFRule(f))
	}
	message := f.Message
	if f.Remedy != "" {
		message += "\n\nRemedy: " + f.Remedy
	}
	if f.Edit != "" {
		message += "\n\n" + f.Edit
	}
	r.Results = append(r.Results, sarifResult{
		RuleID: f.ID, RuleIndex: rule, Level: sarifLevel(f.Severity), Message: sarifText{message},
		Locations: at,
		// GitHub tells results apart by the first alone, and works it out from the
		// line where it is missing: two faults of one line would be one.
		PartialFingerprints: map[string]string{"primaryLocationLineHash": own, "finding/v2": own},
		Properties: map[string]any{
			"bucket": bucket, "kind": f.Kind, "severity": f.Severity,
			"trail": f.Trail, "statements": orEmpty(f.Statements), "restorable": f.Restorable,
		},
	})
	return &r.Results[len(r.Results)-1]
}

func (r *sarifRun) namesAbsolute() bool {
	for _, result := range r.Results {
		for _, l := range result.Locations {
			if strings.HasPrefix(l.PhysicalLocation.ArtifactLocation.URI, "file:") {
				return true
			}
		}
	}
	return false
}

// workingDirectory is what GitHub makes absolute addresses relative to.
func workingDirectory() *sarifArtifact {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	return &sarifArtifact{absoluteURI(dir) + "/"}
}

func sarifLevel(s delivery.Severity) string {
	switch s {
	case delivery.Critical, delivery.High:
		return "error"
	case delivery.Medium:
		return "warning"
	case delivery.Low, delivery.Informational:
		return "note"
	}
	return "warning"
}
