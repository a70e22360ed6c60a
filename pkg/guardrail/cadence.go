package guardrail

import (
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// Most accounts of an organization have no trail of their own: CloudTrail is asked there only whether there is
// one now. So they are asked every few hours, and the others with each sweep. A call is a management event,
// which somebody may pay for.

const (
	// allAccountsEvery is how often every account is asked.
	allAccountsEvery = 6 * time.Hour
	// cadenceSlack is how much sooner an account may be due: sweeps do not begin to the minute.
	cadenceSlack = 30 * time.Minute
)

// due are those of the members that a sweep asks now: the ones with trails of their own, those that
// could not be read, that nobody has asked yet or whose trails an event told of, and of all
// others those that were not asked for long.
func (g *Guard) due(ids []string, known inventory.Part) []string {
	if g.ports.Members == nil {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		a := known.Accounts[id]
		return !a.Unreadable() && !a.OwnTrails() && a.Fresh(g.now(), allAccountsEvery-cadenceSlack)
	})
}

// age is how old what was read of an account may be before it does not count as known any more.
func (g *Guard) age(a inventory.Account) time.Duration {
	if g.ports.Members == nil {
		return g.config.InventoryAge
	}
	return ageOf(a, g.config.InventoryAge)
}

// ageOf is the age in an organization, for that of what each sweep asks.
func ageOf(a inventory.Account, sweep time.Duration) time.Duration {
	if a.OwnTrails() {
		return sweep
	}
	return sweep + allAccountsEvery
}
