package cli

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// pageLink is the key or topic that a trail leads to beside its bucket.
type pageLink struct {
	Kind, Name string
	Of         string // its account and region
	// Class is that of a verdict in the style sheet. A topic that takes nothing stops no file: it is
	// no more than doubtful.
	Class string
	Says  string
	Needs []delivery.RequirementReport
}

// linksOf are the key and the topic of a lane's trail.
func linksOf(b *bucketOverview, lane pageLane) []pageLink {
	var out []pageLink
	if id := lane.Trail.KMSKeyID; id != "" {
		key := pageLink{Kind: "KMS key", Name: id[strings.LastIndex(id, "/")+1:], Of: accountAndRegion(id), Needs: needsOf(lane.Requirements, trail.OfKey)}
		key.Class, key.Says = keyState(b, lane.ARN, key.Needs)
		out = append(out, key)
	}
	if id := lane.Trail.SNSTopic; id != "" {
		topic := pageLink{Kind: "SNS topic", Name: id[strings.LastIndex(id, ":")+1:], Of: accountAndRegion(id), Needs: needsOf(lane.Requirements, trail.OfTopic)}
		switch {
		case lane.Notification == delivery.Delivering:
			topic.Class, topic.Says = string(delivery.Delivering), "CloudTrail can tell it"
		case lane.Notification == delivery.Blocked:
			topic.Class, topic.Says = string(delivery.Undetermined), "CloudTrail cannot tell it; files arrive all the same"
		case len(topic.Needs) == 0 && !foundOn(b, lane.ARN, trail.OfTopic):
			topic.Class, topic.Says = "unseen", "not looked at"
		default:
			topic.Class, topic.Says = string(delivery.Undetermined), "not certain"
		}
		out = append(out, topic)
	}
	return out
}

// accountAndRegion are those of an ARN, empty if it is none.
func accountAndRegion(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return ""
	}
	return "of " + string(a.Account) + " in " + string(a.Region)
}

// keyState says whether CloudTrail can encrypt with a trail's key. What its verdict leaves open, the
// findings on the key tell.
func keyState(b *bucketOverview, of string, needs []delivery.RequirementReport) (class, says string) {
	state := delivery.Delivering
	worsen := func(v delivery.Verdict) {
		if state != delivery.Blocked {
			state = v
		}
	}
	for _, r := range needs {
		switch {
		case r.ID != trail.KeyEncrypt || r.Decision == policy.Allowed:
		case r.Decision == policy.Undetermined:
			worsen(delivery.Undetermined)
		default:
			worsen(delivery.Blocked)
		}
	}
	for _, f := range b.Report.Findings {
		switch {
		case f.Trail != of || f.Target != trail.OfKey:
		case f.Kind == delivery.Outage:
			worsen(delivery.Blocked)
		case f.Kind == delivery.Unknown:
			worsen(delivery.Undetermined)
		}
	}
	switch {
	case state == delivery.Blocked:
		return string(state), "CloudTrail cannot encrypt with it"
	case state == delivery.Undetermined:
		return string(state), "not certain"
	case len(needs) == 0:
		return "unseen", "not looked at"
	}
	return string(state), "CloudTrail can encrypt with it"
}

// foundOn reports whether something was found of a trail's key or topic.
func foundOn(b *bucketOverview, of string, target trail.Target) bool {
	for _, f := range b.Report.Findings {
		if f.Trail == of && f.Target == target {
			return true
		}
	}
	return false
}

// needsOf are the requirements of a target.
func needsOf(all []delivery.RequirementReport, target trail.Target) []delivery.RequirementReport {
	var out []delivery.RequirementReport
	for _, r := range all {
		if r.Target == target || r.Target == "" && target == trail.OfBucket {
			out = append(out, r)
		}
	}
	return out
}
