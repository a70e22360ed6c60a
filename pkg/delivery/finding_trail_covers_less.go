package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailCoversLessID is the id of the finding that a trail covers less than before.
const TrailCoversLessID = "trail-covers-less"

func trailCoversLessType() FindingType {
	return FindingType{
		ID: TrailCoversLessID, Title: "The trail covers less than before",
		Kind: Outage, OtherKinds: []Kind{Weakness}, Severity: High, OtherSeverities: []Severity{Medium},
		Source: SourceTrails, Loss: LossCoverage, Restored: RestoredNever, AlwaysTold: true,
		Causes: []string{"UpdateTrail", "PutEventSelectors", "CreateTrail"},
		refusal: func(Finding) string {
			return "There is nothing in the policy to restore: the trail's own settings were changed."
		},
		findCoverage: trailCoversLess,
	}
}

// trailCoversLess compares a trail with what it is to cover. Where management
// events are missing because the trail is silent, that is told instead.
func trailCoversLess(t trail.Trail, s Surroundings) []Finding {
	before, known := s.before(t.ARN)
	if !known {
		return nil
	}
	now := t.Coverage()
	lost := slices.DeleteFunc(now.Less(before), func(p trail.Part) bool { return p == trail.PartManagement && s.Silent(t) })
	if len(lost) == 0 {
		return nil
	}
	var sentences []string
	for _, p := range lost {
		sentences = append(sentences, lostSentence(p, t, before))
	}
	f := Finding{
		Trail: t.ARN, Lost: lost, LostKey: before.KMSKeyID,
		Message: fmt.Sprintf("Trail %s covers less than before. %s", t.ARN, strings.Join(sentences, " ")),
		Remedy:  coversLessRemedy(t, lost, before),
	}
	if !slices.ContainsFunc(lost, trail.Part.Records) {
		f.Kind, f.Severity = Weakness, Medium
	}
	return []Finding{f}
}

// lostSentence says what is lost with a part.
func lostSentence(p trail.Part, t trail.Trail, before trail.Coverage) string {
	now := t.Coverage()
	switch p {
	case trail.PartMembers:
		return fmt.Sprintf("It recorded all accounts of the organization, and records account %s alone: the members are not recorded by it any more.",
			t.Account())
	case trail.PartRegions:
		return fmt.Sprintf("It recorded every region, and records %s alone.", t.HomeRegion)
	case trail.PartGlobal:
		return "Events of global services, such as IAM and STS, are not recorded any more."
	case trail.PartManagement:
		return "It leaves out " + lostManagement(now.Unlogged, before.Unlogged) + "."
	case trail.PartValidation:
		return "It writes no digest files, so that nobody can prove of new files that they were not changed."
	case trail.PartKey:
		return fmt.Sprintf("New files are not encrypted with the key %s any more.", Shown(before.KMSKeyID))
	}
	return ""
}

// lostManagement says which management events are left out that were not.
func lostManagement(now, before trail.Unlogged) string {
	var texts []string
	reads, writes := now.Reads && !before.Reads, now.Writes && !before.Writes
	switch {
	case reads && writes:
		texts = append(texts, "all management events")
	case writes:
		texts = append(texts, "management write events")
	case reads:
		texts = append(texts, "management read events")
	}
	if sources := now.Newly(before); len(sources) > 0 {
		texts = append(texts, "management events of "+brief(sources))
	}
	return list(texts)
}

func coversLessRemedy(t trail.Trail, lost []trail.Part, before trail.Coverage) string {
	var ways []string
	if flags := UpdateFlags(lost, before.KMSKeyID); flags != "" {
		ways = append(ways, fmt.Sprintf("aws cloudtrail update-trail --name %s --region %s%s", t.ARN, t.HomeRegion, flags))
	}
	if slices.Contains(lost, trail.PartManagement) {
		ways = append(ways, "put back the event selectors that it had (aws cloudtrail put-event-selectors)")
	}
	return "If it was not meant, set it back: " + list(ways) + ". If it was, accept it with a reason and an end: trailwarden accept."
}

// UpdateFlags are the flags of "aws cloudtrail update-trail" that bring back what
// was lost, each with a space before it. The key is the one that the trail had.
func UpdateFlags(lost []trail.Part, key string) string {
	var flags strings.Builder
	for _, p := range lost {
		switch p {
		case trail.PartMembers:
			flags.WriteString(" --is-organization-trail")
		case trail.PartRegions:
			flags.WriteString(" --is-multi-region-trail")
		case trail.PartGlobal:
			flags.WriteString(" --include-global-service-events")
		case trail.PartValidation:
			flags.WriteString(" --enable-log-file-validation")
		case trail.PartKey:
			flags.WriteString(" --kms-key-id " + key)
		case trail.PartManagement:
		}
	}
	return flags.String()
}
