package cli

import (
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// acceptedFlag is the flag of the commands that take accepted weaknesses.
type acceptedFlag struct {
	Accepted string `placeholder:"FILE" help:"Weaknesses that are accepted, with reason, owner and last day: they do not move the exit status. An outage cannot be accepted."`
}

// acceptances reads the file, if one is given.
func (f acceptedFlag) acceptances(sys *system) ([]delivery.Acceptance, error) {
	if f.Accepted == "" {
		return nil, nil
	}
	s, err := sys.read(f.Accepted, maxAcceptedFile, delivery.ExpectAcceptances)
	if err != nil {
		return nil, err
	}
	entries, err := delivery.ParseAcceptances(s.text)
	if err != nil {
		return nil, s.errorf("%w", err)
	}
	return entries, nil
}

// accept takes what the file accepts out of the findings of an overview, and warns of
// entries that have ended or accept nothing. What is no weakness stays.
func (f acceptedFlag) accept(sys *system, o *overview, now time.Time) error {
	entries, err := f.acceptances(sys)
	if err != nil {
		return err
	}
	var all []delivery.AcceptedFinding
	judged := map[string]bool{}
	for i := range o.Buckets {
		b := &o.Buckets[i]
		report := b.Report
		report.Bucket = b.Bucket.Name
		report, b.accepted = delivery.Accept(report, entries, now)
		b.Report.Findings = report.Findings
		all = append(all, b.accepted...)
		judged[b.Bucket.Name] = true
	}
	// An audit sees all buckets of an account, so that an entry about another one is a slip.
	f.warn(sys, entries, all, func(a delivery.Acceptance) bool { return !a.OfPlan() && (judged[a.Bucket] || o.Account != "") }, now)
	return nil
}

// warn tells of entries that have ended or accept nothing.
func (f acceptedFlag) warn(
	sys *system, entries []delivery.Acceptance, accepted []delivery.AcceptedFinding, judged func(delivery.Acceptance) bool, now time.Time,
) {
	for _, sentence := range delivery.Idle(entries, accepted, judged, now) {
		printf(sys.stderr, "trailwarden: warning: %s\n", oneLine(f.Accepted+": "+sentence))
	}
}

// writeAccepted prints what is accepted.
func writeAccepted(s screen, buckets []bucketOverview) {
	for i := range buckets {
		for _, a := range buckets[i].accepted {
			s.printf("\n%s\n", s.paint(faint, clean(fmt.Sprintf("%s %s, accepted until %s", a.Severity, a.ID, a.By.Until))))
			s.hanging(2, "at     ", clean(buckets[i].Bucket.Name))
			s.hanging(2, "what   ", clean(a.Message))
			s.hanging(2, "why    ", clean(a.By.Reason+" ("+a.By.Owner+")"))
		}
	}
}
