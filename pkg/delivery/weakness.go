package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// weaknesses are the findings on grants that work and are not as they should
// be. They are about the bucket as a whole.
func (j *judgement) weaknesses() []Finding {
	var out []Finding
	for _, find := range []func() (Finding, bool){j.unbound, j.legacy, j.stale} {
		if f, ok := find(); ok {
			f.Kind = Weakness
			out = append(out, f)
		}
	}
	return out
}

// unbound finds grants that let CloudTrail deliver for anybody's trail. A
// stranger's trail is tried: what is allowed to it is bound to nobody, by
// whatever key or operator. A Deny that keeps strangers out counts.
func (j *judgement) unbound() (Finding, bool) {
	var open []int
	for _, t := range j.trails {
		for _, e := range j.evaluations[t.ARN] {
			if e.ID == trail.BucketACL || e.ID == trail.LogFiles {
				open = append(open, j.openToStrangers(t, e)...)
			}
		}
	}
	slices.Sort(open)
	open = slices.Compact(open)
	if len(open) == 0 {
		return Finding{}, false
	}
	names := statementNames(j.doc, open)
	f := Finding{
		ID: SourceARNMissingID, Severity: Medium, Statements: names,
		Message: fmt.Sprintf("%s CloudTrail to act on bucket %s for the trails of any account, since no aws:SourceArn, aws:SourceAccount or aws:SourceOrgID binds it.",
			statementsDo(names, "allows", "allow"), j.bucket.Name),
		Remedy: fmt.Sprintf("Add aws:SourceArn %s under StringEquals to the Condition: trailwarden plan --harden shows the change.", list(j.arns())),
	}
	if loose := slices.DeleteFunc(open, func(index int) bool { return !j.namesSource(index) }); len(loose) > 0 {
		// Hardening leaves a condition that somebody has put there as it is.
		f.Remedy = fmt.Sprintf("What the Condition of %s says of the source fits any account. Name your own by hand, with aws:SourceArn %s under StringEquals.",
			statementsNamed(statementNames(j.doc, loose)), list(j.arns()))
		if len(loose) < len(names) {
			f.Remedy += " For the others trailwarden plan --harden shows the change."
		}
	}
	return f, true
}

// namesSource reports whether a condition of a statement says for whom
// CloudTrail must be at work.
func (j *judgement) namesSource(index int) bool {
	return slices.ContainsFunc(j.doc.At(index).Conditions, func(c policy.Condition) bool {
		return isSource(c.Key) && !strings.Contains(c.Operator, "Not") && c.Operator != "Null"
	})
}

// arns are the ARNs of the bucket's trails.
func (j *judgement) arns() []string {
	var out []string
	for _, t := range j.trails {
		if !slices.Contains(out, t.ARN) {
			out = append(out, t.ARN)
		}
	}
	return out
}

// openToStrangers are the statements that allow a request as it would be for
// a trail of an account, and an organization, that nobody named.
func (j *judgement) openToStrangers(t trail.Trail, e *evaluation) []int {
	const organization = "o-zzzzzzzzzzzzzzzz"
	account := "000000000000"
	// Anybody may give a trail the name of ours.
	arn := strings.Replace(t.ARN, ":"+t.Account()+":", ":"+account+":", 1)
	strange := e.example.request.Context.With(sourceARNKey, policy.Is(arn)).
		With("aws:SourceAccount", policy.Is(account)).
		With("aws:SourceOrgID", policy.Is(organization)).
		With("aws:SourceOrgPaths", policy.Set(organization+"/r-zzzz/"))
	var out []int
	for _, r := range e.decisions {
		if r.outcome != policy.Allowed {
			continue
		}
		q := r.request
		q.Context = strange
		// A stranger's folder, and ours, which he reaches by his choice of prefix.
		for _, resource := range []string{r.sample.Text, strings.ReplaceAll(r.sample.Text, "/"+t.Account()+"/", "/"+account+"/")} {
			q.Resource = resource
			if decision := j.doc.Decide(&q); decision.Outcome == policy.Allowed {
				out = append(out, decision.Responsible...)
			}
		}
	}
	return out
}

// legacy finds grants to the accounts that CloudTrail had in each region
// before it had a service principal.
func (j *judgement) legacy() (Finding, bool) {
	var indexes []int
	var regions []string
	for _, index := range legacyStatements(j.doc) {
		st := j.doc.At(index)
		if st.Effect != policy.Allow || st.Principals.Not {
			continue
		}
		indexes = append(indexes, index)
		for _, p := range st.Principals.Entries {
			if region, ok := trail.LegacyRegion(p.Value); ok && !slices.Contains(regions, region) {
				regions = append(regions, region)
			}
		}
	}
	if len(indexes) == 0 {
		return Finding{}, false
	}
	slices.Sort(regions)
	names := statementNames(j.doc, indexes)
	return Finding{
		ID: LegacyAccountsID, Severity: Medium, Statements: names,
		Message: fmt.Sprintf("%s CloudTrail accounts of old policies, which serve %s only and no region opened since.",
			statementsDo(names, "names", "name"), few("region", regions, len(trail.Regions(j.trails[0].Partition())))),
		Remedy: fmt.Sprintf("Replace the account principals by {\"Service\": %q} and bind it by aws:SourceArn: trailwarden plan --harden shows the change.",
			trail.ServicePrincipal),
	}, true
}

// stale finds grants to trails that are gone. Only trails of accounts of which
// some trail was given are missed: of other accounts nothing is known.
func (j *judgement) stale() (Finding, bool) {
	var indexes []int
	var gone []string
	for _, st := range j.doc.All() {
		if st.Effect != policy.Allow {
			continue
		}
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, "aws:SourceArn") || strings.Contains(c.Operator, "Not") {
				continue
			}
			for _, v := range c.Values {
				if !j.isGone(v) {
					continue
				}
				indexes = append(indexes, st.Index)
				if !slices.Contains(gone, v) {
					gone = append(gone, v)
				}
			}
		}
	}
	if len(gone) == 0 {
		return Finding{}, false
	}
	names := statementNames(j.doc, slices.Compact(indexes))
	return Finding{
		ID: StaleTrailARNID, Severity: Low, Statements: names,
		Message: fmt.Sprintf("%s %s, which is not among the known trails of its account.", statementsDo(names, "serves", "serve"), brief(gone)),
		Remedy:  "Remove the trail's ARN from aws:SourceArn if the trail is gone.",
	}, true
}

// isGone reports whether a value is the ARN of one trail, of an account whose
// trails are known, that is not there.
func (j *judgement) isGone(arn string) bool {
	if !strings.Contains(arn, ":cloudtrail:") || strings.ContainsAny(arn, "*?$") {
		return false
	}
	account := trail.Trail{ARN: arn}.Account()
	known := false
	for _, t := range j.known {
		if t.ARN == arn {
			return false
		}
		known = known || t.Account() == account
	}
	return known
}
