package delivery

import "fmt"

// GrantWithoutTrailID is the id of the finding that CloudTrail may write into a
// bucket that no known trail uses.
const GrantWithoutTrailID = "grant-without-trail"

func grantWithoutTrailType() FindingType {
	return FindingType{
		ID: GrantWithoutTrailID, Title: "CloudTrail may write into a bucket that no known trail uses",
		Kind: Weakness, Severity: Low, Source: SourcePolicy, Loss: LossNone, Restored: RestoredNever,
		findUnused: (*judgement).grantWithoutTrail,
	}
}

func (j *judgement) grantWithoutTrail() []Finding {
	if j.doc == nil {
		return nil
	}
	indexes := grantsOf(j.doc)
	if len(indexes) == 0 {
		return nil
	}
	names := statementNames(j.doc, indexes)
	whom := ""
	if named := Grantees(j.doc, j.bucket.Name); len(named) > 0 {
		whom = " for " + briefly(named)
	}
	return []Finding{{
		Statements: names,
		Message: fmt.Sprintf("%s CloudTrail write into bucket %s%s, and no trail is known that delivers there.",
			statementsDo(names, "lets", "let"), j.bucket.Name, whom),
		Remedy: "If trails of other accounts use the bucket, declare them or let their accounts be read. If none does, remove the grant.",
	}}
}

// briefly names grantees for a sentence.
func briefly(named []Grantee) string {
	var texts []string
	for i, g := range named {
		if i == 3 && len(named) > 4 {
			texts = append(texts, fmt.Sprintf("%d others", len(named)-i))
			break
		}
		texts = append(texts, g.String())
	}
	return list(texts)
}
