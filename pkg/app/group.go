package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// grouped returns the indexes of the requests in groups that are about the same
// bucket or trail. The newest call of a group comes first, and calls that failed,
// which changed nothing, last.
func grouped(requests []request) [][]int {
	group := make([]int, len(requests)) // each request's group goes by its first member
	find := func(i int) int {
		for group[i] != i {
			i = group[i]
		}
		return i
	}
	first := map[string]int{}
	for i, r := range requests {
		group[i] = i
		for _, name := range r.names() {
			if j, ok := first[name]; ok {
				a, b := find(i), find(j)
				group[max(a, b)] = min(a, b)
			} else {
				first[name] = i
			}
		}
	}
	var groups [][]int
	at := map[int]int{}
	for i := range requests {
		leader := find(i)
		if _, ok := at[leader]; !ok {
			at[leader] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[leader]] = append(groups[at[leader]], i)
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(i, j int) int { return newestFirst(requests[i], requests[j]) })
	}
	return groups
}

// names are the things that the request is about. A bucket's name is unique in
// all accounts.
func (r request) names() []string {
	var names []string
	if r.Bucket != "" {
		names = append(names, "bucket "+r.Bucket)
	}
	if r.Chain != "" {
		names = append(names, r.Chain)
	}
	if r.Trail != "" {
		names = append(names, "trail "+r.Account+" "+r.Trail)
	}
	if r.Organization {
		names = append(names, "organization of "+r.Account)
	}
	return names
}

// newestFirst compares two requests by their calls. Events have times of whole
// seconds; where these are the same, the time in the queue decides.
func newestFirst(a, b request) int {
	if c := cmp.Compare(a.failed(), b.failed()); c != 0 {
		return c
	}
	if c := b.at().Compare(a.at()); c != 0 {
		return c
	}
	return b.sent.Compare(a.sent)
}

func (r request) failed() int {
	if r.Change != nil && r.Change.ErrorCode != "" {
		return 1
	}
	return 0
}

func (r request) at() time.Time {
	if r.Change == nil {
		return time.Time{}
	}
	return r.Change.Time
}

// doneBy reports whether handling a newer request of the group does all that this
// one asks for. That is so for the same call, delivered twice, and for another call
// on the same bucket, key or topic: it is read once, and this call is a witness. A request
// that names a trail is also about that trail.
func (r request) doneBy(newer request) bool {
	same := r.Account == newer.Account && r.Region == newer.Region && r.Bucket == newer.Bucket && r.Trail == newer.Trail &&
		r.Chain == newer.Chain && r.Organization == newer.Organization
	if !same || r.Change == nil || newer.Change == nil {
		return false
	}
	if r.Trail == "" && !r.Organization {
		return true
	}
	return r.Change.EventID != "" && r.Change.EventID == newer.Change.EventID
}

// witnesses returns the call of an older request as a witness of a newer one: none
// if it changed nothing, is the same call, or is not about the same bucket or trail.
func (r request) witnesses(newer request) []guardrail.Call {
	if r.Change == nil || newer.Change == nil || r.failed() == 1 || r.Change.EventID != "" && r.Change.EventID == newer.Change.EventID {
		return nil
	}
	if !slices.ContainsFunc(r.names(), func(name string) bool { return slices.Contains(newer.names(), name) }) {
		return nil
	}
	call := guardrail.Call{Change: *r.Change}
	if r.Bucket == newer.Bucket {
		call.SubmittedPolicy = r.SubmittedPolicy
	}
	return []guardrail.Call{call}
}
