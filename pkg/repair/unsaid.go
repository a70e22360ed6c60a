package repair

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// question is something that the caller can say, and on which an answer hangs.
type question struct {
	what string // "the organization of the trail's account"
	give string // how to say it
}

// unsaid are the questions on which an undetermined requirement hangs. What
// nobody knows of CloudTrail's requests is none.
func (p *planner) unsaid(rr delivery.RequirementReport) []question {
	if rr.Decision != policy.Undetermined {
		return nil
	}
	var out []question
	ask := func(unknown bool, q question) {
		if unknown && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	organization := question{
		"the organization of the trail's account",
		"give --organization-id, or let the role that reads the bucket call organizations:DescribeOrganization",
	}
	owner := question{"the bucket's owner", "give --bucket-owner"}
	region := question{"the bucket's region", "give --bucket-region"}
	for _, key := range rr.DependsOn {
		switch strings.ToLower(key) {
		case "aws:sourceorgid", "aws:sourceorgpaths":
			ask(!p.environment.Organization.Known, organization)
		case "aws:resourceorgid", "aws:resourceorgpaths":
			ask(!p.environment.Organization.Known, organization)
			ask(p.environment.BucketOwner == "", owner)
		case "aws:resourceaccount", "s3:resourceaccount":
			ask(p.environment.BucketOwner == "", owner)
		case "aws:requestedregion":
			ask(p.environment.BucketRegion == "", region)
		}
	}
	return out
}

// asked says what the caller is to say, so that the requirement can be decided.
func asked(rr delivery.RequirementReport, questions []question) string {
	var what, give []string
	for _, q := range questions {
		what, give = append(what, q.what), append(give, q.give)
	}
	return "It hangs on " + strings.Join(rr.DependsOn, " and ") + ", and " + strings.Join(what, " and ") +
		areNotKnown(len(what)) + ": " + strings.Join(give, "; ") + ". Until then the policy is left as it is, since it may be right."
}

func areNotKnown(n int) string {
	if n == 1 {
		return " is not known"
	}
	return " are not known"
}
