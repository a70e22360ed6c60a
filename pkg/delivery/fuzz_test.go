package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// FuzzJudge judges whatever can be read as a policy.
func FuzzJudge(f *testing.F) {
	for _, c := range checks(f) {
		f.Add([]byte(c.Policy))
	}
	organization := mainTrail()
	organization.Organization = true
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := policy.Parse(text)
		if err != nil {
			return
		}
		for _, tr := range []trail.Trail{mainTrail(), organization} {
			b := delivery.Bucket{Name: "logs-b", Owner: "111111111111", State: delivery.PolicyRead, Policy: doc}
			checkReport(t, delivery.Judge(b, []trail.Trail{tr}, trail.Environment{Now: now()}))
		}
	})
}
