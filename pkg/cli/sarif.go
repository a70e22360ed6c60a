package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// homepage is where the project and the page on its findings are.
const (
	homepage     = alert.Project
	findingsPage = alert.FindingsPage
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

// The findings that are no finding of a report: what S3 would refuse in a
// policy, what it may refuse, and a bucket that an audit could not judge.
const (
	invalidRule  = "policy-invalid"
	doubtfulRule = "policy-perhaps-invalid"
	unjudgedRule = "bucket-not-judged"
)

// The part of SARIF 2.1.0 that is used.
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string            `json:"id"`
		ShortDescription sarifText         `json:"shortDescription"`
		HelpURI          string            `json:"helpUri"`
		Properties       map[string]string `json:"properties"`
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
	sarifLocation struct {
		PhysicalLocation *sarifPhysical `json:"physicalLocation,omitempty"`
		LogicalLocations []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// newSARIF returns the findings of an overview as a SARIF log.
func newSARIF(o *overview) sarifLog {
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "trailwarden", Version: buildVersion(), InformationURI: homepage, Rules: []sarifRule{},
		}},
		ColumnKind: "utf16CodeUnits",
		Results:    []sarifResult{},
	}
	for i := range o.Buckets {
		b := &o.Buckets[i]
		for _, f := range sarifFindings(b) {
			run.add(b, f)
		}
	}
	return sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}
}

// sarifFindings are the findings of a bucket, and what else is wrong with it
// in the form of findings.
func sarifFindings(b *bucketOverview) []delivery.Finding {
	findings := slices.Clone(b.Report.Findings)
	for _, fault := range b.Report.Faults {
		findings = append(findings, delivery.Finding{
			ID: invalidRule, Kind: delivery.Unknown, Severity: delivery.Medium,
			Message: "S3 would refuse this policy: " + fault, Remedy: "Correct the policy.",
		})
	}
	for _, fault := range b.Report.MaybeFaults {
		findings = append(findings, delivery.Finding{
			ID: doubtfulRule, Kind: delivery.Unknown, Severity: delivery.Informational,
			Message: "S3 may refuse this policy: " + fault, Remedy: "Write it as AWS documents it, or try it.",
		})
	}
	if b.Err != nil {
		findings = append(findings, delivery.Finding{
			ID: unjudgedRule, Kind: delivery.Unknown, Severity: delivery.High,
			Message: "The bucket could not be judged: " + b.Err.Error(), Remedy: "Try again, with credentials that may read it.",
		})
	}
	return findings
}

// add adds a finding, and its rule when it is the rule's first.
func (r *sarifRun) add(b *bucketOverview, f delivery.Finding) {
	driver := &r.Tool.Driver
	rule := slices.IndexFunc(driver.Rules, func(s sarifRule) bool { return s.ID == f.ID })
	if rule < 0 {
		rule = len(driver.Rules)
		driver.Rules = append(driver.Rules, sarifRule{
			ID:               f.ID,
			ShortDescription: sarifText{ruleSummary(f.ID)},
			HelpURI:          ruleHelp(f.ID),
			Properties:       map[string]string{"security-severity": securitySeverity(f.Severity)},
		})
	}
	message := f.Message
	if f.Remedy != "" {
		message += "\n\nRemedy: " + f.Remedy
	}
	if f.Edit != "" {
		message += "\n\n" + f.Edit
	}
	r.Results = append(r.Results, sarifResult{
		RuleID: f.ID, RuleIndex: rule, Level: sarifLevel(f), Message: sarifText{message},
		Locations:           sarifLocations(b, f),
		PartialFingerprints: map[string]string{"finding/v1": fingerprint(b.Bucket.Name, f.ID, f.Trail)},
		Properties: map[string]any{
			"bucket": b.Bucket.Name, "kind": f.Kind, "severity": f.Severity,
			"trail": f.Trail, "statements": orEmpty(f.Statements), "restorable": f.Restorable,
		},
	})
}

// sarifLocations are the places of a finding: the bucket, and where it was
// judged from a file the lines of the responsible statements.
func sarifLocations(b *bucketOverview, f delivery.Finding) []sarifLocation {
	logical := []sarifLogical{{FullyQualifiedName: bucketARN(b), Kind: "resource"}}
	if b.file == nil || b.file.name == "standard input" {
		return []sarifLocation{{LogicalLocations: logical}}
	}
	lines := []int{}
	for _, name := range f.Statements {
		if index, ok := b.file.statement(name); ok {
			lines = append(lines, b.file.line(index))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, b.file.first)
	}
	var locations []sarifLocation
	for _, line := range lines {
		locations = append(locations, sarifLocation{
			PhysicalLocation: &sarifPhysical{sarifArtifact{fileURI(b.file.name)}, sarifRegion{line}},
			LogicalLocations: logical,
		})
	}
	return locations
}

// statement finds a statement by its Sid, or "#" and its index.
func (f *policyFile) statement(name string) (int, bool) {
	for i, s := range f.document.All() {
		if s.Sid == name && name != "" {
			return i, true
		}
	}
	index, err := strconv.Atoi(strings.TrimPrefix(name, "#"))
	return index, err == nil && strings.HasPrefix(name, "#") && index >= 0 && index < f.document.Len()
}

func bucketARN(b *bucketOverview) string {
	partition := arn.Commercial
	if len(b.Trails) > 0 {
		partition = cmp.Or(b.Trails[0].Partition(), partition)
	}
	return arn.Bucket(b.Bucket.Name).ARN(partition)
}

// fileURI is the URI of a file: relative if its path is.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(path))}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

func sarifLevel(f delivery.Finding) string {
	switch f.Severity {
	case delivery.Critical, delivery.High:
		return "error"
	case delivery.Medium:
		return "warning"
	case delivery.Low, delivery.Informational:
		return "note"
	}
	return "warning"
}

// securitySeverity is the score that code scanning sorts by: over 9 is
// critical, 7 to 8.9 high, 4 to 6.9 medium, below low.
func securitySeverity(s delivery.Severity) string {
	switch s {
	case delivery.Critical:
		return "9.5"
	case delivery.High:
		return "8.0"
	case delivery.Medium:
		return "5.5"
	case delivery.Low:
		return "2.0"
	case delivery.Informational:
		return "0.0"
	}
	return "5.5"
}

// ruleSummary says in a few words what a finding id is about.
func ruleSummary(id string) string {
	switch id {
	case invalidRule:
		return "S3 would refuse the policy"
	case doubtfulRule:
		return "S3 may refuse the policy"
	case unjudgedRule:
		return "The bucket could not be judged"
	}
	t, _ := delivery.LookupType(id)
	return cmp.Or(t.Title, id)
}

// ruleHelp is the address of a rule's page: that of the findings has a heading
// for each finding of a report.
func ruleHelp(id string) string {
	if id == invalidRule || id == doubtfulRule || id == unjudgedRule {
		return findingsPage
	}
	return alert.FindingURL(id)
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
