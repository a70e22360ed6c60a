package trail

import (
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// RequirementID names one kind of request that CloudTrail makes.
type RequirementID string

// The requirements.
const (
	BucketACL              RequirementID = "bucket-acl"
	LogFiles               RequirementID = "log-files"
	DigestFiles            RequirementID = "digest-files"
	InsightsFiles          RequirementID = "insights-files"
	NetworkActivityFiles   RequirementID = "network-activity-files"
	AggregatedFiles        RequirementID = "aggregated-files"
	ManagementAccountFiles RequirementID = "management-account-files"
	PreflightMarker        RequirementID = "preflight-marker"
)

// RequirementIDs returns all of them, in the order of the constants.
func RequirementIDs() []RequirementID {
	return []RequirementID{
		BucketACL, LogFiles, DigestFiles, InsightsFiles, NetworkActivityFiles, AggregatedFiles, ManagementAccountFiles, PreflightMarker,
	}
}

// Requirement is one kind of request that CloudTrail makes for a trail. It is
// met if every request of every place is allowed.
type Requirement struct {
	ID     RequirementID
	Action string
	// Resource is what people read: an ARN in which "*" and "<region>" stand
	// for what varies.
	Resource string
	Places   []RequestSet
}

// RequestSet is a set of requests that differ in their resource only.
type RequestSet struct {
	// Resources are the ARNs that CloudTrail may ask for. Its segments are named
	// "prefix", "organization", "account", "region", "year", "month", "day".
	// A region that AWS has yet to open has no segment of that name.
	Resources glob.KeySet
	Caller    policy.Caller
	Context   policy.Context
	// Guess says that Resources holds more than CloudTrail will ask for,
	// because something is not known: an organization's id, how a prefix that
	// ends in a slash is joined. CloudTrail asks for one value of the segments
	// "prefix" and "organization" only, so a denial of some of them is not
	// certain to be one that CloudTrail meets.
	Guess bool
	// Unlisted says that the accounts of Resources are any, since accounts join
	// an organization and leave it. Where only some of them are denied
	// explicitly, those need not be members.
	Unlisted bool
}

// Requirements returns what CloudTrail needs to deliver the trail's files, in
// the order of the constants above.
//
// The check of the bucket's ACL and the preflight markers are taken to come
// from the trail's home region, since trails are made and changed there.
func Requirements(t Trail, s Environment) []Requirement {
	return requirements(t, s, true)
}

// ServiceRequirements returns what [Requirements] does for a policy that names
// no account of [LegacyRegion]. CloudTrail is then the same caller in every
// region, and the regions of a trail make one place.
func ServiceRequirements(t Trail, s Environment) []Requirement {
	return requirements(t, s, false)
}

func requirements(t Trail, s Environment, regional bool) []Requirement {
	l := newLayout(t, s)
	acl := aclContext(t, s)
	put := putContext(acl, t, s)
	w := writer{layout: l, context: put, regional: regional}
	out := []Requirement{{
		ID: BucketACL, Action: "s3:GetBucketAcl", Resource: l.bucketARN(),
		Places: []RequestSet{{Resources: glob.KeySet{fixed(l.bucketARN())}, Caller: w.caller(t.region()), Context: acl}},
	}, w.files(LogFiles, logFolder)}
	if t.LogFileValidation {
		digest := w.files(DigestFiles, digestFolder)
		digest.Places = append(digest.Places, w.marker(digestFolder, t.Organization))
		out = append(out, digest)
	}
	if t.InsightSelectors {
		out = append(out, w.files(InsightsFiles, insightFolder))
	}
	if t.NetworkActivity {
		out = append(out, w.files(NetworkActivityFiles, networkFolder))
	}
	if t.Aggregated {
		out = append(out, w.files(AggregatedFiles, aggregateFolder))
	}
	if t.Organization {
		// CreateTrail and UpdateTrail try the owner's own folder as well.
		out = append(out, w.markerOnly(ManagementAccountFiles, false))
	}
	return append(out, w.markerOnly(PreflightMarker, t.Organization))
}

// writer makes the requirements of s3:PutObject.
type writer struct {
	layout
	context  policy.Context
	regional bool
}

// caller is CloudTrail at work in a region; in one that is yet to open, and
// so has no account of old policies, if empty.
func (w writer) caller(region string) policy.Caller {
	if w.regional && region != "" {
		return Caller(w.trail.Partition(), region)
	}
	return service(w.trail.Partition())
}

func (w writer) place(resources glob.KeySet, region string, inOrganization bool) RequestSet {
	return RequestSet{Resources: resources, Caller: w.caller(region), Context: w.context, Guess: w.guesses(inOrganization)}
}

func (w writer) files(id RequirementID, folder string) Requirement {
	account, region := "*", "<region>"
	if !w.trail.Organization {
		account = w.trail.Account()
	}
	if !w.trail.MultiRegion {
		region = w.trail.region()
	}
	r := Requirement{
		ID: id, Action: "s3:PutObject",
		Resource: w.resource(w.trail.Organization, account+"/"+folder+"/"+region+"/*"),
	}
	for _, a := range w.accounts() {
		r.Places = append(r.Places, w.regionPlaces(folder, a)...)
	}
	return r
}

// regionPlaces are the places of an account's files: for each way in which
// CloudTrail is known to the policy in its regions, and for the regions that
// AWS has yet to open.
func (w writer) regionPlaces(folder string, account glob.Segment) []RequestSet {
	at := func(names glob.KeySet, region string) RequestSet {
		p := w.place(w.layout.files(folder, account, names), region, w.trail.Organization)
		p.Unlisted = len(account.Words) == 0
		return p
	}
	in := func(region string, names ...string) RequestSet {
		return at(glob.KeySet{{Name: "region", Words: names}}, region)
	}
	if !w.trail.MultiRegion {
		return []RequestSet{in(w.trail.region(), w.trail.region())}
	}
	var places []RequestSet
	known := knownRegions(w.trail, w.setting)
	if w.regional {
		for _, r := range known {
			places = append(places, in(r, r))
		}
	} else {
		places = append(places, in("", known...))
	}
	return append(places, at(newRegions(w.trail.Partition()), ""))
}

func (w writer) marker(folder string, inOrganization bool) RequestSet {
	return w.place(w.layout.marker(folder, inOrganization), w.trail.region(), inOrganization)
}

func (w writer) markerOnly(id RequirementID, inOrganization bool) Requirement {
	return Requirement{
		ID: id, Action: "s3:PutObject",
		Resource: w.resource(inOrganization, w.trail.Account()+"/"+logFolder+"/"),
		Places:   []RequestSet{w.marker(logFolder, inOrganization)},
	}
}
