package inventory_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// Whom a grant names counts for more than whose folder is there, in either order; and very many folders
// keep nobody out who is named.
func TestNamedBeforeSeen(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 13, 12, 0, 0, 0, time.UTC)
	var many []string
	for i := range 3 * inventory.MaxExpected {
		many = append(many, fmt.Sprintf("%012d", i+1))
	}
	named := []delivery.Grantee{{Account: "999999999999"}, {Account: "000000000002"}, {Account: "888888888888", Prefix: "p"}}
	empty := inventory.Bucket{Name: "b"}
	for name, b := range map[string]inventory.Bucket{
		"named, then seen": empty.Expecting(named, at).SeenIn(many, at.Add(time.Hour)),
		"seen, then named": empty.SeenIn(many, at).Expecting(named, at.Add(time.Hour)),
	} {
		if len(b.Grantees()) != 3 || len(b.SeenAccounts()) != inventory.MaxExpected-3 || b.FoldersAt.IsZero() {
			t.Errorf("%s: %v are named, and %d seen", name, b.Grantees(), len(b.SeenAccounts()))
		}
		if slices.Contains(b.SeenAccounts(), "000000000002") {
			t.Errorf("%s: one is seen that is named", name)
		}
		if !slices.IsSortedFunc(b.Expected, func(x, y inventory.Expected) int { return x.Compare(y.Grantee) }) {
			t.Errorf("%s: they are not sorted", name)
		}
		if left := b.Aged(at.Add(32 * 24 * time.Hour)); len(left.Expected) > 0 {
			t.Errorf("%s: %d are never forgotten", name, len(left.Expected))
		}
	}
}
