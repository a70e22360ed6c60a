package alert

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// jsonVersion is the version of the JSON form. A new field does not change it.
const jsonVersion = 1

// document is the JSON form of an alert. docs/alert.schema.json describes it.
type document struct {
	Version       int               `json:"version"`
	Kind          Kind              `json:"kind"`
	Action        string            `json:"action"`
	Accepted      bool              `json:"accepted,omitempty"`
	Incident      string            `json:"incident,omitempty"`
	Revision      int               `json:"revision,omitempty"`
	Severity      delivery.Severity `json:"severity"`
	Subject       string            `json:"subject"`
	Summary       string            `json:"summary"`
	Bucket        string            `json:"bucket"`
	Account       string            `json:"account"`
	AccountName   string            `json:"accountName,omitempty"`
	Region        string            `json:"region"`
	At            *time.Time        `json:"at,omitempty"`
	Since         *time.Time        `json:"since,omitempty"`
	Verdict       delivery.Verdict  `json:"verdict"`
	VerdictBefore delivery.Verdict  `json:"verdictBefore,omitempty"`
	Trails        []trailDocument   `json:"trails"`
	Lost          []string          `json:"lost,omitempty"`
	Problems      []problem         `json:"problems"`
	Findings      []findingDocument `json:"findings"`
	Faults        []string          `json:"faults,omitempty"`
	Changes       []changeDocument  `json:"changes"`
	Noticed       *changeDocument   `json:"noticed,omitempty"`
	Statuses      []trail.Status    `json:"statuses"`
	Restoring     restoring         `json:"restoring"`
	Blind         bool              `json:"blind"`
	Next          []Step            `json:"next"`
	Diff          string            `json:"diff,omitempty"`
	Overwritten   *overwritten      `json:"overwritten,omitempty"`
	Links         links             `json:"links"`
	Notes         []string          `json:"notes,omitempty"`
	Omitted       map[string]int    `json:"omitted,omitempty"`
}

type trailDocument struct {
	ARN          string                `json:"arn"`
	Account      string                `json:"account"`
	Organization bool                  `json:"organization"`
	Verdict      delivery.Verdict      `json:"verdict"`
	Unmet        []requirementDocument `json:"unmet"`
}

type requirementDocument struct {
	ID         trail.RequirementID `json:"id"`
	Decision   policy.Outcome      `json:"decision"`
	Statements []string            `json:"statements"`
	Why        string              `json:"why"`
}

// changeDocument is a change without a time where none is known.
type changeDocument struct {
	delivery.Change
	Time *time.Time `json:"time,omitempty"`
}

type findingDocument struct {
	delivery.Finding
	Link string `json:"link"`
}

type restoring struct {
	OptedIn    bool             `json:"optedIn"`
	Done       []string         `json:"done"`
	Changes    []repair.Change  `json:"changes"`
	ResetPayer bool             `json:"resetPayer"`
	Refused    []repair.Refusal `json:"refused"`
	Failure    string           `json:"failure,omitempty"`
	Held       string           `json:"held,omitempty"`
	Repairs    int              `json:"repairs"`
	Window     int64            `json:"windowSeconds"`
}

type overwritten struct {
	Theirs string `json:"theirs"`
	Ours   string `json:"ours"`
}

// json writes the notice as one JSON object.
func (v *view) json(subject string) string {
	doc := document{
		Version:       jsonVersion,
		Kind:          v.Kind,
		Action:        v.action(),
		Accepted:      v.Accepted,
		Incident:      v.Incident,
		Revision:      v.Revision,
		Severity:      v.severity,
		Subject:       subject,
		Summary:       v.opening(),
		Bucket:        v.Report.Bucket,
		Account:       v.Account,
		AccountName:   v.AccountName,
		Region:        v.Region,
		At:            timePointer(v.At),
		Since:         timePointer(v.Since),
		Verdict:       v.Report.Verdict,
		VerdictBefore: v.before,
		Trails:        v.trailDocuments(),
		Lost:          v.lost(),
		Problems:      v.problems(),
		Findings:      v.findingDocuments(),
		Faults:        v.Report.Faults,
		Changes:       v.changeDocuments(),
		Statuses:      list(v.Statuses),
		Restoring: restoring{
			OptedIn:    v.OptedIn,
			Done:       list(v.done()),
			Changes:    list(v.Plan.Changes),
			ResetPayer: v.Plan.ResetPayer,
			Refused:    list(v.Plan.Refused),
			Failure:    v.Failure,
			Held:       v.Held,
			Repairs:    v.Repairs,
			Window:     int64(v.Window / time.Second),
		},
		Blind:   v.Blind,
		Next:    list(v.nextSteps()),
		Links:   v.links(),
		Diff:    strings.Join(v.diff, "\n"),
		Notes:   v.Notes,
		Omitted: v.omitted.byName(),
	}
	if v.Noticed != nil {
		doc.Noticed = &changeDocument{Change: *v.Noticed, Time: timePointer(v.Noticed.Time)}
	}
	if len(v.theirs) > 0 {
		doc.Overwritten = &overwritten{Theirs: strings.Join(v.theirs, "\n"), Ours: strings.Join(v.ours, "\n")}
	}
	return encode(doc)
}

func (v *view) trailDocuments() []trailDocument {
	docs := []trailDocument{}
	for _, t := range v.trails {
		unmet := []requirementDocument{}
		for _, r := range t.unmet {
			unmet = append(unmet, requirementDocument{ID: r.ID, Decision: r.Decision, Statements: list(r.Statements), Why: r.Why})
		}
		docs = append(docs, trailDocument{ARN: t.arn, Account: t.account, Organization: t.organization, Verdict: t.verdict, Unmet: unmet})
	}
	return docs
}

func (v *view) changeDocuments() []changeDocument {
	docs := []changeDocument{}
	for _, c := range v.Changes {
		docs = append(docs, changeDocument{Change: c, Time: timePointer(c.Time)})
	}
	return docs
}

func (v *view) findingDocuments() []findingDocument {
	docs := []findingDocument{}
	for _, f := range v.Report.Findings {
		f.Statements = list(f.Statements)
		docs = append(docs, findingDocument{Finding: f, Link: FindingURL(f.ID)})
	}
	return docs
}

// byName returns what was left out, by the name of its field.
func (o omitted) byName() map[string]int {
	all := map[string]int{
		"trails": o.trails, "findings": o.findings, "changes": o.changes, "statuses": o.statuses,
		"restoring.changes": o.planned, "restoring.refused": o.refused, "notes": o.notes,
		"diff": o.diff, "overwritten.theirs": o.theirs, "overwritten.ours": o.ours,
	}
	for name, n := range all {
		if n == 0 {
			delete(all, name)
		}
	}
	return all
}

// encode writes a value as indented JSON, with "<" as it is. The documents
// here hold nothing that JSON cannot hold: see instant.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return "{}\n"
	}
	return b.String()
}

func timePointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// list returns an empty list for none, which JSON tells from null.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
