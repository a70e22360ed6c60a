package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// maxFacts is how many lines one labelled fact may have before the rest is only
// counted, so that what to do is never far down.
const maxFacts = 8

// maxAccounts is the same for accounts, whose ids are short: each owner is to see
// whether the alert is about him.
const maxAccounts = 100

// writeFacts writes the labelled lines that carry the notice.
func (v *view) writeFacts(p *page) {
	full := v.Kind != Reminder // the first alert of the incident has it all
	p.fact("Severity", string(v.severity))
	p.fact(v.about())
	if full && !v.isOfTrail() && !v.isOfOrganization() {
		p.fact("Verdict", v.verdict())
	}
	if full && len(v.trails) > 0 {
		p.fact("Trails", some(v.trailLines(), v.omitted.trails, "trail")...)
		p.fact("Accounts", v.accounts())
	}
	p.fact("Lost", v.lost()...)
	p.fact("Since", v.since())
	p.fact("Changed by", v.changeLines()...)
	if texts := reasons(v.trails); len(texts) > 0 {
		p.fact("Cause", some(texts, 0, "statement")...)
	} else if texts := reasons(v.former); len(texts) > 0 {
		p.fact("Before", some(texts, 0, "statement")...)
	}
	if full {
		p.fact("Done", some(v.done(), 0, "change")...)
	}
	if v.Blind {
		p.fact("Blind", "No trail of the account logs management events, so AWS sends no events of changes any more. Until "+
			"one logs them again, only the scheduled sweep sees what happens.")
	}
	l := v.links()
	p.fact("Runbook", given(l.Runbook)...)
	if full {
		p.fact("Console", given(l.Bucket, l.Key, l.Trail, l.Event)...)
	}
	if v.Incident != "" && v.Revision > 0 {
		p.fact("Incident", fmt.Sprintf("%s, message %d", v.Incident, v.Revision))
	}
}

// about is what the alert is about, with its label.
func (v *view) about() (label, text string) {
	switch {
	case v.isOfTrail():
		return "Trail", v.place()
	case v.isOfAccount():
		return "Account", v.account()
	case v.isOfOrganization():
		return "About", v.target()
	}
	return "Bucket", v.place()
}

