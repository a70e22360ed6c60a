package inventory

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Survey is what asking an account for its trails came to.
type Survey struct {
	Account string
	// At is the time before it was asked: what was changed later may be missing.
	At time.Time
	// Trails are all that the account sees.
	Trails []trail.Trail
	// Told are the ARNs of those of other accounts that somebody else tells of. They are
	// known of the account, and change no bucket: every member of an organization sees its
	// trails, which are to be stored once.
	Told []string
	// Region is where a sweep asked it; empty: it was another occasion.
	Region string
	// Failed says that it could not be read, so that Trails says nothing.
	Failed bool
}

// told reports whether somebody else tells of a trail.
func (s Survey) told(t trail.Trail) bool {
	return t.Account() != s.Account && slices.Contains(s.Told, t.ARN)
}

// news are the trails of which nobody else tells.
func (s Survey) news() []trail.Trail {
	if len(s.Told) == 0 {
		return s.Trails
	}
	return slices.DeleteFunc(slices.Clone(s.Trails), s.told)
}

// Accounts are those of which [Part.With] needs to know what is stored, to add the
// survey: the account itself, and the owners of the organization trails that it
// sees.
func (s Survey) Accounts() []string {
	ids := []string{s.Account}
	for _, t := range s.news() {
		ids = append(ids, t.Account())
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Concerned are the buckets of which [Part.With] needs to know what is stored, to add the
// survey, where the part has the survey's accounts: the buckets that its trails
// use, and those that they and the account used before.
func (p Part) Concerned(s Survey) []string {
	names := bucketsOf(s.news())
	for _, t := range p.Accounts[s.Account].Trails {
		if !s.told(t) {
			names = append(names, t.Bucket)
		}
	}
	for _, t := range s.news() {
		if before, ok := p.Accounts[t.Account()].Trail(t.ARN); ok {
			names = append(names, before.Bucket)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Without returns the part without some accounts.
func (p Part) Without(accounts []string) Part {
	p.Accounts = maps.Clone(p.Accounts)
	for _, id := range accounts {
		delete(p.Accounts, id)
	}
	return p
}

// And returns the part with more accounts and buckets. Those that are in both are as
// more has them, which was read later.
func (p Part) And(more Part) Part {
	accounts, buckets := map[string]Account{}, map[string]Bucket{}
	maps.Copy(accounts, p.Accounts)
	maps.Copy(accounts, more.Accounts)
	maps.Copy(buckets, p.Buckets)
	maps.Copy(buckets, more.Buckets)
	p.Accounts, p.Buckets = accounts, buckets
	if more.OrganizationReadAt.After(p.OrganizationReadAt) {
		p.Organization, p.OrganizationReadAt = more.Organization, more.OrganizationReadAt
	}
	return p
}

// With returns the part with what a survey says. Surveys may be added in any order,
// and more than once.
//
// A trail delivers into the bucket that it was last seen with. It is taken out if
// its own account was read since and does not list it there.
func (p Part) With(s Survey) Part {
	p.Accounts = maps.Clone(p.Accounts)
	if p.Accounts == nil {
		p.Accounts = map[string]Account{}
	}
	p.Accounts[s.Account] = p.Accounts[s.Account].with(s)
	if s.Failed {
		return p
	}
	var seen []Trail
	add := func(t Trail) {
		if !p.Accounts[t.Account()].disowns(t) {
			seen = append(seen, t)
		}
	}
	for _, b := range p.Buckets {
		for _, t := range b.Trails {
			add(t)
		}
	}
	// Of a survey that comes late, what it says of other accounts still counts.
	for _, t := range kept(s.news()) {
		add(Trail{Trail: t, By: s.Account, At: s.At})
	}
	buckets := map[string]Bucket{}
	for name, b := range p.Buckets {
		b.Trails = nil
		buckets[name] = b
	}
	for _, t := range lastSeen(seen) {
		b := buckets[t.Bucket]
		b.Name = t.Bucket
		b.Trails = append(b.Trails, t)
		buckets[t.Bucket] = b
	}
	for name, b := range buckets {
		b = b.withoutKnown()
		b.Indexed = len(b.Trails) > 0
		buckets[name] = b
	}
	p.Buckets = buckets
	return p
}

// with returns the account after the survey: that of the later time counts.
func (a Account) with(s Survey) Account {
	a.ID = s.Account
	switch {
	case s.Failed:
		if s.At.After(a.FailedAt) {
			a.FailedAt = s.At
		}
	case s.At.After(a.ReadAt):
		a.ReadAt = s.At
		a.Trails = sorted(kept(s.Trails))
	}
	if s.Region != "" && !s.Failed {
		a.Sweeps = swept(a.Sweeps, Sweep{At: s.At, Region: s.Region})
	}
	return a
}

// swept returns the sweeps with one more, in whatever order they come.
func swept(sweeps []Sweep, more Sweep) []Sweep {
	if slices.ContainsFunc(sweeps, func(s Sweep) bool { return s.At.Equal(more.At) }) {
		return sweeps
	}
	i := 0
	for i < len(sweeps) && sweeps[i].At.After(more.At) {
		i++
	}
	all := slices.Insert(slices.Clone(sweeps), i, more)
	return all[:min(len(all), keptSweeps)]
}

// disowns reports whether the trail's own account was read since the trail was
// seen, and does not list it with the bucket.
func (a Account) disowns(t Trail) bool {
	if a.ReadAt.IsZero() || a.ReadAt.Before(t.At) {
		return false
	}
	now, listed := a.Trail(t.ARN)
	return !listed || now.Bucket != t.Bucket
}

// lastSeen returns each trail as it was last seen, sorted by ARN. Where two
// accounts saw it at one time, it stays in both buckets; in one bucket it is as
// its own account saw it.
func lastSeen(seen []Trail) []Trail {
	foreign := func(t Trail) int {
		if t.Source() == Listed {
			return 0
		}
		return 1
	}
	sort.Slice(seen, func(i, j int) bool {
		x, y := seen[i], seen[j]
		return cmp.Or(strings.Compare(x.ARN, y.ARN), y.At.Compare(x.At), strings.Compare(x.Bucket, y.Bucket),
			cmp.Compare(foreign(x), foreign(y)), strings.Compare(x.By, y.By)) < 0
	})
	var last []Trail
	for i, t := range seen {
		switch {
		case i == 0 || seen[i-1].ARN != t.ARN: // the first of the trail
		case last[len(last)-1].At.After(t.At): // seen elsewhere since
			continue
		case last[len(last)-1].Bucket == t.Bucket: // the same
			continue
		}
		last = append(last, t)
	}
	return last
}
