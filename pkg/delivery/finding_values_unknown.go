package delivery

import (
	"fmt"
	"strings"
)

// ValuesUnknownID is the id of the finding that a planned change does not tell what
// decides.
const ValuesUnknownID = "values-unknown"

func valuesUnknownType() FindingType {
	return FindingType{
		ID: ValuesUnknownID, Title: "What decides is known only after the change is made",
		Kind: Unknown, Severity: High, Source: SourceBucket, Loss: LossNone, Restored: RestoredNever, OfPlan: true,
		refusal: func(f Finding) string {
			return "What is not known is not mended. " + f.Message
		},
	}
}

// ValuesUnknown is the finding that whether CloudTrail can deliver into a bucket hangs on
// values that a plan or template does not tell. [Judge] does not make it: it is
// given what there is. Values say which these are, and what they refer to; there is
// at least one.
func ValuesUnknown(bucket string, values []string) Finding {
	return valuesUnknownType().complete(Finding{
		Message: fmt.Sprintf("Whether CloudTrail can deliver into %s hangs on what is not known before the change is made: %s.",
			bucket, someOf(values)),
		Remedy: "Write what decides in values that are known before, such as the bucket's name in place of its ARN, " +
			"or judge the bucket when the change is made: trailwarden audit.",
	})
}

// someOf joins texts as prose, the first of many.
func someOf(texts []string) string {
	const most = 5
	if len(texts) <= most {
		return strings.Join(texts, "; ")
	}
	return strings.Join(texts[:most], "; ") + fmt.Sprintf("; and %d more", len(texts)-most)
}
