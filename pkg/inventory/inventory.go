package inventory

import (
	"slices"
	"sort"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Part is a part of the inventory: what is known of some accounts and buckets. One
// of which nothing is known is missing, or has nothing but its name.
type Part struct {
	Accounts map[string]Account // by id
	Buckets  map[string]Bucket  // by name
	// Organization is that of the account in which the guard runs, as it was at
	// OrganizationReadAt; the zero time: it was never read.
	Organization       trail.Organization
	OrganizationReadAt time.Time
}

// Account is what is known of an account's trails. It is stored as JSON.
type Account struct {
	ID string
	// Version counts the stores; 0: it was never stored. A store takes an account
	// only over the version that it was read at.
	Version int64
	// Trails are those that the account saw when it was last read: its own of all
	// regions, and those of its organization. Sorted by ARN. Of each is known what
	// its deliveries and notifications depend on, not its log group and its selectors.
	Trails []trail.Trail
	// ReadAt is when they were asked for; zero: they were never read.
	ReadAt time.Time
	// FailedAt is when reading them failed last; zero: it never did.
	FailedAt time.Time
	// ToldAt is the time of the last event that told of a change to a trail of the
	// account, where the account could not be read at once.
	ToldAt time.Time
	// Heard are the regions from which events of the account came, sorted.
	Heard []Heard
	// Sweeps are the last two sweeps that asked the account, newest first. Each was a call of
	// the account itself, that a trail which logs read events has recorded.
	Sweeps []Sweep
}

// Sweep is when a sweep asked an account for its trails, and in which region.
type Sweep struct {
	At     time.Time `json:"at"`
	Region string    `json:"r"`
}

// keptSweeps is how many sweeps an account keeps. One may be of this minute; files of the one
// before are there by now.
const keptSweeps = 2

// Bucket is what is known of the trails of a bucket. It is stored as JSON.
type Bucket struct {
	Name    string
	Version int64 // as that of an Account
	// Owner is the account that S3 has confirmed to own the bucket; empty: none.
	Owner string
	// SoughtAt is when all members of the organization were asked last whether they own
	// it; zero: they never were.
	SoughtAt time.Time
	// FoldersAt is when it was last looked whose folders are in it; zero: never.
	FoldersAt time.Time
	// Trails are those that were ever seen to deliver into the bucket and were not
	// shown to be gone. Sorted by ARN.
	Trails []Trail
	// Expected are those of whom deliveries are expected, while no trail of theirs
	// is known. Sorted.
	Expected []Expected
	// Apart is how many of the trails the store keeps apart from the rest, because
	// they are too many for one item. It is the store's own.
	Apart int
	// Indexed says that the bucket is found by the keys and topics that its trails use. What an
	// earlier version stored is not.
	Indexed bool
}

// Trail is a trail that delivers into a bucket.
type Trail struct {
	trail.Trail

	// By is the account that saw it last, and At when that was asked. Both are
	// empty for a trail that is declared.
	By string
	At time.Time
}

// Source is how a trail came to be known, or somebody who is expected.
type Source string

// The sources.
const (
	Listed       Source = "listed"       // its own account lists it
	Organization Source = "organization" // another account of its organization sees it
	Declared     Source = "declared"     // the owner of the guard says so; never stored
	Named        Source = "named"        // a grant of the bucket's policy names it
	Seen         Source = "seen"         // the bucket has a folder of its files
)

// Source returns how the trail came to be known.
func (t Trail) Source() Source {
	switch t.By {
	case "":
		return Declared
	case t.Account():
		return Listed
	default:
		return Organization
	}
}

// Unreadable reports whether the account could not be read when it was last
// asked. What is known of it is then as old as ReadAt.
func (a Account) Unreadable() bool { return a.FailedAt.After(a.ReadAt) }

// OwnTrails reports whether the account was last seen with a trail that is its own, and not one
// of another account of its organization.
func (a Account) OwnTrails() bool {
	return slices.ContainsFunc(a.Trails, func(t trail.Trail) bool { return t.Account() == a.ID })
}

// Fresh reports whether the account was read so short a time before, and after
// the last event of which it is known that it was not followed up. Events have times
// of whole seconds.
func (a Account) Fresh(now time.Time, age time.Duration) bool {
	return !a.ReadAt.IsZero() && now.Sub(a.ReadAt) <= age && !a.ReadAt.Before(a.ToldAt.Add(time.Second))
}

// After returns the account after an event at a time that told of a change to one
// of its trails. What was read before is then not fresh, whenever that is stored.
func (a Account) After(event time.Time) Account {
	if event.After(a.ToldAt) {
		a.ToldAt = event
	}
	return a
}

// Trail returns the trail of that ARN as the account saw it.
func (a Account) Trail(arn string) (t trail.Trail, ok bool) {
	i := sort.Search(len(a.Trails), func(i int) bool { return a.Trails[i].ARN >= arn })
	if i == len(a.Trails) || a.Trails[i].ARN != arn {
		return trail.Trail{}, false
	}
	return a.Trails[i], true
}

// Sees reports whether these are the trails that the account was last seen with, in
// whatever order.
func (a Account) Sees(trails []trail.Trail) bool {
	return slices.Equal(a.Trails, sorted(kept(trails)))
}

// sorted returns the trails by ARN, each once.
func sorted(trails []trail.Trail) []trail.Trail {
	trails = append([]trail.Trail(nil), trails...)
	// Not slices.SortFunc: it is compiled anew for each type, and that of trails is large.
	sort.SliceStable(trails, func(i, j int) bool { return trails[i].ARN < trails[j].ARN })
	var once []trail.Trail
	for i, t := range trails {
		if i == 0 || trails[i-1].ARN != t.ARN {
			once = append(once, t)
		}
	}
	return once
}

// Same reports whether both say the same of an account, at the same times.
func (a Account) Same(other Account) bool {
	sameSweep := func(x, y Sweep) bool { return x.At.Equal(y.At) && x.Region == y.Region }
	return a.ID == other.ID && slices.Equal(a.Trails, other.Trails) && slices.EqualFunc(a.Sweeps, other.Sweeps, sameSweep) &&
		a.ReadAt.Equal(other.ReadAt) && a.FailedAt.Equal(other.FailedAt) && a.ToldAt.Equal(other.ToldAt) &&
		slices.EqualFunc(a.Heard, other.Heard, Heard.equal)
}

// Buckets are the names of the buckets that the account's trails use, sorted.
func (a Account) Buckets() []string { return bucketsOf(a.Trails) }

func bucketsOf(trails []trail.Trail) []string {
	var names []string
	for _, t := range trails {
		names = append(names, t.Bucket)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Empty reports whether nothing is known that makes the bucket matter.
func (b Bucket) Empty() bool { return len(b.Trails) == 0 && len(b.Expected) == 0 }

// Same reports whether both say the same of a bucket, whenever they were read.
func (b Bucket) Same(other Bucket) bool {
	if b.Owner != other.Owner || b.Indexed != other.Indexed || !b.SoughtAt.Equal(other.SoughtAt) || !b.FoldersAt.Equal(other.FoldersAt) || len(b.Trails) != len(other.Trails) || len(b.Expected) != len(other.Expected) {
		return false
	}
	for i, t := range b.Trails {
		if t.Trail != other.Trails[i].Trail || t.By != other.Trails[i].By {
			return false
		}
	}
	for i, e := range b.Expected {
		if !e.same(other.Expected[i]) {
			return false
		}
	}
	return true
}

// Chain are the ARNs of the keys and topics that the bucket's trails use, sorted.
func (b Bucket) Chain() []string {
	var arns []string
	for _, t := range b.Trails {
		arns = append(arns, t.KMSKeyID, t.SNSTopic)
	}
	slices.Sort(arns)
	return slices.DeleteFunc(slices.Compact(arns), func(arn string) bool { return arn == "" })
}

// Using are the names of the buckets into which a trail that uses a key or a topic is known to
// deliver, sorted.
func (p Part) Using(arn string) []string {
	var names []string
	for _, a := range p.Accounts {
		for _, t := range a.Trails {
			if t.Uses(arn) {
				names = append(names, t.Bucket)
			}
		}
	}
	for name, b := range p.Buckets {
		if slices.ContainsFunc(b.Trails, func(t Trail) bool { return t.Uses(arn) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Without returns the bucket without a trail that somebody else has shown to be
// gone.
func (b Bucket) Without(arn string) Bucket {
	var trails []Trail
	for _, t := range b.Trails {
		if t.ARN != arn {
			trails = append(trails, t)
		}
	}
	b.Trails = trails
	return b
}

// Known are the trails of the bucket, without what is known of how they were seen.
func (b Bucket) Known() []trail.Trail {
	var trails []trail.Trail
	for _, t := range b.Trails {
		trails = append(trails, t.Trail)
	}
	return trails
}
