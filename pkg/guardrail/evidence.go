package guardrail

import (
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// evidence is what is known by which files of the trails must have arrived: the calls of earlier
// sweeps, which asked the accounts for their trails.
func evidence(t Target, obs observation, changed func(arn string) time.Time) delivery.Evidence {
	e := delivery.Evidence{Now: obs.at, Changed: map[string]time.Time{}, Asked: map[string]string{}}
	for _, r := range obs.readings {
		e.Changed[r.trail.ARN] = changed(r.trail.ARN)
		e.Asked[r.trail.ARN] = r.account
	}
	for id, a := range t.survey.known.Accounts {
		for _, s := range a.Sweeps {
			e.Calls = append(e.Calls, delivery.AccountCall{Account: id, Region: s.Region, At: s.At})
		}
	}
	return e
}

// withoutFile are the ARNs of trails that log, and of which no file has arrived since the team was
// told. A trail that records read events has log files of the sweeps; of another one digest files
// alone are certain to come.
func withoutFile(rec record, obs observation) []string {
	var arns []string
	for _, s := range obs.statuses {
		last := s.DeliveredAt
		for _, t := range obs.trails {
			unlogged, known := t.ManagementEvents()
			if t.ARN == s.ARN && (!known || unlogged.Reads) && s.DigestDeliveredAt.After(last) {
				last = s.DigestDeliveredAt
			}
		}
		if s.Logging && !last.After(rec.NotifiedAt) {
			arns = append(arns, s.ARN)
		}
	}
	return arns
}
