package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// maxFacts is how many lines one labelled fact may have before the rest is only
// counted, so that what to do is never far down.
const maxFacts = 8

// writeFacts writes the labelled lines that carry the notice.
func (v *view) writeFacts(p *page) {
	if v.isOfTrail() {
		p.fact("Trail", v.place())
	} else {
		p.fact("Bucket", v.place())
		p.fact("Verdict", v.verdict())
	}
	if len(v.trails) > 0 {
		p.fact("Trails", some(v.trailLines(), v.omitted.trails, "trail")...)
		p.fact("Accounts", v.accounts())
	}
	p.fact("Since", v.since())
	p.fact("Changed by", v.changeLines()...)
	if texts := reasons(v.trails); len(texts) > 0 {
		p.fact("Statement", some(texts, 0, "statement")...)
	} else if texts := reasons(v.former); len(texts) > 0 {
		p.fact("Before", some(texts, 0, "statement")...)
	}
	p.fact("Done", some(v.done(), 0, "change")...)
	if v.Blind {
		p.fact("Blind", "No trail of the account is logging, so AWS sends no events of changes any more. Until one "+
			"logs again, only the scheduled sweep sees what happens.")
	}
}

// some returns the first texts and counts the rest, and those left out before.
func some(texts []string, left int, noun string) []string {
	if left += max(len(texts)-maxFacts, 0); left == 0 {
		return texts
	}
	return append(slices.Clone(first(texts, maxFacts)), more(left, noun))
}

func (v *view) place() string {
	parts := []string{}
	if v.Account != "" {
		parts = append(parts, "account "+v.Account)
	}
	if v.Region != "" {
		parts = append(parts, v.Region)
	}
	name := v.Report.Bucket
	if name == "" {
		name = "not known"
	}
	if len(parts) == 0 {
		return name
	}
	return name + " (" + strings.Join(parts, ", ") + ")"
}

func (v *view) verdict() string {
	now := string(v.Report.Verdict)
	switch {
	case v.Before != nil:
		return fmt.Sprintf("%s before, %s now", v.before, now)
	case v.Report.Verdict == delivery.Delivering && v.state.rank() > weak.rank():
		return now + ", as far as the policy decides it; the findings say what is wrong"
	}
	return now
}

func (v *view) trailLines() []string {
	var texts []string
	for _, t := range v.trails {
		text := t.name
		if t.account != "" {
			text += " of account " + t.account
		}
		if t.region != "" {
			text += ", " + t.region
		}
		if t.organization {
			text += " (organization trail)"
		}
		text += ": " + string(t.verdict)
		if names := unmetNames(t.unmet); names != "" {
			text += " (" + names + ")"
		}
		texts = append(texts, text)
	}
	return texts
}

func unmetNames(unmet []delivery.RequirementReport) string {
	var names []string
	for _, r := range unmet {
		names = append(names, string(r.ID))
	}
	return strings.Join(names, ", ")
}

