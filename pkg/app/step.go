package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// The steps of the sweep of an organization, as deploy/sweep.asl.json asks for them.
const (
	stepPlanAccounts = "plan-accounts"
	stepAccounts     = "accounts"
	stepPlanBuckets  = "plan-buckets"
	stepBuckets      = "buckets"
	stepFinish       = "finish"
)

// step is what the state machine asks for.
type step struct {
	Step string `json:"step"`
	// Part is what of the accounts or buckets the step is for.
	Part inventory.Range `json:"part"`
	// Accounts and Buckets are what the last step is told of the ones before it.
	Accounts, Buckets planned
}

// planned is what a step came to that plans: the parts to be swept. Failed is 1 if the list
// may not be whole. Swept is what the state machine adds: what the parts came to.
type planned struct {
	Parts  []inventory.Range `json:"parts"`
	Failed int               `json:"failed"`
	Swept  []swept           `json:"swept,omitempty"`
}

// swept is what the sweep of a part came to, or that it failed, as the state machine puts it.
// It is small, since the results of all parts are passed on together.
type swept struct {
	Accounts int `json:"accounts,omitempty"` // that were asked
	Unread   int `json:"unread,omitempty"`
	Trails   int `json:"trails,omitempty"`
	Buckets  int `json:"buckets,omitempty"`
	// Failed is 1 if something could not be looked at, or if the whole part could not.
	Failed int `json:"failed"`
	Lost   int `json:"lost,omitempty"`
	// Accepted are the indexes of the accepted weaknesses that were of use: an entry is about one
	// bucket, so that they are no more than there are entries, all parts together.
	Accepted []int `json:"accepted,omitempty"`
}

// errOneAccount says that steps are for organizations: an account is swept at once.
var errOneAccount = errors.New("the function serves one account, which is swept in one step (TRAILWARDEN_SCOPE)")

// readStep returns the step that a payload asks for; the event of a schedule asks for none.
func readStep(payload json.RawMessage) (step, bool) {
	var s step
	err := json.Unmarshal(payload, &s)
	return s, err == nil && s.Step != ""
}

// step does one step. It fails only where it must be tried again as a whole: what fails of a
// part is in its answer, and comes with the next sweep.
func (f *Functions) step(ctx context.Context, s step) (json.RawMessage, error) {
	if !f.organization {
		return nil, errOneAccount
	}
	log := f.log.With("step", s.Step, "after", s.Part.After, "through", s.Part.Through)
	failed := func(err error) int {
		if err == nil {
			return 0
		}
		log.ErrorContext(ctx, "step failed in part", "error", err)
		return 1
	}
	switch s.Step {
	case stepPlanAccounts:
		parts, err := f.guard.PlanAccounts(ctx, f.account, f.region)
		return json.Marshal(planned{Parts: parts, Failed: failed(err)})
	case stepAccounts:
		done, err := f.guard.SweepAccounts(ctx, f.account, f.region, s.Part)
		if err != nil && len(done.Unread) == done.Asked { // nobody answered: later somebody may
			return nil, err
		}
		if len(done.Unread) > 0 {
			log.WarnContext(ctx, "accounts could not be read", "accounts", done.Unread)
		}
		return json.Marshal(swept{Accounts: done.Asked, Unread: len(done.Unread), Failed: failed(err)})
	case stepPlanBuckets:
		parts, err := f.guard.PlanBuckets(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(planned{Parts: parts})
	case stepBuckets:
		done, err := f.guard.SweepBuckets(ctx, f.account, f.region, s.Part)
		if err != nil && len(done.Results) == 0 {
			return nil, err
		}
		return json.Marshal(f.reportSwept(ctx, done, failed(err)))
	case stepFinish:
		done, err := f.guard.FinishSweep(ctx, f.account, f.region)
		return json.Marshal(f.total(ctx, f.reportSwept(ctx, done, failed(err)), s))
	}
	return nil, fmt.Errorf("there is no step %q", s.Step)
}

// reportSwept logs what a part of the buckets came to.
func (f *Functions) reportSwept(ctx context.Context, done guardrail.SweepResult, failed int) swept {
	s := swept{Failed: failed}
	for _, r := range done.Results {
		f.report(ctx, f.log, r)
		s.Trails += len(r.Report.Trails)
		if r.InUse {
			s.Buckets++
		}
		for i, a := range f.accepted {
			if slices.ContainsFunc(r.Accepted, func(used delivery.AcceptedFinding) bool { return used.By == a }) {
				s.Accepted = append(s.Accepted, i)
			}
		}
	}
	return s
}

// total sums up all parts, and writes the metrics of the sweep. It is completed only if the
// list of accounts and every part were: a part that was lost was looked at by nobody.
func (f *Functions) total(ctx context.Context, last swept, s step) swept {
	all, judged := last, last.Failed == 0 && s.Buckets.Failed == 0
	var accepted []delivery.AcceptedFinding
	for _, p := range append(slices.Clone(s.Buckets.Swept), last) {
		judged = judged && p.Failed == 0
		for _, i := range p.Accepted {
			if i < len(f.accepted) { // the list may be another one since
				accepted = append(accepted, delivery.AcceptedFinding{By: f.accepted[i]})
			}
		}
	}
	all.Accepted = nil
	for _, p := range []planned{s.Accounts, s.Buckets} {
		all.Failed += p.Failed
		all.Lost += p.Failed
	}
	for _, p := range slices.Concat(s.Accounts.Swept, s.Buckets.Swept) {
		all.Accounts, all.Unread = all.Accounts+p.Accounts, all.Unread+p.Unread
		all.Trails, all.Buckets = all.Trails+p.Trails, all.Buckets+p.Buckets
		all.Failed, all.Lost = all.Failed+p.Failed, all.Lost+p.Lost
	}
	completed := 1
	if all.Lost > 0 {
		completed = 0
	}
	f.meter.emit(nil,
		count(MetricSweepCompleted, completed),
		count(MetricSweepFailures, min(all.Failed, 1)),
		count(MetricSweepTrails, all.Trails),
		count(MetricSweepBuckets, all.Buckets),
		count(MetricSweepAccounts, all.Accounts),
		count(MetricSweepUnread, all.Unread))
	f.countIdle(ctx, accepted, func(a delivery.Acceptance) bool { return judged || a.Ended(f.meter.now()) })
	f.log.InfoContext(ctx, "sweep done", "accounts", all.Accounts, "unread", all.Unread, "trails", all.Trails, "buckets", all.Buckets,
		"failures", all.Failed, "lost", all.Lost)
	return all
}
