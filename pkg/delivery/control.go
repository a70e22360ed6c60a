package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Controls of standards that ask for what an outage takes away, spelled as Security
// Hub spells requirements. That a control is named does not mean that its check
// fails: no check of Security Hub asks whether CloudTrail can deliver. docs/findings.md
// has the source of each.
const (
	// That there is a multi-Region trail, that CloudTrail is enabled.
	controlMultiRegion = "Security Hub CloudTrail.1"
	controlEnabled     = "Security Hub CloudTrail.3"
	controlCISEnabled  = "CIS AWS Foundations Benchmark v1.4.0/3.1"
	controlGeneration  = "NIST.800-53.r5 AU-12"
	// That log files can be validated.
	controlValidation    = "Security Hub CloudTrail.4"
	controlCISValidation = "CIS AWS Foundations Benchmark v1.4.0/3.2"
	controlPCIValidation = "PCI DSS v3.2.1/10.5.5"
	// That audit information is protected.
	controlProtection = "NIST.800-53.r5 AU-9"
	// That a failure of audit logging is noticed and alerted.
	controlFailure    = "NIST.800-53.r5 AU-5"
	controlPCIFailure = "PCI DSS v4.0.1/10.7.2"
)

// Controls returns the controls that findings with these ids touch, each once. An id of
// another version touches none.
func Controls(ids []string) []string {
	var out []string
	for _, id := range ids {
		known, _ := LookupType(id)
		for _, control := range known.Controls {
			if !slices.Contains(out, control) {
				out = append(out, control)
			}
		}
	}
	return out
}

// controlsOf returns the controls that a type of finding touches, those that ask for
// most first. A weakness and what is not known touch none.
func controlsOf(t FindingType) []string {
	if t.Kind != Outage {
		return nil
	}
	var out []string
	switch {
	case t.Loss == LossEvents:
		out = append(out, controlMultiRegion, controlEnabled, controlCISEnabled, controlGeneration)
	case t.Loss == LossWrites:
		out = append(out, controlMultiRegion, controlCISEnabled, controlGeneration)
	case t.Family == DeniedFamily && t.Requirement == trail.DigestFiles:
		out = append(out, controlValidation, controlCISValidation, controlPCIValidation, controlProtection)
	case t.ID == BucketOwnerChangedID:
		out = append(out, controlProtection)
	}
	return append(out, controlFailure, controlPCIFailure)
}
