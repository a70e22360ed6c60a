package guardrail

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// AuditedOrganization is what an audit of all accounts of an organization came to.
type AuditedOrganization struct {
	Organization trail.Organization
	// Accounts are all accounts of the organization, whatever their state, by id.
	Accounts []AuditedAccount
	// Buckets are those of an [Guard.Audit], each once, with the trails of all accounts,
	// and each account that was read and sees no trail.
	Buckets []Audited
}

// AuditedAccount is what asking an account for its trails came to.
type AuditedAccount struct {
	inventory.Member

	// Trails are the ARNs of all that the account sees, those of the organization
	// among them.
	Trails []string
	// Err is why the account could not be read; nil: it was, or it does not work
	// ([inventory.Active]) and nobody can.
	Err error
}

// Unread reports whether the account works and could not be read.
func (a AuditedAccount) Unread() bool { return a.Err != nil }

// Stage is a part of an audit of an organization, in the words of its progress.
type Stage string

// The stages, in their order.
const (
	AskingAccounts Stage = "accounts asked"
	SeekingOwners  Stage = "accounts asked whose the buckets are"
	JudgingBuckets Stage = "buckets judged"
)

var (
	errNoOrganization = errors.New("the account is in no organization, or may not say in which")
	errNoMembers      = errors.New("nothing lists the accounts of the organization")
	// errNotAmongThem says that a list of accounts cannot be that of the organization.
	errNotAmongThem = errors.New("the account itself is not among those that are active")
)

// AuditOrganization judges every trail bucket of every account of the account's
// organization, and writes and tells nothing. An account is asked only if the organization
// lists it as active. A trail that several accounts see is one trail, and a bucket is judged
// once, by the policy that its owner's account reads, with the trails of all accounts.
//
// An account that could not be read says so itself. With an inventory, the trails that it
// was last seen with are judged all the same, and the report says how old they are. Progress,
// if not nil, is called as accounts and buckets are done. The error is that the accounts could
// not be listed or that the context ended, and then there is nothing else, or that the inventory
// could not be read.
func (g *Guard) AuditOrganization(
	ctx context.Context, account, region string, progress func(s Stage, done, total int),
) (AuditedOrganization, error) {
	a, err := g.membersOf(ctx, account)
	if err != nil {
		return a, err
	}
	known, unread := g.everything(ctx)
	v := organizationView{
		guard: g, home: account, region: region, known: known, progress: progress, organization: a.Organization, chain: once(g.ports.Chain),
	}
	var all sync.WaitGroup
	if g.ports.RCPs != nil {
		members := membersOfAudit(a.Accounts)
		all.Go(func() { v.rcps, _ = g.readRCPs(ctx, members) }) // what is not known says so itself
	}
	v.ask(ctx, a.Accounts)
	all.Wait()
	v.seekOwners(ctx)
	a.Buckets = v.judge(ctx)
	if err := ctx.Err(); err != nil { // what was not read for that reason is nobody's failure
		return AuditedOrganization{}, &ObserveError{Subject: "organization " + a.Organization.ID, Err: err}
	}
	return a, unread
}

// membersOf reads the organization of an account, and all of its accounts.
func (g *Guard) membersOf(ctx context.Context, account string) (AuditedOrganization, error) {
	failed := func(err error) (AuditedOrganization, error) {
		return AuditedOrganization{}, &ObserveError{Subject: "accounts of the organization of account " + account, Err: err}
	}
	if g.ports.Members == nil {
		return failed(errNoMembers)
	}
	o, err := g.ports.Organizations.Organization(ctx, account)
	if err != nil {
		return failed(err)
	}
	if o.ID == "" {
		return failed(errNoOrganization)
	}
	members, err := g.ports.Members.Members(ctx)
	if err != nil {
		return failed(err)
	}
	if o.Members = inventory.ActiveIDs(members); !slices.Contains(o.Members, account) {
		return failed(errNotAmongThem)
	}
	a := AuditedOrganization{Organization: o}
	seen := map[string]bool{}
	for _, m := range members {
		if !seen[m.ID] {
			seen[m.ID] = true
			a.Accounts = append(a.Accounts, AuditedAccount{Member: m})
		}
	}
	slices.SortFunc(a.Accounts, func(x, y AuditedAccount) int { return strings.Compare(x.ID, y.ID) })
	return a, nil
}

// organizationView is what the accounts of an organization see together.
type organizationView struct {
	guard        *Guard
	home, region string // the caller's account, and where to ask first
	organization trail.Organization
	known        inventory.Part // what the inventory has; empty: there is none
	chain        Chain          // reads each key and topic once; nil: nobody reads them
	rcps         inventory.RCPs
	progress     func(s Stage, done, total int)

	accounts []AuditedAccount
	at       time.Time                // before the first account was asked
	trails   map[string]trail.Trail   // by ARN: seen now
	by       map[string]string        // by ARN: an account that sees the trail now, its own if that could be read
	read     map[string]bool          // accounts that were read
	into     map[string][]string      // by bucket: ARNs of what is seen now, sorted
	own      map[string][]trail.Trail // by account: its trails of one account, sorted by ARN
	shared   []trail.Trail            // of the organization, sorted by ARN
	owners   map[string]string        // by bucket: a member that was read; missing: not known
}

