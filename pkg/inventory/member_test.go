package inventory_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// Every name is in one part and no other, also one that comes to be there later.
func TestRangesHaveEveryNameOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-c]{1,4}`), rapid.ID[string]).Draw(t, "names")
		slices.Sort(names)
		size := rapid.IntRange(1, 5).Draw(t, "size")
		parts := inventory.Ranges(names, size)
		for _, name := range append(names, rapid.StringMatching(`[a-d]{1,4}`).Draw(t, "later")) {
			in := 0
			for _, p := range parts {
				if p.Has(name) {
					in++
				}
			}
			if in != 1 {
				t.Fatalf("%s is in %d of %v", name, in, parts)
			}
		}
		for _, p := range parts {
			if n := len(p.Of(names)); n > size {
				t.Fatalf("%v has %d names", p, n)
			}
		}
	})
}

func TestPackedIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ids []string
		for _, n := range rapid.SliceOfDistinct(rapid.Uint64Range(0, 999_999_999_999), rapid.ID[uint64]).Draw(t, "ids") {
			ids = append(ids, fmt.Sprintf("%012d", n))
		}
		packed, err := inventory.Pack(ids)
		if err != nil {
			t.Fatal(err)
		}
		got, err := packed.IDs()
		slices.Sort(ids)
		if err != nil || !slices.Equal(ids, got) {
			t.Fatalf("%v became %v, %v", ids, got, err)
		}
	})
	for _, text := range []inventory.Packed{"!", "gA"} {
		if ids, err := text.IDs(); err == nil {
			t.Errorf("%q is read as %v", text, ids)
		}
	}
	if _, err := inventory.Pack([]string{"12"}); err == nil {
		t.Error("12 is packed as an account")
	}
}
