package guardrail

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// S3 tells nobody whose bucket it is but the owner. In an organization a central bucket
// belongs to an account that may have no trail at all. So the owner is sought: first where a
// trail of the bucket is from, then in every member, once a day for as long as nobody owns it.

const (
	// seekAgain is how long nobody is asked again for a bucket that no member owns: it is
	// of an account outside of the organization.
	seekAgain = 24 * time.Hour
	// seekersAtOnce is how many accounts are asked at once. Each is one call of AssumeRole,
	// of which STS takes 600 a second, and one of S3.
	seekersAtOnce = 20
)

// ownerKnown reports whether it is more than a guess whose bucket it is.
func (g *Guard) ownerKnown(v survey, bucket string) bool {
	return g.ports.Members == nil || g.config.Owners[bucket] != "" || v.known.Buckets[bucket].Owner != ""
}

// errOwnersLeft says that the time was not enough to ask all members.
var errOwnersLeft = errors.New("not all accounts could be asked which buckets they own")

// withOwners returns the survey with the owners of buckets of which they were not known, and
// stores them. It takes half of the time at most. What was not found out is a failure only where
// somebody could not be asked.
func (g *Guard) withOwners(ctx context.Context, v survey, names []string, s *sweepState) (survey, []error) {
	if g.ports.Members == nil || g.ports.Owners == nil {
		return v, nil
	}
	unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return g.ownerKnown(v, name) || len(v.into(name)) == 0
	})
	if len(unknown) == 0 {
		return v, nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		half, cancel := context.WithTimeout(ctx, deadline.Sub(g.now())/2)
		defer cancel()
		ctx = half
	}
	at := g.now().UTC()
	near := []string{v.account}
	for _, name := range unknown {
		for _, t := range v.into(name) {
			near = append(near, t.Account())
		}
	}
	near = slices.DeleteFunc(union(near, nil), func(id string) bool { return !slices.Contains(s.members, id) })
	owners, _ := g.seek(ctx, near, unknown)
	left := slices.DeleteFunc(slices.Clone(unknown), func(name string) bool {
		return owners[name] != "" || at.Sub(v.known.Buckets[name].SoughtAt) < seekAgain
	})
	var errs []error
	if len(left) > 0 {
		far := slices.DeleteFunc(union(s.members, nil), func(id string) bool { return slices.Contains(near, id) })
		more, err := g.seek(ctx, far, left)
		maps.Copy(owners, more)
		if err != nil {
			errs = append(errs, &ObserveError{Subject: "owners of buckets", Err: err})
			left = nil
		}
	}
	found := inventory.Part{Buckets: map[string]inventory.Bucket{}}
	for _, name := range unknown {
		b := v.known.Buckets[name]
		b.Name = name
		if b.Owner = owners[name]; b.Owner != "" || slices.Contains(left, name) {
			b.SoughtAt = at
			found.Buckets[name] = b
			errs = append(errs, g.learnOwner(ctx, b))
		}
	}
	v.known = v.known.And(found)
	return v, errs
}

// learnOwner stores whose bucket it is, or that nobody's was found.
func (g *Guard) learnOwner(ctx context.Context, known inventory.Bucket) error {
	return g.change(ctx, nil, func(inventory.Part) []string { return []string{known.Name} }, func(p inventory.Part) inventory.Part {
		b := p.Buckets[known.Name]
		b.Name, b.Owner, b.SoughtAt = known.Name, known.Owner, known.SoughtAt
		return p.And(inventory.Part{Buckets: map[string]inventory.Bucket{known.Name: b}})
	})
}

// seek asks accounts which of the buckets they own. The error is that not all of them were
// asked in time. One that may not be read owns nothing that could be read.
func (g *Guard) seek(ctx context.Context, accounts, names []string) (map[string]string, error) {
	owners := map[string]string{}
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(seekersAtOnce)
	for _, id := range accounts {
		all.Go(func() error {
			if ctx.Err() != nil {
				return errOwnersLeft
			}
			owned, err := g.ports.Owners.Owned(ctx, id)
			if err != nil && !Is(err, Denied) {
				return errOwnersLeft
			}
			mu.Lock()
			defer mu.Unlock()
			for _, name := range owned {
				if slices.Contains(names, name) {
					owners[name] = id
				}
			}
			return nil
		})
	}
	err := all.Wait()
	return owners, err
}

// withoutGuess takes it back that a bucket belongs to somebody else than was expected, where
// that was a guess. An audit of an organization makes its guesses itself.
func (g *Guard) withoutGuess(t Target, b delivery.Bucket) delivery.Bucket {
	_, audit := t.occasion.(organizationOccasion)
	if b.State == delivery.OtherOwner && !audit && !g.ownerKnown(t.survey, b.Name) {
		b.State, b.Reason = delivery.Unreadable, "it is not known which account owns the bucket; none of the organization does that may be read"
	}
	return b
}
