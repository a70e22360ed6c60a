package guardrail

import (
	"context"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// remember stores what the look came to and tells what is to be told. Again
// says that the bucket is to be looked at once more: something was told, or
// somebody else stored the record first.
func (l *look) remember(ctx context.Context) (again bool, err error) {
	defer l.report()
	if !l.remembers() {
		return false, l.announce(ctx, true)
	}
	before := l.record
	if l.deed.id != "" {
		l.record = l.record.Written(l.deed.id, l.deed.read, l.deed.written, l.deed.verified)
	}
	facts := l.facts()
	next, tell, changed := ledger.Next(l.record, facts, l.now(), l.settings())
	changed = changed || l.deed.id != ""
	if changed || l.sweep != nil {
		arns := l.arns()
		changed = changed || !slices.Equal(arns, next.Trails)
		next.Trails = arns
	}
	if tell != alert.Nothing {
		next = next.Post(l.message(ctx, facts, next, tell))
	}
	next, claimed := l.claim(ctx, next)
	if !changed && len(claimed) == 0 {
		l.record = before
		return false, nil
	}
	if again, err := l.save(ctx, next); again || err != nil {
		return again, err
	}
	l.settleDeed()
	if err := l.publish(ctx, claimed); err != nil {
		return false, err
	}
	return tell != alert.Nothing && !l.sight.partial && len(l.sight.problems) == 0, nil
}

// claim claims the alerts that wait. Without somebody to tell they are left
// for those who can send them.
func (l *look) claim(ctx context.Context, r ledger.Record) (ledger.Record, []ledger.Message) {
	if l.ports.Alerts == nil {
		return r, nil
	}
	return r.Claim(l.now(), l.until(ctx), l.mine)
}

// settleDeed forgets a deed that has been stored. What is to be tried again is
// left to the next call.
func (l *look) settleDeed() {
	if l.deed.problem != nil {
		l.sight.problems = append(l.sight.problems, l.deed.problem)
	}
	l.deed = deed{}
}

// report puts the judgement as it last was into the result.
func (l *look) report() { l.result.Report = l.sight.report }

// facts are what the look came to, for the ledger.
func (l *look) facts() ledger.Facts {
	s := &l.sight
	repaired := l.deed.id != "" && l.deed.verified && l.deed.failure == ""
	return ledger.Facts{
		Findings: s.report.Findings, Fingerprint: s.digest(), Unread: !s.known(), Change: l.foreign(),
		Overwrote: l.record.Overwritten(l.change, l.submitted, s.digest()),
		Repaired:  repaired, Failure: l.deed.failure, OverBudget: l.overBudget(),
		Partial: s.partial, Unasked: s.unasked, Stale: s.stale,
	}
}

// foreign is the change that led to the look, unless it was our own write.
func (l *look) foreign() *delivery.Change {
	if l.record.Own(l.change, l.submitted) {
		return nil
	}
	return l.change
}

// arns are the trails to be remembered. An event does not make a trail
// forgotten that is gone: the sweep is still to tell of it.
func (l *look) arns() []string {
	var arns []string
	for _, t := range l.trails {
		arns = append(arns, t.ARN)
	}
	if l.sweep == nil {
		return union(arns, l.record.Trails)
	}
	for _, arn := range l.record.Trails {
		if slices.Contains(l.sweep.untold, arn) {
			arns = append(arns, arn)
		}
	}
	return union(arns, nil)
}

// save stores the record. Again says that somebody else stored it first.
func (l *look) save(ctx context.Context, next ledger.Record) (again bool, err error) {
	next.Key = l.key()
	saved, err := l.ports.Ledger.Save(ctx, next)
	if Is(err, Conflict) {
		return true, nil
	}
	if err != nil {
		return false, &LedgerError{Bucket: l.bucket.Name, Err: err}
	}
	l.record = saved
	return false, nil
}

// publish sends alerts that this look has claimed and takes them out of the
// record. One that cannot be sent stays there and is free for the next look.
func (l *look) publish(ctx context.Context, claimed []ledger.Message) error {
	if len(claimed) == 0 {
		return nil
	}
	var sent []string
	var errs []error
	for _, m := range claimed {
		if err := l.send(ctx, m); err != nil {
			errs = append(errs, err)
			continue
		}
		sent = append(sent, m.ID)
	}
	errs = append(errs, l.release(ctx, claimed, sent))
	return join(errs)
}

func (l *look) send(ctx context.Context, m ledger.Message) error {
	if l.ports.Alerts == nil {
		return nil
	}
	err := l.ports.Alerts.Publish(ctx, m.Message)
	if err != nil {
		return &PublishError{Bucket: l.bucket.Name, Err: err}
	}
	l.result.Told = append(l.result.Told, m.Kind)
	l.run.Log.InfoContext(ctx, "alert sent", "kind", m.Kind, "bucket", l.bucket.Name)
	return nil
}

// release takes sent alerts out of the record and frees the others. Whatever
// somebody else stored meanwhile is kept. A store that fails for a moment is
// tried again, since an alert that is not taken out is sent twice.
func (l *look) release(ctx context.Context, claimed []ledger.Message, sent []string) error {
	for try, wait := 1, firstWait; ; try, wait = try+1, min(2*wait, longestWait) {
		next := l.record
		for _, m := range claimed {
			if slices.Contains(sent, m.ID) {
				next = next.Published(m.ID)
			} else {
				next = next.Free(m.ID)
			}
		}
		again, err := l.save(ctx, next)
		if err == nil && !again {
			return nil
		}
		if try == maxTries || err != nil && !Is(err, Transient) || !l.pause(ctx, wait, time.Second) {
			return errorOr(err, &BusyError{Bucket: l.bucket.Name})
		}
		if record, loadErr := l.load(ctx); loadErr == nil {
			l.record = record
		}
	}
}

func errorOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// announce tells without memory: what is wrong as often as it is looked at.
// Before a repair it tells the outage, because nobody would know of it if this
// process ended between the repair and its report.
func (l *look) announce(ctx context.Context, last bool) error {
	if !last && l.announced {
		return nil
	}
	l.announced = true
	facts := l.facts()
	next, tell, _ := ledger.Next(ledger.Record{Key: l.key()}, facts, l.now(), l.settings())
	if last {
		defer l.settleDeed()
	}
	if tell == alert.Nothing {
		return nil
	}
	return l.send(ctx, l.message(ctx, facts, next, tell))
}

// union returns the texts of both lists, each once, sorted.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
