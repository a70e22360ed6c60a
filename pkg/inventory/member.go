package inventory

import "slices"

// Member is an account of an organization, as AWS Organizations lists it.
type Member struct {
	ID    string
	Name  string // as its owner calls it; empty: it is not known
	State State
	// Units are the ids of the root and of the units below which it stands, from above; nil: not
	// known.
	Units []string
}

// State is how far an account is a member, in the words of AWS Organizations.
type State string

// Active is the state of an account that works. The others are PENDING_ACTIVATION,
// SUSPENDED, PENDING_CLOSURE and CLOSED: nobody may assume a role there, and CloudTrail is
// not asked.
const Active State = "ACTIVE"

// ActiveIDs are the ids of the accounts that work, sorted, each once.
func ActiveIDs(members []Member) []string {
	var ids []string
	for _, m := range members {
		if m.State == Active {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Range is a part of a sorted list of names, of accounts or of buckets: those that come
// after After, up to and with Through. Where one is empty the part has no end on that side.
// A name that is put into the list later is in one of its parts, too.
type Range struct {
	After   string `json:"after,omitempty"`
	Through string `json:"through,omitempty"`
}

// Has reports whether a name is in the part.
func (r Range) Has(name string) bool {
	return name > r.After && (r.Through == "" || name <= r.Through)
}

// Of returns the names that are in the part.
func (r Range) Of(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !r.Has(name) })
}

// Ranges cuts a sorted list into parts of so many names. All parts together have every
// name that there may be; of an empty list there is one.
func Ranges(names []string, size int) []Range {
	var parts []Range
	after := ""
	for i := size; i < len(names); i += size {
		parts = append(parts, Range{After: after, Through: names[i-1]})
		after = names[i-1]
	}
	return append(parts, Range{After: after})
}
