package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// LogsDeliveryFailingID is the id of the finding that CloudTrail reports an error of its last
// delivery to the trail's CloudWatch Logs group. Files in the bucket are not concerned.
const LogsDeliveryFailingID = "logs-delivery-failing"

func logsDeliveryFailingType() FindingType {
	return FindingType{
		ID: LogsDeliveryFailingID, Title: "CloudTrail itself reports that delivery to CloudWatch Logs fails",
		Kind: Weakness, Severity: Medium, Source: SourceStatus, Loss: LossNone, Restored: RestoredNever,
		Causes: trailCalls(),
		findStatus: func(_ TrailReport, s trail.Status) []Finding {
			if s.LogsError == "" {
				return nil
			}
			return []Finding{{
				Trail:   s.ARN,
				Message: fmt.Sprintf("CloudTrail itself reports %s of its delivery of trail %s to CloudWatch Logs.", s.LogsError, s.ARN) + filesArrive,
				Remedy: "Let the trail's role call logs:CreateLogStream and logs:PutLogEvents on the log streams of CloudTrail in the group, " +
					"and let it be assumed by " + trail.ServicePrincipal + "; look whether the group is there, and whether its key, if it has one, serves CloudWatch Logs.",
			}}
		},
	}
}
