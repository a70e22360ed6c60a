package delivery

import (
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// LegacyAccountsID is the id of the finding that a grant names the accounts
// that CloudTrail had in each region before it had a service principal.
const LegacyAccountsID = "legacy-account-principals"

func legacyAccountsType() FindingType {
	return FindingType{
		ID: LegacyAccountsID, Title: "A grant names CloudTrail's old accounts instead of the service",
		Kind: Weakness, Severity: Medium, Source: SourcePolicy, Loss: LossNone, Restored: RestoredByHardening,
		find: (*judgement).legacyAccounts,
	}
}

func (j *judgement) legacyAccounts() []Finding {
	var indexes []int
	var regions []string
	for _, index := range legacyStatements(j.doc) {
		st := j.doc.At(index)
		if st.Effect != policy.Allow || st.Principals.Not {
			continue
		}
		indexes = append(indexes, index)
		for _, p := range st.Principals.Entries {
			if region, ok := trail.LegacyRegion(p.Value); ok && !slices.Contains(regions, region) {
				regions = append(regions, region)
			}
		}
	}
	if len(indexes) == 0 {
		return nil
	}
	slices.Sort(regions)
	names := statementNames(j.doc, indexes)
	return []Finding{{
		Statements: names, Indexes: indexes,
		Message: fmt.Sprintf("%s CloudTrail accounts of old policies, which serve %s only and no region opened since.",
			statementsDo(names, "names", "name"), few("region", regions, len(trail.Regions(j.trails[0].Partition())))),
		Remedy: fmt.Sprintf("Replace the account principals by {\"Service\": %q} and bind it by aws:SourceArn: "+
			"trailwarden plan --harden shows the change.",
			trail.ServicePrincipal),
	}}
}

// legacyStatements are the statements that name CloudTrail by its accounts of
// old policies.
func legacyStatements(doc *policy.Document) []int {
	var out []int
	for _, st := range doc.All() {
		if slices.ContainsFunc(st.Principals.Entries, isLegacy) {
			out = append(out, st.Index)
		}
	}
	return out
}

func isLegacy(p policy.Principal) bool {
	_, ok := trail.LegacyRegion(p.Value)
	return ok && p.Type == policy.AWS
}
