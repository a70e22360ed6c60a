package asff

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Finding is a finding as BatchImportFindings takes it.
type Finding struct {
	SchemaVersion   string
	ID              string `json:"Id"`
	ProductArn      string
	GeneratorID     string `json:"GeneratorId"`
	AwsAccountID    string `json:"AwsAccountId"`
	Types           []string
	FirstObservedAt string `json:",omitempty"`
	LastObservedAt  string
	CreatedAt       string
	UpdatedAt       string
	Severity        Severity
	Title           string
	Description     string
	Remediation     *Remediation `json:",omitempty"`
	SourceURL       string       `json:"SourceUrl,omitempty"`
	ProductFields   map[string]string
	Resources       []Resource
	Compliance      Compliance
	Workflow        Workflow
	RecordState     string
	// What a provider says of these two; what a person writes over them stays.
	FindingProviderFields ProviderFields
}

// Severity is a severity of Security Hub's, which are the names of ours.
type Severity struct{ Label string }

// ProviderFields are the fields that a provider may update.
type ProviderFields struct {
	Severity Severity
	Types    []string
}

// Remediation is what to do.
type Remediation struct{ Recommendation Recommendation }

// Recommendation is a text and an address.
type Recommendation struct {
	Text string `json:",omitempty"`
	URL  string `json:"Url,omitempty"`
}

// Resource is what a finding is about.
type Resource struct {
	Type      string
	ID        string `json:"Id"`
	Partition string
	Region    string `json:",omitempty"`
}

// Compliance says whether CloudTrail can deliver, and which controls that touches.
type Compliance struct {
	Status              string
	RelatedRequirements []string `json:",omitempty"`
}

// Workflow is how far somebody is with the finding.
type Workflow struct{ Status string }

// The states of a workflow that are written here.
const (
	stateNew        = "NEW"
	stateResolved   = "RESOLVED"
	stateSuppressed = "SUPPRESSED"
)

// Settled reports whether the finding is settled, so that its workflow is to be written over
// that of the finding that Security Hub has.
func (f Finding) Settled() bool { return f.Workflow.Status != stateNew }

// Bounds of the format, in characters and items.
const (
	longestTitle       = 256
	longestDescription = 1024
	longestText        = 512
	longestField       = 2048
	mostResources      = 32
	mostRequirements   = 32
)

