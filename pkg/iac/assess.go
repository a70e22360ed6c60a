package iac

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Assess judges every bucket of trails before and after, and says what changes. The worst
// changes come first.
func Assess(in Input, set Setting) []BucketReport {
	if !set.Organization.Known && in.Organization != "" {
		set.Organization = trail.Organization{Known: true, ID: in.Organization}
	}
	left := maxSteps
	most := 0
	for _, s := range slices.Concat(in.Before, in.After) {
		most = max(most, len(s.Buckets))
	}
	left += stepsPerBucket * most
	s := setting{Setting: set, left: &left, judged: map[string][]judged{}}
	before, after := survey(in.Before, s), survey(in.After, s)
	if s.admitted = admittedBefore(in, s, before, after); len(s.admitted) > 0 {
		before, after = survey(in.Before, s), survey(in.After, s)
	}
	if in.Failed {
		for _, j := range after.buckets {
			j.leaveAllOpen([]Gap{{Address: "the rest of the plan"}})
		}
	}
	var out []BucketReport
	for _, key := range after.keys {
		if before.has(key) && !after.has(key) {
			continue // its trails are gone
		}
		if r, ok := before.compare(after, key); ok {
			out = append(out, r)
		}
	}
	for _, key := range before.keys {
		if before.has(key) && !after.has(key) {
			if r, ok := before.gone(after, key); ok {
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b BucketReport) int {
		return cmp.Or(a.Change.rank()-b.Change.rank(), strings.Compare(a.Label, b.Label))
	})
	return out
}

// The work for all buckets, in all ways in which what is open may turn out, in steps as
// [policy.Budget] counts them: some 20 seconds, and more for many buckets. Past it nothing more is
// judged, and the answer is undetermined. An ordinary judgement takes thousands of steps, and
// none more than [delivery.NewBudget] gives.
const (
	maxSteps       = 300_000_000
	stepsPerBucket = 100_000
)

// world is all that was judged at one time.
type world struct {
	keys    []string // of buckets, in the order of the plan
	buckets map[string]*judgement
	trails  map[string]delivery.Verdict // by the address that the trail had before
	told    map[string]delivery.Verdict // the same for notifications
	was     map[string]string           // the address before, by address
	arns    map[string]bool
	placed  map[string]string // the addresses of the trails that the plan has, by ARN
}

// has reports whether trails use the bucket.
func (w world) has(key string) bool { return w.buckets[key] != nil && !w.buckets[key].trailless }

func (w world) knows(arn string) bool { return w.arns[arn] }

// knowsAllNamed reports whether a bucket's policy names trails one by one, and all of them are known
// and use other buckets.
func (w world) knowsAllNamed(j *judgement) bool {
	if j.Policy == nil {
		return false
	}
	a := admittedBy(j.Policy.Text.Text, j.Subject.Bucket.Name, trail.Organization{})
	isNew := func(t trail.Trail) bool { return !w.knows(t.ARN) }
	return len(a.trails) > 0 && len(a.madeUp) == 0 && !slices.ContainsFunc(a.trails, isNew)
}

// survey judges all buckets that trails use, or may use: those whose policy speaks of CloudTrail.
func survey(snapshots []Snapshot, set setting) world {
	w := world{
		buckets: map[string]*judgement{}, trails: map[string]delivery.Verdict{}, told: map[string]delivery.Verdict{}, was: map[string]string{},
		arns: map[string]bool{}, placed: map[string]string{},
	}
	for _, s := range snapshots {
		for _, g := range s.groups() {
			declared := slices.ContainsFunc(set.Trails, func(t trail.Trail) bool { return g.name.Is(t.Bucket) })
			uses := len(g.trails) > 0 || declared || len(set.admitted[g.name.Text].trails) > 0
			if !uses && !g.admits() {
				continue
			}
			key := g.key
			if key == "" {
				key = "of " + g.trails[0].Address
			}
			for _, t := range g.trails {
				w.was[t.Address] = t.Was
			}
			j := set.judge(g)
			if j.trailless = !uses; j.trailless {
				j.leaveAllOpen([]Gap{{Address: "the trails that use " + g.label()}})
			}
			if len(s.Untried) > 0 {
				// Resources that exclude each other may all be in it, and texts that are not meant together.
				j.Findings = slices.DeleteFunc(j.Findings, func(f delivery.Finding) bool { return f.ID == delivery.PolicyContestedID })
				j.Faults, j.MaybeFaults = nil, nil
				j.leaveAllOpen(s.Untried)
			}
			if old := w.buckets[key]; old != nil {
				old.merge(j, s.Open)
				continue
			}
			w.keys = append(w.keys, key)
			w.buckets[key] = j
		}
	}
	for _, j := range w.buckets {
		for _, t := range j.Report.Trails {
			w.trails[w.idOf(j, t.ARN)], w.told[w.idOf(j, t.ARN)] = t.Verdict, t.Notification
			w.arns[t.ARN] = true
			if address := j.addresses[t.ARN]; address != "" {
				w.placed[t.ARN] = address
			}
		}
	}
	return w
}

// idOf is what a trail is known by before and after.
func (w world) idOf(j *judgement, arn string) string {
	id := j.idOf(arn)
	return cmp.Or(w.was[id], id)
}

// compare reports on a bucket that is there after. Ok is false if there is nothing to tell of it:
// nothing is known of its trails, and nothing changes.
func (w world) compare(after world, key string) (r BucketReport, ok bool) {
	j := after.buckets[key]
	old := w.buckets[key]
	same := old != nil && old.same(j)
	r = j.report()
	if old != nil {
		r.News = old.lacks(j.Findings, j)
	} else {
		r.News = len(j.Findings) > 0
	}
	r.Before, r.Change = NotThere, Unchanged
	for _, t := range j.Report.Trails {
		before, ok := w.trails[after.idOf(j, t.ARN)]
		if !ok {
			before = NotThere
		}
		r.add(TrailChange{
			TrailReport: t, Address: j.addresses[t.ARN], Admitted: j.admitted[t.ARN], NotLookedAt: j.unseen[t.ARN],
			Before: before, After: t.Verdict, Change: changeOf(before, t.Verdict, same), NotificationBefore: w.told[after.idOf(j, t.ARN)],
		})
		r.Before = worse(r.Before, before)
	}
	if j.trailless {
		if r.Change = New; old != nil {
			r.Before, r.Change = old.Verdict, Uncertain
		}
		return r.shown(j), !same && !after.knowsAllNamed(j)
	}
	// Trails that are gone from the bucket, and are nowhere.
	if w.has(key) {
		for _, t := range old.Report.Trails {
			if _, ok := after.trails[w.idOf(old, t.ARN)]; !ok {
				r.lose(old, t, after)
			}
		}
		r.Before = worse(r.Before, old.Verdict)
	}
	return r.shown(j), true
}

// gone reports on a bucket that no trail uses any more. Ok is false if its trails all go
// on elsewhere.
func (w world) gone(after world, key string) (BucketReport, bool) {
	old := w.buckets[key]
	r := old.report()
	r.Before, r.After, r.Change = old.Verdict, NotThere, Unchanged
	r.Findings, r.Gaps, r.Faults, r.MaybeFaults = nil, nil, nil, nil
	r.Subject = Subject{}
	lost := false
	for _, t := range old.Report.Trails {
		if _, ok := after.trails[w.idOf(old, t.ARN)]; !ok {
			r.lose(old, t, after)
			lost = true
		}
	}
	return r.shown(old), lost
}

// lose adds a trail that is deleted, and perhaps made again at another address.
func (r *BucketReport) lose(old *judgement, t delivery.TrailReport, after world) {
	again := ""
	if old.replace(t.ARN) == t.ARN { // it is called so for certain
		again = after.placed[t.ARN]
	}
	t.Requirements = nil
	r.add(TrailChange{
		TrailReport: t, Address: old.addresses[t.ARN], Before: t.Verdict, After: NotThere, Change: changeOf(t.Verdict, NotThere, false),
	})
	r.Findings = append([]delivery.Finding{delivery.TrailRemoved(t.ARN, again)}, r.Findings...)
}

func (r *BucketReport) add(t TrailChange) {
	r.Trails = append(r.Trails, t)
	if t.Change.rank() < r.Change.rank() || len(r.Trails) == 1 {
		r.Change = t.Change
	}
}

// worse is the worse of two verdicts; what is not there is better than all.
func worse(a, b delivery.Verdict) delivery.Verdict {
	order := []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering, NotThere}
	if slices.Index(order, a) <= slices.Index(order, b) {
		return a
	}
	return b
}

