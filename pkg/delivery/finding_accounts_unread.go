package delivery

import (
	"fmt"
	"strings"
)

// AccountsUnreadID is the id of the finding that accounts of the organization could not be
// read.
const AccountsUnreadID = "accounts-unread"

func accountsUnreadType() FindingType {
	return FindingType{
		ID: AccountsUnreadID, Title: "Accounts of the organization cannot be read",
		Kind: Unknown, Severity: High, Source: SourceTrails, Loss: LossNone, Restored: RestoredNever,
		refusal: func(Finding) string {
			return "There is nothing in a policy to restore: the role that reads is missing, or may not be assumed."
		},
	}
}

// maxNamed is how many accounts, or places, the sentence names.
const maxNamed = 20

// firstNamed names the first of them, and says how many more there are.
func firstNamed(names []string) string {
	text := strings.Join(names[:min(len(names), maxNamed)], ", ")
	if more := len(names) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// AccountsUnread is the finding for members of an organization that could not be asked for
// their trails, sorted, of so many. [Judge] does not make it: it is about no bucket.
func AccountsUnread(accounts []string, of int) Finding {
	message := fmt.Sprintf("%d of the %d accounts of the organization could not be asked for their trails: %s. "+
		"The trails that they were last seen with are watched as before; what was changed since, and new ones, are not seen.",
		len(accounts), of, firstNamed(accounts))
	if len(accounts) == of {
		message = fmt.Sprintf("None of the %d accounts of the organization could be asked for its trails. Either this account may assume "+
			"no role any more, or it is not in the organization. The trails that were seen last are watched as before.", of)
	}
	return accountsUnreadType().complete(Finding{
		Accounts: accounts,
		Message:  message,
		Remedy: "Let the StackSet put the reading role into these accounts, or see which policy (SCP, RCP) denies sts:AssumeRole. " +
			"The management account is in no StackSet and needs a stack of its own.",
	})
}

// organizationPrefix begins what stands in a bucket's place where a report, a record or an
// alert is about an organization.
const organizationPrefix = "organization:"

// OrganizationSubject is what stands in a bucket's place for an organization.
func OrganizationSubject(id string) string { return organizationPrefix + id }

// OrganizationOf returns the organization that stands in a bucket's place; ok is false if
// it is none.
func OrganizationOf(bucket string) (id string, ok bool) {
	return strings.CutPrefix(bucket, organizationPrefix)
}