// did returns what tells that one more of a stage is done.
func (v *organizationView) did(s Stage, total int) func() {
	if v.progress == nil {
		return func() {}
	}
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		v.progress(s, done, total)
	}
}

// ask asks all active accounts for their trails, several at once.
func (v *organizationView) ask(ctx context.Context, accounts []AuditedAccount) {
	v.accounts, v.at = accounts, v.guard.now().UTC()
	v.trails, v.by, v.read, v.into = map[string]trail.Trail{}, map[string]string{}, map[string]bool{}, map[string][]string{}
	active := v.organization.Members
	answers := make([][]trail.Trail, len(accounts))
	did := v.did(AskingAccounts, len(active))
	v.guard.each(len(accounts), func(i int) {
		if accounts[i].State != inventory.Active {
			return
		}
		answers[i], accounts[i].Err = v.guard.trailsOf(ctx, accounts[i].ID, v.region)
		did()
	})
	for i := range accounts {
		a := &accounts[i]
		if a.State != inventory.Active || a.Err != nil {
			continue
		}
		v.read[a.ID] = true
		for _, t := range answers[i] {
			a.Trails = append(a.Trails, t.ARN)
			if own := t.Account() == a.ID; own || v.by[t.ARN] == "" {
				v.trails[t.ARN], v.by[t.ARN] = t, a.ID
			}
		}
	}
	v.own = map[string][]trail.Trail{}
	for _, arn := range slices.Sorted(maps.Keys(v.trails)) {
		t := v.trails[arn]
		v.into[t.Bucket] = append(v.into[t.Bucket], arn)
		if t.Organization {
			v.shared = append(v.shared, t)
		} else {
			v.own[t.Account()] = append(v.own[t.Account()], t)
		}
	}
}

// trailsOf lists the trails of an account, and tries again what may pass.
func (g *Guard) trailsOf(ctx context.Context, account, region string) ([]trail.Trail, error) {
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		ctx, cancel := context.WithTimeout(ctx, accountTime)
		trails, err := g.ports.Trails.Trails(ctx, account, region)
		cancel()
		if err == nil || try == readTries || !Is(err, Transient) || !g.pause(ctx, wait, 0) {
			return trails, err
		}
	}
}

// buckets are the names of all buckets to be judged, sorted.
func (v *organizationView) buckets() []string {
	names := slices.Collect(maps.Keys(v.into))
	for name := range v.known.Buckets {
		names = append(names, name)
	}
	for _, t := range v.guard.config.Trails {
		names = append(names, t.Bucket)
	}
	return union(names, nil)
}

// seekOwners finds out whose the buckets are: S3 tells nobody but the owner. Who declared
// it or confirmed it before counts; then the accounts of a bucket's trails are asked, then all
// others, for as long as a bucket has no owner.
func (v *organizationView) seekOwners(ctx context.Context) {
	v.owners = map[string]string{}
	left := map[string]bool{}
	var near []string
	for _, name := range v.buckets() {
		owner := v.guard.config.Owners[name]
		if owner == "" {
			owner = v.known.Buckets[name].Owner
		}
		if v.read[owner] {
			v.owners[name] = owner
			continue
		}
		left[name] = true
		for _, arn := range v.into[name] {
			near = append(near, v.trails[arn].Account())
		}
	}
	near = slices.DeleteFunc(union(near, nil), func(id string) bool { return !v.read[id] })
	far := slices.DeleteFunc(slices.Sorted(maps.Keys(v.read)), func(id string) bool { return slices.Contains(near, id) })
	if v.guard.ports.Owners == nil || len(left) == 0 {
		return
	}
	var mu sync.Mutex
	ids := slices.Concat(near, far)
	did := v.did(SeekingOwners, len(ids))
	v.guard.each(len(ids), func(i int) {
		defer did()
		mu.Lock()
		found := len(left) == 0
		mu.Unlock()
		if found {
			return
		}
		owned, err := v.guard.ports.Owners.Owned(ctx, ids[i])
		if err != nil {
			return // nothing is known of its buckets, and nothing is said of them
		}
		mu.Lock()
		defer mu.Unlock()
		for _, name := range owned {
			if left[name] {
				v.owners[name] = ids[i]
				delete(left, name)
			}
		}
	})
}

// judge judges every bucket, and says which accounts see no trail.
func (v *organizationView) judge(ctx context.Context) []Audited {
	names := v.buckets()
	audited := make([]Audited, len(names))
	did := v.did(JudgingBuckets, len(names))
	v.guard.each(len(names), func(i int) {
		audited[i] = v.judgeBucket(ctx, names[i])
		did()
	})
	audited = slices.DeleteFunc(audited, func(a Audited) bool {
		return len(a.Trails) == 0 && len(a.Report.Findings) == 0 && a.Err == nil
	})
	for _, a := range v.accounts {
		if v.read[a.ID] && len(a.Trails) == 0 {
			w := withoutTrail{account: a.ID, region: v.region}
			key := w.Key()
			audited = append(audited, Audited{Bucket: delivery.Bucket{Name: key.Bucket, Owner: a.ID, Region: v.region}, Report: w.report()})
		}
	}
	return audited
}