// same reports whether the same was judged.
func (j *judgement) same(o *judgement) bool {
	text := func(j *judgement) []byte {
		if p := j.Policy; p != nil {
			return []byte(p.Text.Text)
		}
		return nil
	}
	a, b := j.Subject.Bucket, o.Subject.Bucket
	return bytes.Equal(text(j), text(o)) && j.chained == o.chained && slices.Equal(j.Subject.Trails, o.Subject.Trails) &&
		a.Name == b.Name && a.State == b.State && a.Payer == b.Payer
}

// lacks reports whether one of the findings of a later judgement is not among these.
func (j *judgement) lacks(findings []delivery.Finding, later *judgement) bool {
	return slices.ContainsFunc(findings, func(f delivery.Finding) bool {
		alike := func(g delivery.Finding) bool { return f.ID == g.ID && later.idOf(f.Trail) == j.idOf(g.Trail) }
		return !slices.ContainsFunc(j.Findings, alike)
	})
}

// report is the report on what was judged, without what it was before.
func (j *judgement) report() BucketReport {
	r := BucketReport{
		Label: strings.TrimPrefix(j.label, "bucket "), Origin: j.origin, After: j.Verdict,
		Findings: slices.Clone(j.Findings), Faults: j.Faults, MaybeFaults: j.MaybeFaults,
		Gaps: whole(j.gaps), Subject: j.Subject, Sensitive: j.hidden.names || j.hidden.policy,
		madeUp: j.madeUp, chainPlaces: map[string]Origin{},
	}
	for arn, o := range j.chainPlaces {
		r.chainPlaces[j.replace(arn)] = o
	}
	madeUp := func(r replacement) bool { return r.name == j.Subject.Bucket.Name }
	if !j.hidden.names && !slices.ContainsFunc(j.madeUp, madeUp) {
		r.Bucket = j.Subject.Bucket.Name
	}
	return r
}