// accounts names the accounts whose events are concerned.
func (v *view) accounts() string {
	var names []string
	for _, t := range v.affected() {
		name := t.account
		if name == "" {
			name = "not known"
		}
		if t.organization {
			name += " and the members of its organization"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(some(names, 0, "account"), "; ")
}

func (v *view) since() string {
	if v.Since.IsZero() {
		return "not known"
	}
	text := stamp(v.Since)
	if !v.At.IsZero() {
		if long := lasting(v.Since, v.At); long != "" {
			text += ", " + long + " before this message"
		}
	}
	return text
}

func (v *view) changeLines() []string {
	if len(v.Changes) == 0 && v.Noticed != nil {
		return []string{"not known; noticed at a call that is not to blame", actorText(*v.Noticed), changeText(*v.Noticed)}
	}
	if len(v.Changes) == 0 {
		return []string{"not known: no event told of the change"}
	}
	var texts []string
	for _, c := range first(v.Changes, maxFacts) {
		texts = append(texts, actorText(c), changeText(c))
		if c.LinkedService == cloudTrailService {
			texts = append(texts, followed)
		}
	}
	if n := v.omitted.changes + max(len(v.Changes)-maxFacts, 0); n > 0 {
		texts = append(texts, more(n, "change"))
	}
	return texts
}

// followed says what the calls of CloudTrail's service-linked role come from.
const followed = "This is CloudTrail's own role. It follows what was changed in the organization: look for the cause in its " +
	"management account, at the organization trail, CloudTrail's trusted access, and the account's membership."

func actorText(c delivery.Change) string {
	if caller := c.Caller(); caller != "" {
		return caller
	}
	return "someone not named"
}

// changeText says what was called, when and from where.
func changeText(c delivery.Change) string {
	text := c.Event
	if c.ErrorCode != "" {
		text = "failed call of " + c.Event + " (" + c.ErrorCode + ")"
	}
	if c.Trail != "" {
		text += " on " + trailName(c.Trail)
	}
	if c.Target != "" {
		text += " of " + c.Target
	}
	if !c.Time.IsZero() {
		text += ", " + stamp(c.Time)
	}
	if c.SourceIP != "" {
		text += ", from " + c.SourceIP
	}
	if c.Region != "" {
		text += ", in " + c.Region
	}
	if c.EventID != "" {
		text += ", event " + c.EventID
	}
	if c.UserAgent != "" {
		text += ", with " + c.UserAgent
	}
	return text
}

// reasons says which statements decide, each with what it refuses.
func reasons(trails []affectedTrail) []string {
	var order []string
	refused := map[string][]string{}
	for _, t := range trails {
		for _, r := range t.unmet {
			for _, who := range deciders(r) {
				if _, seen := refused[who]; !seen {
					order = append(order, who)
				}
				if id := string(r.ID); !slices.Contains(refused[who], id) {
					refused[who] = append(refused[who], id)
				}
			}
		}
	}
	var texts []string
	for _, who := range order {
		texts = append(texts, who+" "+strings.Join(refused[who], ", "))
	}
	return texts
}

func deciders(r delivery.RequirementReport) []string {
	verb := "leaves open"
	switch r.Decision {
	case policy.ImplicitDeny:
		return []string{"no statement allows"}
	case policy.ExplicitDeny:
		verb = "denies"
	case policy.Allowed, policy.Undetermined, policy.Invalid:
	}
	if len(r.Statements) == 0 {
		return []string{"the policy " + verb}
	}
	var who []string
	for _, s := range r.Statements {
		who = append(who, s+" "+verb)
	}
	return who
}

// done says what Trailwarden did, and why not more.
func (v *view) done() []string {
	var texts []string
	switch v.Kind {
	case Restored:
		texts = append(texts, "The bucket was restored, read back and judged again.")
		texts = append(texts, v.planned()...)
	case RestoreFailed:
		texts = append(texts, "Restoring was tried.")
	case BudgetExhausted:
		texts = append(texts, "Nothing more is written for now: "+v.repairs()+".")
	case Resolved:
		texts = append(texts, "Nothing by Trailwarden: someone else set it right.")
	case Opened, Changed, Reminder:
		texts = append(texts, v.idle())
	default:
		texts = append(texts, v.idle())
	}
	if v.Failure != "" {
		texts = append(texts, "It failed: "+v.Failure)
	}
	if v.Held != "" {
		texts = append(texts, "Repairs are on hold: "+v.Held)
	}
	if len(v.theirs) > 0 {
		texts = append(texts, "The policy of another writer was replaced by it: see \"Changed by\". Both versions are below.")
	}
	return texts
}

// idle says why nothing was written.
func (v *view) idle() string {
	switch {
	case v.state == stopped:
		return "Nothing was written: Trailwarden neither starts nor creates trails."
	case !v.OptedIn:
		return "Nothing was written: the bucket is not listed for restoring."
	case v.Held != "":
		return "Nothing was written."
	case v.Plan.Empty() && len(v.Plan.Refused) > 0:
		return "Nothing was written: what is wrong cannot be restored safely. The reasons are under \"Not restored\"."
	}
	return "Nothing was written."
}

func (v *view) repairs() string {
	text := plural(v.Repairs, "repair") + " of this bucket"
	if v.Window > 0 {
		text += " within " + lasting(v.At, v.At.Add(v.Window))
	}
	return text
}

// planned says what the plan changes.
func (v *view) planned() []string {
	var texts []string
	for _, c := range v.Plan.Changes {
		text := actionText(c.Action)
		if c.Statement != "" {
			text += " " + c.Statement
		}
		texts = append(texts, text+": "+c.Reason)
	}
	if v.omitted.planned > 0 {
		texts = append(texts, more(v.omitted.planned, "change"))
	}
	return texts
}

// actionText returns what was done to a statement in plain words.
func actionText(action string) string {
	switch action {
	case "add":
		return "Added"
	case "mend":
		return "Mended"
	case "merge":
		return "Merged"
	case "harden":
		return "Hardened"
	case "reset-payer":
		return "The bucket's owner pays for requests again"
	}
	return action
}