// judgeBucket judges a bucket as its owner sees it. Of one whose owner is not known the
// account of its trails is tried. Where that is not the owner, nothing is known of it but
// whether it is there.
func (v *organizationView) judgeBucket(ctx context.Context, name string) Audited {
	inv := v.survey(name)
	owner, sure := v.owners[name]
	if sure && v.guard.ports.Folders != nil && len(inv.into(name)) > 0 {
		if seen, looked := v.guard.outsideFolders(ctx, inv, name); looked {
			inv.known.Buckets[name] = inv.known.Buckets[name].SeenIn(seen, v.at)
		}
	}
	if !sure && v.read[inv.account] {
		owner = inv.account
	}
	ref := BucketRef{Name: name, Account: owner, Region: v.region}
	a := v.judgeAs(ctx, inv, ref)
	if sure || owner != "" && a.Bucket.State != delivery.OtherOwner {
		return a
	}
	ref.Account = ""
	return v.judgeAs(ctx, inv, ref)
}

func (v *organizationView) judgeAs(ctx context.Context, inv survey, ref BucketRef) Audited {
	expected := v.guard.expected(inv, ref.Name)
	var subject Subject = GrantingBucket{BucketRef: ref, Expected: expected}
	if trails := inv.into(ref.Name); len(trails) > 0 {
		subject = TrailBucket{BucketRef: ref, Trails: trails, Expected: expected}
	}
	o := organizationOccasion{v.guard.newSweepState(inv.account), v}
	return v.guard.auditTarget(ctx, v.guard.target(inv, subject, o))
}

// survey is what a bucket is judged with. Its account is that of the trails, if that is one
// and no other; else there is none.
func (v *organizationView) survey(bucket string) survey {
	s := survey{region: v.region, at: v.at, organized: true}
	b := v.known.Buckets[bucket]
	b.Name, b.Owner = bucket, v.owners[bucket]
	accounts := map[string]inventory.Account{}
	known := b.Trails
	b.Trails = nil
	for _, t := range known {
		if v.read[t.Account()] || v.read[t.By] {
			continue // who would know of it was read, and says whether it is still there
		}
		b.Trails = append(b.Trails, t)
		accounts[t.By] = inventory.Account{ID: t.By, ReadAt: v.known.Accounts[t.By].ReadAt, FailedAt: v.at}
	}
	s.known = inventory.Part{Accounts: accounts, Buckets: map[string]inventory.Bucket{bucket: b}, Organization: v.organization}
	of := map[string]bool{}
	for _, arn := range v.into[bucket] {
		s.all = append(s.all, v.trails[arn])
		of[v.trails[arn].Account()] = true
	}
	for _, t := range v.guard.config.Trails {
		if t.Bucket == bucket && !has(s.all, t.ARN) {
			s.all = append(s.all, t)
			of[t.Account()] = true
		}
	}
	if len(of) == 1 && len(b.Trails) == 0 {
		for id := range of {
			s.account = id
		}
	}
	// One of the same accounts may log what a trail of the bucket does not.
	s.listed = slices.Clone(v.shared)
	for _, id := range slices.Sorted(maps.Keys(of)) {
		s.listed = append(s.listed, v.own[id]...)
	}
	return s
}

// organizationOccasion is an audit of an organization as the occasion of a judgement.
type organizationOccasion struct {
	*sweepState

	view *organizationView
}

func (organizationOccasion) remembered(seen, _ []string) (arns []string, alone bool) {
	return seen, false
}

// turn does not wait: each account has a rate of its own, which the adapter keeps.
func (organizationOccasion) turn(context.Context, string) error { return nil }

// reads is the trail's own account, or one that sees it.
func (o organizationOccasion) reads(v survey, t trail.Trail) (account string, ok bool) {
	return o.view.by[t.ARN], has(v.listed, t.ARN)
}

func (o organizationOccasion) organization(context.Context) (trail.Organization, error) {
	return o.view.organization, nil
}

// rcps are those that were read when the accounts were listed.
func (o organizationOccasion) rcps(context.Context) (inventory.RCPs, error) { return o.view.rcps, nil }

// served is the organization as it was listed.
func (o organizationOccasion) served(survey) (trail.Organization, bool) {
	return o.view.organization, true
}

// chain reads the keys and topics of the accounts that could be read, each once for all buckets.
func (o organizationOccasion) chain(survey) Chain {
	if o.view.chain == nil {
		return nil
	}
	return memberChain{o.view.chain, func(account string) bool { return o.view.read[account] }}
}

// enabledRegions are known of one account only. A trail of the organization writes into the
// regions of each.
func (o organizationOccasion) enabledRegions(ctx context.Context) ([]string, error) {
	if !o.view.read[o.account] || slices.ContainsFunc(o.view.shared, func(t trail.Trail) bool { return t.Account() == o.account }) {
		return nil, nil
	}
	return o.sweepState.enabledRegions(ctx)
}
