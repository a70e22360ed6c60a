package cfn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The bounds of what is tried and worked out. Past them all resources are taken as if they were there, and
// nothing of them is certain: what is not tried is never left out.
const (
	maxOpen      = 6         // comparisons that are not known
	maxWays      = 256       // all ways, in all regions
	maxTrailWays = 4_000     // trails in all ways: each takes a millisecond or two to judge
	maxWork      = 5_000_000 // parts of templates, in all ways: a few seconds
)

// stack is a template with where it is deployed to; empty: not known.
type stack struct {
	*template

	account, region string
}

// attempt is one way in which what is open may turn out, as it is worked out.
type attempt struct {
	region string // of stacks of which it is not known
	// assumed says how the comparisons turn out that are not known, by their text.
	assumed map[string]bool
	// open are comparisons that are not known, in the order in which they were met.
	open []string
	// all says that conditions are not asked: every resource is taken as if it were there.
	all bool
	// defaults are the parameters whose default was taken.
	defaults map[string]bool
	// exports are the evaluators of stacks, by the name of an export.
	exports map[string]*evaluator
	// early says that what a nested stack is given is not known yet.
	early bool
	// left is the work that may still be done, in all ways.
	left *int
	// depth bounds what refers to itself.
	depth int
	// secret is set when the value of a NoEcho parameter was used.
	secret bool
}

// input makes the snapshots of stacks that are deployed together.
func input(stacks []stack) iac.Input {
	in := iac.Input{OnlyAfter: true}
	var leavesOut []string
	for _, s := range stacks {
		leavesOut = append(leavesOut, s.allLeftOut()...)
	}
	regions := []string{""}
	if slices.ContainsFunc(stacks, func(s stack) bool { return s.region == "" }) {
		regions = trail.Regions(arn.Commercial)
	}
	defaults, left := map[string]bool{}, maxWork
	for _, s := range stacks {
		maps.Copy(defaults, s.loopDefaults)
	}
	after, untried := waysIn(stacks, regions, defaults, &left)
	if untried != nil {
		left = maxWork
		a := &attempt{region: regions[0], assumed: map[string]bool{}, all: true, defaults: defaults, left: &left}
		s := a.evaluate(stacks)
		s.Untried = append(s.Untried, *untried)
		if after = []iac.Snapshot{s}; left < 0 {
			leavesOut = append(leavesOut, "a template is more than can be worked out")
		}
	}
	in.After, in.Partial = after, strings.Join(leavesOut, "; ")
	for _, name := range sorted(defaults) {
		in.Assumed = append(in.Assumed, fmt.Sprintf("parameter %s has its default", name))
	}
	return in
}

// waysIn are the snapshots of all ways in all regions, or what was not tried.
func waysIn(stacks []stack, regions []string, defaults map[string]bool, left *int) (all []iac.Snapshot, untried *iac.Gap) {
	trails := 0
	var open []string // of the last region that was looked at
	for _, region := range regions {
		var ways []iac.Snapshot
		ways, open = waysOf(stacks, region, defaults, left)
		for i := range ways {
			trails += len(ways[i].Trails)
			if len(regions) > 1 {
				ways[i].Open = append(ways[i].Open, iac.Gap{Address: "AWS::Region"})
				ways[i].Taken["AWS::Region"] = region
			}
		}
		if all = append(all, ways...); ways == nil || len(all) > maxWays || trails > maxTrailWays {
			if len(regions) > 1 {
				open = append(open, "AWS::Region")
			}
			return nil, &iac.Gap{Address: "the ways in which the conditions may turn out", RefersTo: open}
		}
	}
	return all, nil
}

// waysOf are the snapshots of one region, one for each way in which the comparisons that are not known may
// turn out; nil: they are too many. Open are the comparisons.
func waysOf(stacks []stack, region string, defaults map[string]bool, left *int) (out []iac.Snapshot, open []string) {
	for ways := []map[string]bool{{}}; len(ways) > 0; ways = ways[1:] {
		a := &attempt{region: region, assumed: maps.Clone(ways[0]), defaults: defaults, left: left}
		s := a.evaluate(stacks)
		s.Taken = map[string]string{}
		for comparison, holds := range a.assumed {
			s.Taken[comparison] = strconv.FormatBool(holds)
		}
		out = append(out, s)
		// What was met for the first time was taken as false: it is tried as true as well.
		for i, comparison := range a.open {
			if !slices.Contains(open, comparison) {
				open = append(open, comparison)
			}
			other := maps.Clone(ways[0])
			for _, before := range a.open[:i] {
				other[before] = false
			}
			other[comparison] = true
			ways = append(ways, other)
		}
		if len(open) > maxOpen || len(out) > maxWays || *left < 0 {
			return nil, open
		}
	}
	for i := range out {
		for _, comparison := range open {
			out[i].Open = append(out[i].Open, iac.Gap{Address: "whether " + comparison})
		}
	}
	return out, open
}

// evaluate works out all stacks in this way.
func (a *attempt) evaluate(stacks []stack) iac.Snapshot {
	a.exports = map[string]*evaluator{}
	var all []*evaluator
	for _, s := range stacks {
		e := &evaluator{template: s.template, attempt: a, name: s.stack, account: s.account, region: s.region, regionAssumed: s.region == ""}
		if e.region == "" {
			e.region = a.region
		}
		all = append(all, e)
	}
	for _, e := range all {
		e.export()
	}
	var out iac.Snapshot
	stackOf := map[string]*evaluator{} // of a policy, by its address
	var trailsOf []*evaluator
	for _, e := range all {
		policies := len(out.Policies)
		e.addTo(&out)
		for _, p := range out.Policies[policies:] {
			stackOf[p.Address] = e
		}
		for len(trailsOf) < len(out.Trails) {
			trailsOf = append(trailsOf, e)
		}
	}
	// Stacks are made one after another: what one imports is there. So is all of a nested stack that is
	// waited for.
	for i, t := range out.Trails {
		for _, p := range out.Policies {
			if stackOf[p.Address] != trailsOf[i] || waitsForStackOf(p.Address, t.Waits) {
				t.Waits[p.Address] = true
			}
		}
	}
	return out
}

// waitsForStackOf reports whether one of the stacks that an address is in is waited for.
func waitsForStackOf(address string, waits map[string]bool) bool {
	for i, c := range address {
		if c == '/' && waits[address[:i]] {
			return true
		}
	}
	return false
}
