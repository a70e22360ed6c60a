package guardrail

import (
	"context"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Audit looks at every trail bucket of the account and writes and tells
// nothing. Progress, if not nil, is called as buckets are done. A bucket that
// could not be judged says so itself; the error is that the trails could not
// be listed.
func (g *Guard) Audit(ctx context.Context, account, region string, progress func(done, total int)) ([]Audited, error) {
	e, err := g.survey(ctx, account, region)
	if err != nil {
		return nil, err
	}
	// An audit reads what a sweep reads, but remembers nothing.
	reader := &Guard{ports: g.ports, config: g.config, run: g.run}
	reader.ports.Ledger = nil
	shared := g.newPass(ctx, account)
	names := bucketsIn(e.all)
	audited := make([]Audited, len(names))
	var mu sync.Mutex
	done := 0
	reader.each(len(names), func(i int) {
		j := reader.job(Request{Account: account, Region: region}, e, names[i])
		j.sweep = shared
		audited[i] = reader.audit(ctx, j)
		if progress == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(done, len(names))
	})
	return audited, nil
}

func (g *Guard) audit(ctx context.Context, j job) Audited {
	l := g.newLook(j)
	a := Audited{Bucket: delivery.Bucket{Name: j.bucket.Name, Owner: j.bucket.Account}, Trails: j.trails}
	if err := l.observe(ctx); err != nil {
		a.Err = err
		return a
	}
	l.judge()
	s := &l.sight
	return Audited{
		Bucket: s.bucket, Trails: s.trails, Statuses: s.statuses,
		Report: s.report, Plan: s.plan, Err: join(s.problems),
	}
}
