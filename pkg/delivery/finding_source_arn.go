package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// SourceARNMissingID is the id of the finding that a grant lets CloudTrail
// deliver for anybody's trail.
const SourceARNMissingID = "source-arn-missing"

func sourceARNMissingType() FindingType {
	return FindingType{
		ID: SourceARNMissingID, Title: "A grant to CloudTrail is not bound to the trail's owner",
		Kind: Weakness, Severity: Medium, OtherSeverities: []Severity{Low}, Source: SourcePolicy, Loss: LossNone, Restored: RestoredByHardening,
		find: (*judgement).sourceARNMissing,
	}
}

// sourceARNMissing finds grants that let CloudTrail deliver for anybody's trail. A
// stranger's trail is tried: what is allowed to it is bound to nobody, by
// whatever key or operator. A Deny that keeps strangers out counts.
//
// Where a stranger's trail may only have the ACL read, nothing of his gets into
// the bucket by it: the finding is [Low].
func (j *judgement) sourceARNMissing() []Finding {
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
		return nil
	}
	names := statementNames(j.doc, open)
	f := Finding{
		Statements: names, Indexes: slices.Clone(open),
		Message: fmt.Sprintf("%s CloudTrail to act on bucket %s for the trails of any account, "+
			"since no aws:SourceArn, aws:SourceAccount or aws:SourceOrgID binds it.",
			statementsDo(names, "allows", "allow"), j.bucket.Name),
		Remedy: fmt.Sprintf("Add aws:SourceArn %s under StringEquals to the Condition: trailwarden plan --harden shows the change.",
			list(j.arns())),
	}
	writes := slices.ContainsFunc(open, func(index int) bool { return j.doc.At(index).CoversAction(trail.WriteStatement.Action()) })
	if !writes {
		f.Severity = Low
		f.Message = fmt.Sprintf("%s CloudTrail read the ACL of bucket %s for the trails of any account, "+
			"since no aws:SourceArn, aws:SourceAccount or aws:SourceOrgID binds it. No trail can write by it.",
			statementsDo(names, "lets", "let"), j.bucket.Name)
	}
	if loose := slices.DeleteFunc(open, func(index int) bool { return !j.namesSource(index) }); len(loose) > 0 {
		// Hardening leaves a condition that somebody has put there as it is.
		f.Remedy = fmt.Sprintf("What the Condition of %s says of the source fits any account. "+
			"Name your own by hand, with aws:SourceArn %s under StringEquals.",
			statementsNamed(statementNames(j.doc, loose)), list(j.arns()))
		if len(loose) < len(names) {
			f.Remedy += " For the others trailwarden plan --harden shows the change."
		}
	}
	return []Finding{f}
}

// strangersAccount is an account that nobody has.
const strangersAccount = "000000000000"

// ofStranger returns the context of a request as it would be for a trail of an
// account, and an organization, that nobody named. Anybody may give a trail the name
// of ours.
func ofStranger(c policy.Context) policy.Context {
	const organization = "o-zzzzzzzzzzzzzzzz"
	if ours := c.Lookup(sourceARNKey); len(ours.Values) == 1 {
		a := arn.Split(ours.Values[0])
		a.Account = strangersAccount
		c = c.With(sourceARNKey, policy.Is(a.String()))
	}
	return c.With("aws:SourceAccount", policy.Is(strangersAccount)).
		With("aws:SourceOrgID", policy.Is(organization)).
		With("aws:SourceOrgPaths", policy.Set(organization+"/r-zzzz/"))
}

// openToStrangers are the statements that allow a request as it would be for
// a trail of an account, and an organization, that nobody named.
func (j *judgement) openToStrangers(t trail.Trail, e *evaluation) []int {
	strange := ofStranger(e.example.request.Context)
	var out []int
	for _, r := range e.decisions {
		if r.outcome != policy.Allowed {
			continue
		}
		q := r.request
		q.Context = strange
		prepared := j.by.prepare(q)
		// A stranger's folder, and ours, which he reaches by his choice of prefix.
		for _, resource := range []string{r.sample.Text, strings.ReplaceAll(r.sample.Text, "/"+t.Account()+"/", "/"+strangersAccount+"/")} {
			if decision := prepared.Decide(resource); decision.Outcome == policy.Allowed {
				out = append(out, decision.Responsible...)
			}
		}
	}
	return out
}

// namesSource reports whether a condition of a statement says for whom
// CloudTrail must be at work.
func (j *judgement) namesSource(index int) bool {
	return slices.ContainsFunc(j.doc.At(index).Conditions, func(c policy.Condition) bool {
		return isSource(c.Key) && !strings.Contains(c.Operator, "Not") && c.Operator != "Null"
	})
}
