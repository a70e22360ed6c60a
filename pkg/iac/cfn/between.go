package cfn

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// Between is the change from the template that a stack was made from to another. What the
// new one does not have any more is removed, unless its DeletionPolicy keeps it.
func Between(before, after iac.Input) iac.Input {
	out := after
	out.OnlyAfter, out.Before, out.After = false, nil, nil
	if before.Partial != "" {
		out.Partial = before.Partial
		if after.Partial != "" {
			out.Partial += "; " + after.Partial
		}
	}
	for _, s := range before.After {
		out.Before = append(out.Before, there(s))
	}
	for _, s := range after.After {
		// What is open in both turns out the same way.
		var was []iac.Snapshot
		for _, b := range before.After {
			if agree(b.Taken, s.Taken) {
				was = append(was, b)
			}
		}
		if len(was) == 0 || len(out.After)+len(was) > maxWays {
			out.After = nil
			for _, s := range after.After {
				out.After = append(out.After, withUntried(change(there(before.After[0]), s)))
			}
			break
		}
		for _, b := range was {
			out.After = append(out.After, change(there(b), s))
		}
	}
	return out
}

func agree(a, b map[string]string) bool {
	for name, value := range a {
		if other, ok := b[name]; ok && other != value {
			return false
		}
	}
	return true
}

func withUntried(s iac.Snapshot) iac.Snapshot {
	s.Untried = append(slices.Clip(s.Untried), iac.Gap{Address: "the ways in which the conditions may have turned out before"})
	return s
}

// there is a snapshot of what exists.
func there(s iac.Snapshot) iac.Snapshot {
	s.Buckets, s.Policies, s.Trails = slices.Clone(s.Buckets), slices.Clone(s.Policies), slices.Clone(s.Trails)
	s.TopicPolicies = slices.Clone(s.TopicPolicies)
	for i := range s.Buckets {
		s.Buckets[i].Made = false
	}
	for i := range s.Policies {
		s.Policies[i].Written = false
	}
	for i := range s.TopicPolicies {
		s.TopicPolicies[i].Written = false
	}
	for i := range s.Trails {
		s.Trails[i].Made = false
	}
	return s
}

// change is the snapshot of a new template after its deployment.
func change(was, now iac.Snapshot) iac.Snapshot {
	now.Buckets, now.Policies, now.Trails = slices.Clone(now.Buckets), slices.Clone(now.Policies), slices.Clone(now.Trails)
	for i, b := range now.Buckets {
		at := slices.IndexFunc(was.Buckets, func(o iac.Bucket) bool { return o.Address == b.Address })
		// Another name makes another bucket.
		now.Buckets[i].Made = at < 0 || was.Buckets[at].Name.Text != b.Name.Text
	}
	for i, t := range now.Trails {
		now.Trails[i].Made = !slices.ContainsFunc(was.Trails, func(o iac.Trail) bool { return o.Address == t.Address })
	}
	for _, b := range was.Buckets {
		if !slices.ContainsFunc(now.Buckets, func(o iac.Bucket) bool { return o.Address == b.Address }) {
			b.Removed = !b.Kept
			now.Buckets = append(now.Buckets, b)
		}
	}
	for _, p := range was.Policies {
		if !slices.ContainsFunc(now.Policies, func(o iac.Policy) bool { return o.Address == p.Address }) {
			p.Removed = !p.Kept
			now.Policies = append(now.Policies, p)
		}
	}
	for _, p := range was.TopicPolicies { // without it a topic has the policy that SNS gives it
		if p.Kept && !slices.ContainsFunc(now.TopicPolicies, func(o iac.TopicPolicy) bool { return o.Address == p.Address }) {
			now.TopicPolicies = append(slices.Clip(now.TopicPolicies), p)
		}
	}
	for _, t := range was.Trails {
		if !slices.ContainsFunc(now.Trails, func(o iac.Trail) bool { return o.Address == t.Address }) && t.Kept {
			now.Trails = append(now.Trails, t)
		}
	}
	return now
}
