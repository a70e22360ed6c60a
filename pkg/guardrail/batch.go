package guardrail

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Batch is what the reconciliations of one invocation share: the inventory is read
// once for all of them, and no account is asked for its trails more than once. It is
// safe for use by several goroutines.
type Batch struct {
	guard *Guard
	// accounts, buckets and the ARNs of keys and topics that the requests name
	accounts, buckets, chain []string

	reading sync.Mutex // held while the inventory is read
	known   inventory.Part
	wasRead bool
	readErr error

	mu      sync.Mutex
	surveys map[string]*accountSurvey // by account
	heard   map[delivery.Place]bool   // it is stored that events came from there
}

// accountSurvey is what asking an account came to.
type accountSurvey struct {
	asking sync.Mutex // held while the account is asked
	survey survey
	err    error
	asked  bool
}

// Batch returns a batch of requests. What they name is read with the first of them.
func (g *Guard) Batch(requests []Request) *Batch {
	b := &Batch{guard: g, surveys: map[string]*accountSurvey{}}
	for _, r := range requests {
		b.accounts = append(b.accounts, r.Account)
		if r.Bucket != "" {
			b.buckets = append(b.buckets, r.Bucket)
		}
		if r.Chain != "" {
			b.chain = append(b.chain, r.Chain)
		}
	}
	b.accounts, b.buckets, b.chain = union(b.accounts, nil), union(b.buckets, nil), union(b.chain, nil)
	return b
}

// Reconcile brings one bucket to rest, or the buckets of one trail. An error
// means that it was not finished and must be tried again; everything done before
// it is remembered. Its type says what failed: *ObserveError, *WriteError,
// *VerifyError, *LedgerError, *PublishError or *BusyError.
//
// If the context has a deadline, its last ten seconds are kept for telling what is
// known by then.
func (b *Batch) Reconcile(ctx context.Context, r Request) ([]Result, error) {
	g := b.guard
	known, unknown := b.inventory(ctx)
	if unknown == nil && g.stranger(r.Account, known) {
		return []Result{{Bucket: r.Bucket, Stranger: true}}, nil
	}
	if unknown == nil {
		defer b.hear(ctx, r, known)
	}
	if unknown == nil && g.foreign(r, known) {
		return []Result{{Bucket: r.Bucket}}, nil
	}
	v, err := b.survey(ctx, r, known)
	if err != nil {
		return nil, join([]error{err, unknown})
	}
	v.unread = unknown
	if r.Trail != "" {
		// Others of the batch may have learned of more trails that use its bucket.
		v.asked = nil
	}
	results, err := g.reconcileRequest(ctx, r, v)
	return results, join(slices.Concat([]error{err, v.failure}, v.problems))
}

// inventory reads what is known of all that the requests name.
func (b *Batch) inventory(ctx context.Context) (inventory.Part, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if !b.wasRead {
		using, err := b.guard.using(ctx, b.chain)
		if err == nil {
			b.known, err = b.guard.find(ctx, b.accounts, union(b.buckets, using))
		}
		b.readErr, b.wasRead = err, true
	}
	return b.known, b.readErr
}

// stranger reports whether an account that is named in an event is known to be none of
// the organization. Whoever sends such an event, no role is assumed there and nothing of it
// is believed. While the members are not known, IAM alone keeps the guard within the
// organization, since an outage is not to go untold for that.
func (g *Guard) stranger(account string, known inventory.Part) bool {
	return g.ports.Members != nil && !known.OrganizationReadAt.IsZero() && account != g.config.Stack.Account &&
		!slices.Contains(known.Organization.Members, account)
}

// foreign reports whether a request is about a bucket, or a key or topic, that is known to be used by no
// trail, so that it is none of the guard's business. CloudTrail is not asked for that:
// most events of an account are of such buckets, and CloudTrail allows ten calls a
// second.
func (g *Guard) foreign(r Request, known inventory.Part) bool {
	if g.ports.Inventory == nil || r.Bucket+r.Chain == "" || r.Trail != "" || r.Organization {
		return false
	}
	if r.Chain != "" {
		return !slices.ContainsFunc(g.config.Trails, func(t trail.Trail) bool { return t.Uses(r.Chain) }) &&
			len(known.Using(r.Chain)) == 0 && known.Accounts[r.Account].Fresh(g.now(), g.age(known.Accounts[r.Account]))
	}
	declared := slices.ContainsFunc(g.config.Trails, func(t trail.Trail) bool { return t.Bucket == r.Bucket })
	return !declared && known.Buckets[r.Bucket].Aged(g.now()).Empty() && !r.namesCloudTrail() &&
		known.Accounts[r.Account].Fresh(g.now(), g.age(known.Accounts[r.Account]))
}