// given are the texts that are not empty.
func given(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// some returns the first texts and counts the rest, and those left out before.
func some(texts []string, left int, noun string) []string {
	if left += max(len(texts)-maxFacts, 0); left == 0 {
		return texts
	}
	return append(slices.Clone(first(texts, maxFacts)), more(left, noun))
}

// account is the account's id, and its name if that is known.
func (v *view) account() string {
	if v.AccountName == "" {
		return v.Account
	}
	return v.Account + " \"" + v.AccountName + "\""
}

func (v *view) place() string {
	parts := []string{}
	if v.Account != "" {
		parts = append(parts, "account "+v.account())
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
	case v.state == silent, v.state == less && v.Report.Verdict == delivery.Blocked:
		return now + ", though the policy lets CloudTrail deliver; the findings say what is wrong"
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
		if words := wordsOf(t.unmet, t.all); words != "" {
			text += " (" + words + ")"
		}
		texts = append(texts, text)
	}
	return texts
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
	if left := len(names) - maxAccounts; left > 0 {
		names = append(first(names, maxAccounts), more(left, "account"))
	}
	return strings.Join(names, "; ")
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

// changeLines name who made the calls, the newest first, each once, and what they called. Calls
// that failed changed nothing, and are told only where there is no other.
func (v *view) changeLines() []string {
	if len(v.Changes) == 0 && v.Noticed != nil {
		return []string{"not known; noticed at a call that is not to blame", actorText(*v.Noticed), v.changeText(*v.Noticed)}
	}
	if v.isOfOrganization() { // no call is known that took away a role or a rule
		return nil
	}
	if len(v.Changes) == 0 {
		return []string{"not known: no event told of the change"}
	}
	var callers []string
	calls := map[string][]delivery.Change{}
	for _, c := range v.Changes {
		who := actorText(c)
		if calls[who] == nil {
			callers = append(callers, who)
		}
		calls[who] = append(calls[who], c)
	}
	var texts []string
	for _, who := range first(callers, maxFacts) {
		newest := calls[who][0]
		text := v.changeText(newest)
		if n := len(calls[who]); n > 1 {
			text = fmt.Sprintf("%d times, the last: %s", n, text)
		}
		texts = append(texts, who, text)
		if newest.LinkedService == cloudTrailService {
			texts = append(texts, followed)
		}
	}
	if n := max(len(callers)-maxFacts, 0); n > 0 {
		texts = append(texts, more(n, "caller"))
	}
	if v.omitted.changes > 0 {
		texts = append(texts, more(v.omitted.changes, "change"))
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

// changeText says what was called, when, from where, and with which key.
func (v *view) changeText(c delivery.Change) string {
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
	if c.Region != "" && c.Region != v.Region {
		text += ", in " + c.Region
	}
	if tool := toolOf(c.UserAgent); tool != "" && c.UserAgent != c.SourceIP {
		text += ", with " + tool
	}
	if c.LinkedService != "" {
		return text // whose key it is says nothing
	}
	if c.AccessKeyID != "" {
		text += ", access key " + c.AccessKeyID
	}
	switch c.MFA {
	case "true":
		text += ", with MFA"
	case "false":
		text += ", without MFA"
	}
	return text
}

// toolOf is the program in a user agent, without what it runs on.
func toolOf(agent string) string {
	agent = strings.Trim(agent, "[]")
	for word := range strings.FieldsSeq(agent) {
		name, _, _ := strings.Cut(word, "/")
		if slices.Contains([]string{"Terraform", "OpenTofu", "Pulumi", "Ansible", "aws-cli", "Boto3"}, name) {
			return word
		}
	}
	if strings.HasPrefix(agent, "Mozilla/") {
		return "a browser"
	}
	word, _, _ := strings.Cut(agent, " ")
	return word
}

// reasons says which statements decide, each with what it refuses.
func reasons(trails []affectedTrail) []string {
	var order []string
	refused := map[string][]string{}
	all := map[string]bool{} // it refuses all that some trail needs
	for _, t := range trails {
		by := map[string]int{}
		for _, r := range t.unmet {
			for _, who := range deciders(r) {
				if _, seen := refused[who]; !seen {
					order = append(order, who)
				}
				if words := requirementWords(r.ID); !slices.Contains(refused[who], words) {
					refused[who] = append(refused[who], words)
				}
				by[who]++
			}
		}
		for who, n := range by {
			all[who] = all[who] || t.all && n == len(t.unmet) && n > 1
		}
	}
	var texts []string
	for _, who := range order {
		if all[who] {
			refused[who] = []string{"everything that CloudTrail needs"}
			if who == noStatement {
				refused[who] = []string{"anything that CloudTrail needs"}
			}
		}
		texts = append(texts, who+" "+strings.Join(refused[who], ", "))
	}
	return texts
}

const noStatement = "no statement allows"

func deciders(r delivery.RequirementReport) []string {
	verb := "leaves open"
	switch r.Decision {
	case policy.ImplicitDeny:
		return []string{noStatement}
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
		if v.Accepted && v.settled() != ofDelivery {
			texts = append(texts, "Nothing: the notes say who accepts it, until when and why.")
			break
		}
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

// isOfChain reports whether all that is wrong is about keys and topics; of weaknesses, where nothing
// is worse.
func (v *view) isOfChain() bool {
	wrong := slices.DeleteFunc(slices.Clone(v.Report.Findings), func(f delivery.Finding) bool { return f.Kind == delivery.Weakness })
	if len(wrong) == 0 {
		wrong = v.Report.Findings
	}
	return len(wrong) > 0 && !slices.ContainsFunc(wrong, func(f delivery.Finding) bool {
		return f.Target != trail.OfKey && f.Target != trail.OfTopic
	})
}

// idle says why nothing was written.
func (v *view) idle() string {
	switch {
	case v.state == stopped, v.state == unrecorded:
		return "Nothing was written: Trailwarden neither starts nor creates trails."
	case v.isOfOrganization():
		return "Nothing was written: there is nothing in a policy to restore."
	case v.state == silent, v.state == less:
		return "Nothing was written: Trailwarden does not change trails."
	case v.isOfChain():
		return "Nothing was written: Trailwarden never writes to a key or a topic."
	case !v.OptedIn:
		return "Nothing was written: the bucket is not listed for restoring."
	case v.Held != "":
		return "Nothing was written."
	case v.Plan.Empty() && len(v.Plan.Refused) > 0 && slices.ContainsFunc(v.Report.Findings, func(f delivery.Finding) bool { return f.Edit != "" }):
		return "Nothing was written: a Deny is never edited automatically."
	case v.Plan.Empty() && len(v.Plan.Refused) > 0:
		return "Nothing was written: what is wrong cannot be restored safely."
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
