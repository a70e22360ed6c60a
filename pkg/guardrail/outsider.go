package guardrail

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// maxOutsiders is how many trails, or accounts, from outside of the organization are named.
const maxOutsiders = 10

// outsiders name the trails of accounts that are no active members of the organization, with how they are known:
// nobody can list them, and nobody but their owners can mend them.
func (v survey) outsiders(trails []trail.Trail) []string {
	members := v.known.Organization.Members
	if !v.organized || len(members) == 0 {
		return nil
	}
	var named []string
	for _, t := range trails {
		if !slices.Contains(members, t.Account()) {
			named = append(named, fmt.Sprintf("%s of account %s (%s)", t.Name, t.Account(), v.origin(t)))
		}
	}
	if len(named) == 0 {
		return nil
	}
	slices.Sort(named)
	return []string{"Trails of accounts that are no active members of the organization deliver here: " + firstOutsiders(named) + "."}
}

// firstOutsiders names the first of them, and says how many more there are.
func firstOutsiders(names []string) string {
	if more := len(names) - maxOutsiders; more > 0 {
		names = append(slices.Clone(names[:maxOutsiders]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// origin says how a trail from outside is known.
func (v survey) origin(t trail.Trail) string {
	known := v.known.Buckets[t.Bucket].Trails
	i := slices.IndexFunc(known, func(k inventory.Trail) bool { return k.ARN == t.ARN })
	switch {
	case i < 0 && has(v.listed, t.ARN):
		return "account " + v.account + " sees it"
	case i < 0, known[i].Source() == inventory.Declared:
		return "declared"
	case known[i].Source() == inventory.Organization:
		return "account " + known[i].By + " sees it"
	}
	return "the account listed it at " + known[i].At.UTC().Format(time.RFC3339) + ", when it could be read"
}
