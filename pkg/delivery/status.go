package delivery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// JudgeStatus adds to the report what CloudTrail itself says of its
// deliveries: trail-stopped and delivery-failing. It returns the new report.
//
// Both make the trail's verdict blocked, whatever the policy allows: nothing
// is delivered. The decisions on the requirements stay as they are. CloudTrail
// is slow to notice: its error stays until the next file is delivered, minutes
// after the policy is right again.
func JudgeStatus(r Report, trails []trail.Trail, statuses []trail.Status) Report {
	r.Trails, r.Findings = slices.Clone(r.Trails), slices.Clone(r.Findings)
	for _, status := range statuses {
		i := slices.IndexFunc(r.Trails, func(t TrailReport) bool { return t.ARN == status.ARN })
		if i < 0 {
			continue
		}
		found := statusFindings(r.Trails[i], status)
		if len(found) > 0 {
			r.Trails[i].Verdict = Blocked
			r.Findings = append(r.Findings, found...)
		}
	}
	order(r.Findings, trails)
	r.Verdict = worst(r.Trails)
	return r
}

// TrailDeleted is the finding for a trail that is gone.
func TrailDeleted(arn string) Finding {
	return Finding{
		ID: TrailDeletedID, Kind: Outage, Severity: Critical, Trail: arn, Statements: []string{},
		Message: fmt.Sprintf("Trail %s is deleted, so it records nothing more.", arn),
		Remedy:  "Create the trail again if it was not meant to go: aws cloudtrail create-trail, then start-logging. Events of the time between are in no file.",
	}
}

func statusFindings(t TrailReport, s trail.Status) []Finding {
	var out []Finding
	if !s.Logging {
		out = append(out, Finding{
			ID: TrailStoppedID, Kind: Outage, Severity: Critical, Trail: s.ARN, Statements: []string{},
			Message: fmt.Sprintf("Trail %s is stopped%s, so it records nothing.", s.ARN, since(s.StoppedLoggingAt)),
			Remedy:  fmt.Sprintf("Start it again: aws cloudtrail start-logging --name %s.", s.ARN),
		})
	}
	if s.DeliveryError == "" && s.DigestError == "" {
		return out
	}
	var codes []string
	if s.DeliveryError != "" {
		codes = append(codes, s.DeliveryError+" for log files")
	}
	if s.DigestError != "" {
		codes = append(codes, s.DigestError+" for digest files")
	}
	code := s.DeliveryError
	if code == "" {
		code = s.DigestError
	}
	cause, remedy := causes(code, t)
	return append(out, Finding{
		ID: DeliveryFailingID, Kind: Outage, Severity: Critical, Trail: s.ARN, Statements: []string{},
		Message: fmt.Sprintf("CloudTrail itself reports %s of trail %s%s: %s.", list(codes), s.ARN, lastDelivery(s), cause),
		Remedy:  remedy,
	})
}

// causes are the likely causes of an error code of S3 or KMS, set beside what
// the policy says.
// Source: the API reference of CloudTrail, GetTrailStatus, LatestDeliveryError.
func causes(code string, t TrailReport) (cause, remedy string) {
	switch {
	case strings.HasPrefix(code, "KMS"):
		return "the trail's KMS key refuses CloudTrail, or is disabled or deleted",
			"Enable the trail's KMS key and let its key policy allow kms:GenerateDataKey* and kms:DescribeKey to " + trail.ServicePrincipal + "."
	case code == "NoSuchBucket":
		return "the bucket does not exist",
			"Create the bucket again in the account that owned it, or give the trail another bucket."
	case code == "AccessDenied" && policyDenies(t):
		return "the bucket's policy denies it as well", "Mend the policy as the other findings say; CloudTrail then delivers within minutes."
	case code == "AccessDenied":
		return "the bucket's policy does not explain it, so the cause is likely the policy of the KMS key, a resource control policy of the organization, or a bucket of another owner",
			"Check the policy of the trail's KMS key, the organization's resource control policies, and who owns the bucket; if the policy was mended minutes ago, wait for the next delivery."
	default:
		return "S3 refuses it for a reason outside the bucket's policy",
			"Look up the error code among the errors of Amazon S3 and AWS KMS; check the bucket, the trail's KMS key and the organization's resource control policies."
	}
}

func policyDenies(t TrailReport) bool {
	return slices.ContainsFunc(t.Requirements, func(r RequirementReport) bool { return denied(r.Decision) })
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}

func lastDelivery(s trail.Status) string {
	if s.DeliveredAt.IsZero() {
		return ", and no delivery is known to have worked"
	}
	return ", and the last delivery was at " + s.DeliveredAt.UTC().Format(time.RFC3339)
}
