package ledger

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// MaxDescribed is of how many trails a record keeps the settings. An account has at most five
// in a region, and most of them for all regions.
// Source: awscloudtrail userguide, WhatIsCloudTrail-Limits.html.
const MaxDescribed = 8

// Describe returns the record with the settings of the account's own trails as they are seen
// now. Of a trail that is not seen, or whose event selectors could not be read, what was
// known of it stays for as long as the record names the trail.
func (r Record) Describe(seen []trail.Trail, account string) Record {
	var described []trail.Trail
	for _, arn := range r.Trails {
		before, known := r.Description(arn)
		i := slices.IndexFunc(seen, func(t trail.Trail) bool { return t.ARN == arn })
		switch {
		case i >= 0 && seen[i].Account() == account:
			now := seen[i]
			if now.CustomSelectors && !now.SelectorsKnown {
				now.Selectors = before.Selectors
			}
			described = append(described, now)
		case i < 0 && known:
			described = append(described, before)
		}
	}
	r.Described = described[:min(len(described), MaxDescribed)]
	if len(described) == 0 {
		r.Described = nil
	}
	return r
}

// Description returns what is remembered of a trail.
func (r Record) Description(arn string) (trail.Trail, bool) {
	i := slices.IndexFunc(r.Described, func(t trail.Trail) bool { return t.ARN == arn })
	if i < 0 {
		return trail.Trail{}, false
	}
	return r.Described[i], true
}
