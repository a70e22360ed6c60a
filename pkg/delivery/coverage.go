package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Surroundings are what is known of a bucket's trails beside the bucket: what
// they covered before, and which other trails there are.
type Surroundings struct {
	// Account is the account whose trails were read. Empty: it is not known, and
	// each trail is seen from its own account.
	Account string
	// Trails are all trails that the account sees, with what their event selectors
	// tell. Those of the bucket may be among them.
	Trails []trail.Trail
	// Statuses are what CloudTrail reports of trails. One of which it is not known
	// is taken to log.
	Statuses []trail.Status
	// Before is what the bucket's trails are to cover: what they covered before,
	// but for what was accepted as lost.
	Before []trail.Coverage
}

// JudgeCoverage adds to the report what its trails leave out: the findings with
// [SourceTrails]. It returns the new report. The trails are those of the bucket.
//
// An outage among them makes the trail's verdict blocked: what is not recorded is
// never delivered. The decisions on the requirements stay as they are.
func JudgeCoverage(r Report, trails []trail.Trail, s Surroundings) Report {
	r.Trails, r.Findings = slices.Clone(r.Trails), slices.Clone(r.Findings)
	for i := range r.Trails {
		k := slices.IndexFunc(trails, func(t trail.Trail) bool { return t.ARN == r.Trails[i].ARN })
		if k < 0 {
			continue
		}
		for _, t := range Catalog() {
			if t.findCoverage == nil {
				continue
			}
			for _, f := range t.findCoverage(trails[k], s) {
				f = t.complete(f)
				if f.Kind == Outage {
					r.Trails[i].Verdict = Blocked
				}
				r.Findings = append(r.Findings, f)
			}
		}
	}
	order(r.Findings, trails)
	r.Verdict = worst(r.Trails)
	return r
}

// before is what a trail is to cover.
func (s Surroundings) before(arn string) (trail.Coverage, bool) {
	i := slices.IndexFunc(s.Before, func(c trail.Coverage) bool { return c.ARN == arn })
	if i < 0 {
		return trail.Coverage{}, false
	}
	return s.Before[i], true
}

// logs reports whether a trail logs, as far as it is known.
func (s Surroundings) logs(arn string) bool {
	i := slices.IndexFunc(s.Statuses, func(status trail.Status) bool { return status.ARN == arn })
	return i < 0 || s.Statuses[i].Logging
}

// silence is what goes unrecorded because of a trail that logs no management write
// events.
type silence struct {
	elsewhere []string // the regions in which another trail logs them, sorted
	unknown   []string // ARNs of trails of which it is not known whether they do
}

// Silent reports whether a trail logs no management write events, and no other
// trail of its account is known to log those of its regions. A trail that does not
// log at all is not silent but stopped.
func (s Surroundings) Silent(t trail.Trail) bool {
	_, silent := s.silence(t)
	return silent
}

func (s Surroundings) silence(t trail.Trail) (out silence, silent bool) {
	if !silenced(t) || !s.logs(t.ARN) {
		return silence{}, false
	}
	for _, other := range s.Trails {
		if other.ARN == t.ARN || !s.logs(other.ARN) || !s.recordsFor(other, t) {
			continue
		}
		unlogged, known := other.ManagementEvents()
		switch {
		case !known:
			out.unknown = append(out.unknown, other.ARN)
		case unlogged.Writes:
		case other.MultiRegion, !t.MultiRegion && other.HomeRegion == t.HomeRegion:
			return silence{}, false
		case t.MultiRegion:
			out.elsewhere = append(out.elsewhere, other.HomeRegion)
		}
	}
	slices.Sort(out.elsewhere)
	out.elsewhere = slices.Compact(out.elsewhere)
	return out, true
}

// Unheard reports whether no trail is known to log the management write events of a
// region, so that EventBridge has none to tell of: it needs a trail that logs the event.
// Source: eventbridge userguide, eb-service-event-cloudtrail.html.
func (s Surroundings) Unheard(region string) bool {
	return !slices.ContainsFunc(s.Trails, func(t trail.Trail) bool {
		unlogged, known := t.ManagementEvents()
		return s.logs(t.ARN) && known && !unlogged.Writes && (t.MultiRegion || t.HomeRegion == region)
	})
}

// silenced reports whether a trail is known to log no management write events.
func silenced(t trail.Trail) bool {
	unlogged, known := t.ManagementEvents()
	return known && unlogged.Writes
}

// recordsFor reports whether another trail records the accounts that t does.
func (s Surroundings) recordsFor(other, t trail.Trail) bool {
	account := t.Account()
	switch {
	case other.Organization:
		return true
	case !t.Organization:
	case s.Account == "" || s.Account == account:
		return false // it does not record the members
	default:
		account = s.Account // a member, which only itself matters to
	}
	return other.Account() == account
}
