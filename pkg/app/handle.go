package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

const (
	// together is how many groups of requests are worked on at once: as many as
	// a batch of the template has records. What is more waits for its turn.
	together = 10
	// answering is kept of an invocation's time for the answer, and grace of that
	// for a reconciliation to come back after its time is up.
	answering = time.Second
	grace     = answering / 2
)

// reconciled is what a request came to.
type reconciled struct {
	results []guardrail.Result
	err     error // it is to be tried again
}

var errTimeUp = errors.New("it was not finished in its share of the time")

// PanicError is a panic while a request was handled. The others go on.
type PanicError struct{ Value any }

// Error returns the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// handle brings what all the requests of an invocation are about to rest, and
// returns what each came to, in their order. It comes back before the invocation's
// time is up.
//
// Groups are worked on side by side, so that one that is slow or hangs keeps no
// other from being told. Where there are more than can be worked on at once, each
// has its share of the time that is left.
func (f *Functions) handle(ctx context.Context, requests []request) []reconciled {
	ctx, cancel := before(ctx, answering)
	defer cancel()
	done := make([]reconciled, len(requests))
	asked := make([]guardrail.Request, len(requests))
	for i, r := range requests {
		asked[i] = r.Request
	}
	batch := f.guard.Batch(asked)
	groups := grouped(requests)
	queue := make(chan []int, len(groups))
	for _, group := range groups {
		queue <- group
	}
	close(queue)
	var waiting atomic.Int64
	waiting.Store(int64(len(groups)))
	var slots sync.WaitGroup
	for range min(together, len(groups)) {
		slots.Go(func() {
			for group := range queue {
				ctx, cancel := share(ctx, int(waiting.Add(-1))/together+1)
				f.handleGroup(ctx, batch, requests, group, done)
				cancel()
			}
		})
	}
	slots.Wait()
	return done
}

// before returns a context that ends so long before the given one.
func before(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-d))
	}
	return context.WithCancel(ctx)
}

// after returns a context that ends so long after the given one.
func after(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if ok {
		return context.WithDeadline(ctx, deadline.Add(d))
	}
	return context.WithCancel(ctx)
}

// share returns a context for one of so many turns in the time that is left.
func share(ctx context.Context, turns int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(turns))
}

// handleGroup handles the requests of a group one after the other, the newest
// first, with the older calls as its witnesses. Those that it does the work of are
// done with it. A panic may come from a single witness: then each request is handled
// by itself.
func (f *Functions) handleGroup(ctx context.Context, batch *guardrail.Batch, requests []request, group []int, done []reconciled) {
	alone := false
	for n, i := range group {
		r := requests[i]
		same := slices.IndexFunc(group[:n], func(j int) bool { return r.doneBy(requests[j]) })
		if same >= 0 && !alone {
			done[i] = reconciled{err: done[group[same]].err}
			continue
		}
		if !alone {
			for _, j := range group[n+1:] {
				r.Earlier = append(r.Earlier, requests[j].witnesses(r)...)
			}
		}
		done[i] = f.attempt(ctx, batch, r.Request)
		if p, ok := errors.AsType[*PanicError](done[i].err); ok {
			r.log.ErrorContext(ctx, "panic", "value", p.Value)
			if len(r.Earlier) > 0 {
				alone, r.Earlier = true, nil
				done[i] = f.attempt(ctx, batch, r.Request)
			}
		}
		for _, result := range done[i].results {
			f.report(ctx, r.log, result)
			f.reportDelay(r.Request, result)
		}
	}
}

// attempt reconciles one request. It comes back soon after its time is up, also
// from a reconciliation that does not end then; what such a one still does fails
// for want of time, and nobody waits for it.
func (f *Functions) attempt(ctx context.Context, batch *guardrail.Batch, r guardrail.Request) reconciled {
	if ctx.Err() != nil {
		return reconciled{err: errTimeUp}
	}
	came := make(chan reconciled, 1)
	go func() {
		var done reconciled
		defer func() { came <- done }()
		defer recovered(&done.err)
		done.results, done.err = batch.Reconcile(ctx, r)
	}()
	late, cancel := after(ctx, grace)
	defer cancel()
	select {
	case done := <-came:
		return done
	case <-late.Done():
		return reconciled{err: errTimeUp}
	}
}

// recovered turns a panic into an error.
func recovered(err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{Value: fmt.Sprintf("%v\n%s", value, debug.Stack())}
	}
}
