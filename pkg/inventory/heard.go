package inventory

import (
	"slices"
	"sort"
	"time"
)

// Heard is that events of an account came from a region: there is, or was, a rule that forwards
// them.
type Heard struct {
	Region string `json:"r"`
	// Last is when the last event came, or up to [HeardEvery] before that.
	Last time.Time `json:"at"`
	// SilentSince is when something was found to have changed there of which no event told;
	// zero: nothing, or events come again.
	SilentSince time.Time `json:"silent,omitzero"`
}

// HeardEvery is how often it is stored that events come. In a storm it is not stored for each.
const HeardEvery = 10 * time.Minute

func (h Heard) equal(other Heard) bool {
	return h.Region == other.Region && h.Last.Equal(other.Last) && h.SilentSince.Equal(other.SilentSince)
}

// HeardFrom returns what is known of events from a region.
func (a Account) HeardFrom(region string) (h Heard, ok bool) {
	i := slices.IndexFunc(a.Heard, func(h Heard) bool { return h.Region == region })
	if i < 0 {
		return Heard{}, false
	}
	return a.Heard[i], true
}

// Hear returns the account after an event of a region came. Where that is no news it is the same.
func (a Account) Hear(region string, now time.Time) Account {
	h, known := a.HeardFrom(region)
	if known && h.SilentSince.IsZero() && now.Sub(h.Last) < HeardEvery {
		return a
	}
	return a.withHeard(Heard{Region: region, Last: now})
}

// Silence returns the account with a change in a region, found at a time, of which no event told.
// That says nothing where no event ever came from there, or where one came at the time or later.
func (a Account) Silence(region string, since time.Time) Account {
	h, known := a.HeardFrom(region)
	if !known || !h.SilentSince.IsZero() || !h.Last.Add(HeardEvery).Before(since) {
		return a
	}
	h.SilentSince = since
	return a.withHeard(h)
}

func (a Account) withHeard(h Heard) Account {
	heard := slices.DeleteFunc(slices.Clone(a.Heard), func(other Heard) bool { return other.Region == h.Region })
	a.Heard = append(heard, h)
	sort.Slice(a.Heard, func(i, j int) bool { return a.Heard[i].Region < a.Heard[j].Region })
	return a
}
