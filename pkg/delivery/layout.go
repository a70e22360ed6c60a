package delivery

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Trails of one account often write in one layout: for the same keys, under
// contexts that differ in aws:SourceArn only. Where the policy does not tell them
// apart, one evaluation stands for all.

// keysDigest is a digest of all in a requirement but whom CloudTrail acts as and for:
// requirements with the same ask for the same keys.
func keysDigest(r trail.Requirement) [sha256.Size]byte {
	parts := []string{string(r.ID), r.Action}
	for _, p := range r.Sets {
		parts = append(parts, fmt.Sprint(p.Guess, p.Horizon, p.Uncertain, len(p.Resources)), p.Varies, p.Resource, p.Action, string(p.Only))
		for _, s := range p.Resources {
			parts = append(parts, fmt.Sprint(s.Min, s.Max, len(s.Words)), s.Name, s.Class)
			parts = append(parts, s.Words...)
		}
	}
	var text []byte
	for _, part := range parts {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	return sha256.Sum256(text)
}

// alike returns an evaluation of a requirement from one of another trail's that asks
// for the same keys, if the policy decides both alike.
func alike(done []*evaluation, r trail.Requirement) (*evaluation, bool) {
	for _, e := range done {
		if slices.EqualFunc(e.Sets, r.Sets, e.sameRequests) {
			return e.standingFor(r), true
		}
	}
	return nil, false
}

// sameRequests reports whether the policy decides the requests of two sets alike.
func (e *evaluation) sameRequests(a, b trail.RequestSet) bool {
	return e.by.prepare(e.request(a)).same == e.by.prepare(e.request(b)).same
}

// request is a request of a set, without its resource.
func (e *evaluation) request(p trail.RequestSet) policy.Request { return requestLike(e.Requirement, p) }

func requestLike(q trail.Requirement, p trail.RequestSet) policy.Request {
	return policy.Request{Caller: p.Caller, Action: cmp.Or(p.Action, q.Action), Context: p.Context}
}

// standingFor is the evaluation as one of the other requirement.
func (e *evaluation) standingFor(r trail.Requirement) *evaluation {
	out := *e
	out.Requirement = r
	out.reported, out.nearby = nil, nil
	out.first = cmp.Or(e.first, e)
	of := func(list []sampleDecision) []sampleDecision {
		list = slices.Clone(list)
		for i := range list {
			list[i].request.Context = r.Sets[list[i].set].Request(r.Action, list[i].sample.Text).Context
		}
		return list
	}
	out.decisions, out.perhaps = of(e.decisions), of(e.perhaps)
	out.example = of([]sampleDecision{e.example})[0]
	out.beyond = map[trail.Horizon][]sampleDecision{}
	for h, list := range e.beyond {
		out.beyond[h] = of(list)
	}
	return &out
}
