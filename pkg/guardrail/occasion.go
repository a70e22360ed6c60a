package guardrail

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// statusInterval keeps the reads of a sweep below the ten a second that
// CloudTrail allows an account, with room for others.
// Source: awscloudtrail userguide, WhatIsCloudTrail-Limits.html.
const statusInterval = 125 * time.Millisecond

// sweepState is what the reconciliations of one sweep, or of one step of it, share: the
// organization is read once, and CloudTrail is asked at a bounded rate.
type sweepState struct {
	directly

	run Runtime
	// listed are the records of the account, or why they could not be listed; a step that
	// has a part of them alone is partial.
	listed    []ledger.Record
	listedErr error
	partial   bool
	// left says that the account is known to have left its organization, so
	// that nobody can say which was its management account.
	left bool
	// members are the accounts that may be asked; nil: those of the inventory.
	members []string

	// readChain reads each key and topic once; nil: nobody reads them.
	readChain Chain

	// rulesRead are the resource control policies, once they were read.
	rulesRead kept[struct{}, inventory.RCPs]

	asking  sync.Mutex
	answers map[string]answer        // by account
	paces   map[string]*rate.Limiter // by account

	readOrganization sync.Once
	read             trail.Organization
	readErr          error
}

// sweepOccasion is a sweep as the occasion of a reconciliation.
type sweepOccasion struct {
	*sweepState

	// unnotified are trails that are gone, and of which the team could not be told.
	// They are known before a bucket is reconciled.
	unnotified []string
}

func (g *Guard) newSweepState(account string) *sweepState {
	return &sweepState{
		directly:  directly{ports: g.ports, account: account},
		answers:   map[string]answer{},
		paces:     map[string]*rate.Limiter{},
		run:       g.run,
		readChain: once(g.ports.Chain),
	}
}

// rcps reads the resource control policies once.
func (s *sweepState) rcps(ctx context.Context) (inventory.RCPs, error) {
	return s.rulesRead.get(struct{}{}, func() (inventory.RCPs, error) { return s.ports.rcps(ctx) })
}

// chain reads each key and topic once.
func (s *sweepState) chain(v survey) Chain { return s.within(s.readChain, v) }

func (s *sweepState) organization(ctx context.Context) (trail.Organization, error) {
	s.readOrganization.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, wantedTime)
		defer cancel()
		s.read, s.readErr = s.directly.organization(ctx)
	})
	return s.read, s.readErr
}

// serves says which organization it is, so that it is not asked for, and that its members
// may be asked, and nobody else.
func (s *sweepState) serves(o trail.Organization) {
	s.readOrganization.Do(func() { s.read = o })
	s.members = slices.Concat([]string{s.account}, o.Members)
}

// reads is the account itself, or in an organization the member that saw the trail last.
func (s *sweepState) reads(v survey, t trail.Trail) (account string, ok bool) {
	if account, ok = s.directly.reads(v, t); ok || s.members == nil {
		return account, ok
	}
	for _, known := range v.known.Buckets[t.Bucket].Trails {
		if known.ARN == t.ARN && known.By != "" {
			return known.By, slices.Contains(s.members, known.By) && !v.known.Accounts[known.By].Unreadable()
		}
	}
	return "", false
}

// answer is what an account that was asked for its trails came to.
type answer struct {
	at     time.Time // before it was asked
	trails []trail.Trail
	err    error
}

// errNoMember says that an account is not asked, since it is none of the organization.
var errNoMember = errors.New("the account is not an active one of the organization")

// errNotRead says that an earlier step could not read an account.
var errNotRead = errors.New("the account could not be read when it was asked last")

// ask asks another account for its trails, once.
func (s *sweepState) ask(ctx context.Context, g *Guard, account, region string) answer {
	s.asking.Lock()
	a, asked := s.answers[account]
	s.asking.Unlock()
	if asked {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	a.at = s.run.Now().UTC()
	if s.members != nil && !slices.Contains(s.members, account) {
		a.err = &PortError{Op: "sts:AssumeRole", Class: Denied, Err: errNoMember}
	} else {
		a.trails, a.err = g.ports.Trails.Trails(ctx, account, region)
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	s.answers[account] = a
	return a
}

// recall takes what the inventory has of accounts for their answers: an earlier step has
// asked them.
func (s *sweepState) recall(known inventory.Part) {
	for id, a := range known.Accounts {
		if id == s.account {
			continue
		}
		said := answer{at: a.ReadAt, trails: a.Trails}
		if a.ReadAt.IsZero() || a.Unreadable() {
			said.err = &PortError{Op: "cloudtrail:ListTrails", Class: Denied, Err: errNotRead}
		}
		s.answers[id] = said
	}
}

// sees reports whether another account sees a trail. An account that cannot be read says nothing,
// and what the trail's own account has said since goes before.
func (s *sweepState) sees(arn string) bool {
	s.asking.Lock()
	defer s.asking.Unlock()
	owner, asked := s.answers[accountOf(arn)]
	for _, a := range s.answers {
		outdated := asked && owner.err == nil && owner.at.After(a.at)
		if has(a.trails, arn) && a.err == nil && !outdated {
			return true
		}
	}
	return false
}

func (s *sweepState) records(ctx context.Context, list func(context.Context) ([]ledger.Record, error)) ([]ledger.Record, error) {
	if s.partial {
		return list(ctx)
	}
	return s.listed, s.listedErr
}

// turn waits until CloudTrail may be asked once more in an account.
func (s *sweepState) turn(ctx context.Context, account string) error {
	s.asking.Lock()
	pace := s.paces[account]
	if pace == nil {
		pace = rate.NewLimiter(rate.Every(statusInterval), 1)
		s.paces[account] = pace
	}
	s.asking.Unlock()
	now := s.run.Now()
	if wait := pace.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		return s.run.Sleep(ctx, wait)
	}
	return nil
}

// remembered keeps what is seen, and what is gone and was not told of. A sweep
// sees everything, so a difference is worth a store.
func (s sweepOccasion) remembered(seen, before []string) (arns []string, alone bool) {
	return union(seen, slices.DeleteFunc(slices.Clone(before), func(arn string) bool {
		return !slices.Contains(s.unnotified, arn)
	})), true
}

// mayRefuse reports whether it is the management account that may not be read.
func (s *sweepState) mayRefuse(ctx context.Context, account string, err error) bool {
	if s.left && Is(err, Denied) {
		return true
	}
	o, orgErr := s.organization(ctx)
	return Is(err, Denied) && orgErr == nil && account == o.ManagementAccount
}