// FindingOf makes the finding of an alert. The alert is in JSON; account and region are those
// in which the finding is imported, which for findings of one's own have to be the caller's.
// The account of the bucket, which may be another one, is among the product's fields.
func FindingOf(alert []byte, account arn.Account, region arn.Region) (Finding, error) {
	n, err := read(alert)
	if err != nil {
		return Finding{}, err
	}
	partition := region.Partition()
	types := []string{"Software and Configuration Checks/AWS Security Best Practices"}
	severity := Severity{Label: n.severity()}
	f := Finding{
		SchemaVersion: "2018-10-08",
		ID:            n.Incident,
		ProductArn: "arn:" + string(partition) + ":securityhub:" + string(region) + ":" + string(account) +
			":product/" + string(account) + "/default",
		GeneratorID:           "trailwarden",
		AwsAccountID:          string(account),
		Types:                 types,
		LastObservedAt:        stamp(n.At),
		CreatedAt:             stamp(n.At),
		UpdatedAt:             stamp(n.At),
		Severity:              severity,
		Title:                 cut(cmp.Or(n.Subject, n.Summary, n.Incident), longestTitle),
		Description:           cut(n.description(), longestDescription),
		SourceURL:             cmp.Or(n.Links.Runbook, n.Links.Bucket, n.Links.Trail),
		ProductFields:         n.fields(),
		Resources:             n.resources(partition, region),
		Compliance:            Compliance{Status: n.compliance(), RelatedRequirements: n.controls()},
		Workflow:              Workflow{Status: n.workflow()},
		RecordState:           "ACTIVE",
		FindingProviderFields: ProviderFields{Severity: severity, Types: types},
	}
	if !n.Since.IsZero() && n.Since.Before(n.At) {
		f.FirstObservedAt, f.CreatedAt = stamp(n.Since), stamp(n.Since)
	}
	if len(n.Problems) > 0 {
		f.Remediation = &Remediation{Recommendation{Text: cut(n.Problems[0].Remedy, longestText), URL: n.Problems[0].Link}}
	}
	return f, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// severity is the alert's, or the highest where it is none of Security Hub's.
func (n notification) severity() string {
	switch s := delivery.Severity(n.Severity); s {
	case delivery.Critical, delivery.High, delivery.Medium, delivery.Low, delivery.Informational:
		return string(s)
	}
	return string(delivery.Critical)
}

func (n notification) settled() bool { return n.Action == "resolve" }

func (n notification) workflow() string {
	switch {
	case !n.settled():
		return stateNew
	case n.Accepted:
		return stateSuppressed
	}
	return stateResolved
}

// compliance is what the verdict is called there. A weakness is a failure too, of what was
// asked for, as long as it is not settled.
func (n notification) compliance() string {
	switch {
	case delivery.Verdict(n.Verdict) == delivery.Undetermined:
		return "WARNING"
	case n.settled() && !n.Accepted:
		return "PASSED"
	}
	return "FAILED"
}

// description is what an e-mail says first, in one paragraph.
func (n notification) description() string {
	parts := []string{n.Summary}
	for _, p := range n.Problems {
		parts = append(parts, p.Message)
	}
	if len(n.Lost) > 0 {
		parts = append(parts, "Lost: "+strings.Join(n.Lost, " "))
	}
	return cmp.Or(strings.TrimSpace(strings.Join(parts, " ")), n.Incident)
}

// fields are what a rule of Security Hub may ask for. A value may not be empty.
func (n notification) fields() map[string]string {
	all := map[string]string{
		"trailwarden/kind":     n.Kind,
		"trailwarden/incident": n.Incident,
		"trailwarden/revision": strconv.Itoa(n.Revision),
		"trailwarden/account":  n.Account,
		"trailwarden/verdict":  n.Verdict,
	}
	var ids []string
	for _, f := range n.Findings {
		if !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	all["trailwarden/findings"] = strings.Join(ids, ",")
	if len(n.Changes) > 0 {
		last := n.Changes[0]
		all["trailwarden/actor"], all["trailwarden/event"], all["trailwarden/eventId"] = last.Actor, last.Event, last.EventID
	}
	for name, value := range all {
		if strings.TrimSpace(value) == "" {
			delete(all, name)
			continue
		}
		all[name] = cut(value, longestField)
	}
	return all
}

// resources are the bucket and its trails. A finding needs one at least.
func (n notification) resources(partition arn.Partition, region arn.Region) []Resource {
	at := cmp.Or(n.Region, string(region))
	var all []Resource
	add := func(kind, id, region string) {
		if !slices.ContainsFunc(all, func(r Resource) bool { return r.ID == id }) {
			all = append(all, Resource{Type: kind, ID: id, Partition: string(partition), Region: region})
		}
	}
	const ofTrail = "AwsCloudTrailTrail"
	if _, ofAccount := delivery.AccountOf(n.Bucket); ofAccount {
		add("AwsAccount", "AWS::::Account:"+n.Account, at)
	} else if strings.HasPrefix(n.Bucket, "arn:") {
		add(ofTrail, n.Bucket, at)
	} else if arn.Bucket(n.Bucket).Valid() {
		add("AwsS3Bucket", arn.Bucket(n.Bucket).ARN(partition), at)
	}
	for _, t := range n.Trails {
		if parsed, err := arn.ParseTrail(t.ARN); err == nil {
			add(ofTrail, t.ARN, string(parsed.Region))
		}
	}
	if len(all) == 0 {
		add("Other", n.Incident, at)
	}
	return all[:min(len(all), mostResources)]
}

// controls are the controls of standards that the findings touch, as the catalogue has them.
func (n notification) controls() []string {
	var ids []string
	for _, f := range n.Findings {
		ids = append(ids, f.ID)
	}
	all := delivery.Controls(ids)
	return all[:min(len(all), mostRequirements)]
}

// cut shortens a text to a number of bytes, of which there are as many as characters or more,
// and says that it did.
func cut(text string, longest int) string {
	const mark = "…"
	if len(text) <= longest {
		return text
	}
	text = text[:longest-len(mark)]
	for text != "" && !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + mark
}
