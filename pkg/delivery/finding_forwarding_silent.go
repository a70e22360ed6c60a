package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ForwardingSilentID is the id of the finding that events of members do not come any more.
const ForwardingSilentID = "forwarding-silent"

func forwardingSilentType() FindingType {
	return FindingType{
		ID: ForwardingSilentID, Title: "Events of accounts do not come any more",
		Kind: Unknown, Severity: High, Source: SourceTrails, Loss: LossNone, Restored: RestoredNever,
		refusal: func(Finding) string {
			return "There is nothing in a policy to restore: the rule that forwards events is missing, or cannot send."
		},
	}
}

// Place is an account and a region from which events are forwarded.
type Place struct{ Account, Region string }

// Compare orders places by account, then by region.
func (p Place) Compare(other Place) int {
	return cmp.Or(strings.Compare(p.Account, other.Account), strings.Compare(p.Region, other.Region))
}

// ForwardingSilent is the finding for places, sorted, of which events came and come no more, though
// something was changed there. [Judge] does not make it: it is about no bucket.
func ForwardingSilent(places []Place) Finding {
	var accounts, named []string
	for _, p := range places {
		accounts = append(accounts, p.Account)
		named = append(named, fmt.Sprintf("%s in %s", p.Account, p.Region))
	}
	return forwardingSilentType().complete(Finding{
		Accounts: slices.Compact(accounts),
		Message: fmt.Sprintf("Events came from these accounts and come no more: %s. The sweep found a policy or a trail changed there of which no event told. "+
			"Until events come again, only the sweep notices what happens there.", firstNamed(named)),
		Remedy: "See in these accounts and regions whether the rules trailwarden-forward-* are there and enabled, whether their role may send to the hub's bus, " +
			"and what lies in their dead-letter queue. Let the StackSet put back what is missing. The next event that comes settles it.",
	})
}
