package delivery

import (
	"fmt"
	"strings"
)

// NoTrailID is the id of the finding that an account has no trail.
const NoTrailID = "no-trail"

func noTrailType() FindingType {
	return FindingType{
		ID: NoTrailID, Title: "The account has no trail",
		Kind: Outage, Severity: Critical, Source: SourceTrails, Loss: LossEvents, Restored: RestoredNever,
		Causes: append(organizationCalls(), "DeleteTrail"),
		refusal: func(Finding) string {
			return "There is nothing in a policy to restore: the account has no trail."
		},
	}
}

// NoTrail is the finding for an account that sees no trail, neither one of its own
// nor one of its organization. [Judge] does not make it: it is about no bucket.
func NoTrail(account string) Finding {
	return noTrailType().complete(Finding{
		Message: fmt.Sprintf("Account %s has no trail, neither of its own nor of an organization, so that nothing is recorded of it "+
			"but the last 90 days of management events in each region's event history.", account),
		Remedy: "Make a trail of every region, with log file validation, that delivers into a bucket of a log archive: " +
			"aws cloudtrail create-trail, then start-logging; or let an organization trail cover the account.",
	})
}

// accountPrefix begins what stands in a bucket's place where a report, a record or an
// alert is about an account. No bucket has a colon in its name.
const accountPrefix = "account:"

// AccountSubject is what stands in a bucket's place for an account.
func AccountSubject(account string) string { return accountPrefix + account }

// AccountOf returns the account that stands in a bucket's place; ok is false if
// it is none.
func AccountOf(bucket string) (account string, ok bool) {
	return strings.CutPrefix(bucket, accountPrefix)
}
