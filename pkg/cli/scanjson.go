package cli

import (
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// The JSON of a scan: an object for one source, a list of such for several.
type (
	scanJSON struct {
		Version  int              `json:"version"`
		Tool     toolJSON         `json:"tool"`
		Source   string           `json:"source"`
		Complete bool             `json:"complete"`
		Partial  string           `json:"partial,omitempty"` // why it is not complete
		Assumed  []string         `json:"assumed,omitempty"` // what was taken for true, such as defaults of parameters
		Buckets  []scanBucketJSON `json:"buckets"`
	}
	scanBucketJSON struct {
		Bucket      *string          `json:"bucket"` // null: the name is not known, or is sensitive
		Address     string           `json:"address"`
		File        string           `json:"file"`
		Line        int              `json:"line"`
		Before      delivery.Verdict `json:"before"`
		After       delivery.Verdict `json:"after"`
		Change      iac.Change       `json:"change"`
		Trails      []scanTrailJSON  `json:"trails"`
		Findings    []findingJSON    `json:"findings"`
		Accepted    []acceptedJSON   `json:"accepted,omitempty"`
		Unknown     []iac.Gap        `json:"unknown"`
		Sensitive   bool             `json:"sensitive,omitempty"`
		Faults      []string         `json:"faults,omitempty"`
		MaybeFaults []string         `json:"maybeFaults,omitempty"`
		Plan        *planJSON        `json:"plan,omitempty"`
		// Proposals are statements for the policies of the trails' keys and topics.
		Proposals []repair.Proposal `json:"proposals,omitempty"`
	}
	scanTrailJSON struct {
		delivery.TrailReport

		Address string `json:"address"` // empty: it is not in the plan
		// Admitted says that it is not known but for the policy, which admitted it before.
		Admitted bool `json:"admitted,omitempty"`
		// NotificationBefore is what notification was; absent: it had no topic, or was not there.
		NotificationBefore delivery.Verdict `json:"notificationBefore,omitempty"`
		// NotLookedAt is what else hangs on something: "key", "topic", "topic-key".
		NotLookedAt []string         `json:"notLookedAt,omitempty"`
		Before      delivery.Verdict `json:"before"`
		After       delivery.Verdict `json:"after"`
		Change      iac.Change       `json:"change"`
	}
)

func newScanJSON(all []scanned) any {
	out := []scanJSON{}
	for _, s := range all {
		out = append(out, newSourceJSON(s))
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

func newSourceJSON(from scanned) scanJSON {
	s := scanJSON{
		Version: formVersion, Tool: thisTool(), Source: from.source, Complete: from.partial == "", Partial: from.partial,
		Assumed: from.assumed, Buckets: []scanBucketJSON{},
	}
	for _, from := range from.buckets {
		b := scanBucketJSON{
			Address: from.Address, File: from.File, Line: from.Line, Before: from.Before, After: from.After, Change: from.Change,
			Trails: []scanTrailJSON{}, Unknown: orEmpty(from.Gaps), Sensitive: from.Sensitive,
			Faults: from.Faults, MaybeFaults: from.MaybeFaults, Proposals: from.proposals,
		}
		report := newReportJSON(delivery.Report{Findings: from.Findings}, from.accepted...)
		b.Findings, b.Accepted = report.Findings, report.Accepted
		if from.Bucket != "" {
			b.Bucket = &from.Bucket
		}
		if from.plan != nil {
			plan := newPlanJSON(*from.plan)
			b.Plan = &plan
		}
		for _, t := range from.Trails {
			report := newReportJSON(delivery.Report{Trails: []delivery.TrailReport{t.TrailReport}}).Trails[0]
			b.Trails = append(b.Trails, scanTrailJSON{report, t.Address, t.Admitted, t.NotificationBefore, t.NotLookedAt, t.Before, t.After, t.Change})
		}
		s.Buckets = append(s.Buckets, b)
	}
	return s
}