// namesCloudTrail reports whether one of the calls wrote a policy that speaks of
// CloudTrail, or that is not known. It is a hint where to look; it is not judged.
func (r Request) namesCloudTrail() bool {
	hints := func(event string, policy []byte) bool {
		return event == "PutBucketPolicy" && (len(policy) == 0 || delivery.NamesCloudTrail(policy))
	}
	return r.Change != nil && hints(r.Change.Event, r.SubmittedPolicy) ||
		slices.ContainsFunc(r.Earlier, func(c Call) bool { return hints(c.Event, c.SubmittedPolicy) })
}

// survey lists the trails of the request's account, and once more where the list lags
// behind the event. If the account cannot be read just now, and is in the inventory,
// it is judged as it was last seen; the survey says so.
func (b *Batch) survey(ctx context.Context, r Request, known inventory.Part) (survey, error) {
	ctx, cancel := b.guard.working(ctx)
	defer cancel()
	v, err := b.ask(ctx, r, known, time.Time{})
	if err != nil || v.failure != nil || !v.lags(r) {
		return v, err
	}
	if err := b.guard.run.Sleep(ctx, listLag); err != nil {
		return v, &ObserveError{Subject: "trails of account " + r.Account, Err: err}
	}
	return b.ask(ctx, r, known, b.guard.now())
}

// ask asks the account, unless that was done at the time or later.
func (b *Batch) ask(ctx context.Context, r Request, known inventory.Part, since time.Time) (survey, error) {
	b.mu.Lock()
	a := b.surveys[r.Account]
	if a == nil {
		a = &accountSurvey{}
		b.surveys[r.Account] = a
	}
	b.mu.Unlock()
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.asked && !a.survey.at.Before(since) {
		return a.survey, a.err
	}
	g, stored := b.guard, known.Accounts[r.Account]
	v, err := g.list(ctx, r, stored, since)
	if err == nil {
		v = v.with(known)
		if v.failure == nil {
			v.problems = append(v.problems, g.learn(ctx, v.said(), stored, g.config.InventoryAge))
		}
	}
	a.survey, a.err, a.asked = v, err, true
	return v, err
}

// list lists the trails of the request's account, or takes the list of a moment ago. If
// the account cannot be read and is in the inventory, what was seen last is listed.
func (g *Guard) list(ctx context.Context, r Request, stored inventory.Account, since time.Time) (survey, error) {
	began := g.now().UTC()
	if v, ok := g.kept.survey(r, began); ok && !v.at.Before(since) {
		return v, nil
	}
	known := !stored.ReadAt.IsZero()
	asking, cancel := ctx, func() {}
	if known { // nobody has to wait for the answer
		asking, cancel = context.WithTimeout(ctx, accountTime)
	}
	defer cancel()
	v, err := g.survey(asking, r.Account, r.Region)
	if err == nil {
		g.kept.keep(v)
		return v, nil
	}
	if r.Trail != "" && r.Change != nil {
		g.missed(ctx, r.Account, began, r.Change.Time)
	}
	if !known {
		return survey{at: began}, err
	}
	v = g.surveyed(r.Account, r.Region, began, stored.Trails)
	v.failure = err
	return v, nil
}

// keptFor is how long a survey may serve events that are older than it is. It keeps
// an environment from asking again for each batch of a burst.
const keptFor = 5 * time.Second

// keptSurveys are the last surveys of an environment, by account.
type keptSurveys struct {
	mu   sync.Mutex
	last map[string]survey
}

func (k *keptSurveys) keep(v survey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil || len(k.last) > 100 {
		k.last = map[string]survey{}
	}
	k.last[v.account] = v
}

// survey returns the kept survey of the request's account, if it was made after all
// its calls and a moment ago. Events have times of whole seconds.
func (k *keptSurveys) survey(r Request, now time.Time) (survey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.last[r.Account]
	if !ok || r.Change == nil || r.Trail != "" || r.Organization || now.Sub(v.at) > keptFor || v.region != r.Region {
		return survey{}, false
	}
	newest := r.Change.Time
	for _, c := range r.Earlier {
		if c.Time.After(newest) {
			newest = c.Time
		}
	}
	return v, !v.at.Before(newest.Add(time.Second))
}
