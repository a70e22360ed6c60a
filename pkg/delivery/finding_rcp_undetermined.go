package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// RCPUndeterminedID is the id of the finding that it is not certain whether a resource control
// policy denies what CloudTrail asks for.
const RCPUndeterminedID = "rcp-undetermined"

func rcpUndeterminedType() FindingType {
	return FindingType{
		ID: RCPUndeterminedID, Title: "It is not certain whether a resource control policy of the organization denies CloudTrail",
		Kind: Unknown, OtherKinds: []Kind{Weakness}, Severity: Medium, OtherSeverities: []Severity{Low},
		Source: SourceRCP, Loss: LossNone, Restored: RestoredNever,
		Causes: append(rcpCalls(), trailCalls()...), refusal: refuseRCP,
	}
}

// rcpUndetermined is the finding of what may be denied, told by the worst of it.
func (p *chainPart) rcpUndetermined(t trail.Trail, open []*evaluation) Finding {
	e := foremost(open)
	x := p.exempt(e, p.blocking(e))
	x.open = false
	f := Finding{
		Statements: p.rcpStatements(open),
		Message:    fmt.Sprintf("Whether CloudTrail can %s is not certain: %s", p.operation(t, e.ID), lowerFirst(e.report().Why)),
		Remedy:     p.rcpRemedy(x), Edit: x.edit(),
	}
	f.Message += p.rcpNames(e)
	f.Message += besides(open, e, "Not certain besides: ")
	if e.ID == trail.KeyDescribe || e.ID == trail.KeyDecrypt {
		f.Kind, f.Severity = Weakness, Low
	}
	return f
}
