package trail

import (
	"slices"

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

// The requirements of a trail's key and topic, see [KeyRequirements] and
// [TopicRequirements].
const (
	KeyEncrypt   RequirementID = "key-encrypt"
	KeyDescribe  RequirementID = "key-describe"
	KeyDecrypt   RequirementID = "key-decrypt"
	TopicPublish RequirementID = "topic-publish"
	TopicKey     RequirementID = "topic-key"
)

// Target is what a requirement is asked of.
type Target string

// The targets. The key of a topic serves the topic.
const (
	OfBucket Target = "bucket"
	OfKey    Target = "key"
	OfTopic  Target = "topic"
)

// Target returns what the requirement is asked of.
func (id RequirementID) Target() Target {
	switch id {
	case KeyEncrypt, KeyDescribe, KeyDecrypt:
		return OfKey
	case TopicPublish, TopicKey:
		return OfTopic
	default:
		return OfBucket
	}
}

// RequirementIDs returns those of a bucket, in the order of the constants.
func RequirementIDs() []RequirementID {
	return []RequirementID{
		BucketACL, LogFiles, DigestFiles, InsightsFiles, NetworkActivityFiles, AggregatedFiles, ManagementAccountFiles, PreflightMarker,
	}
}

// Requirement is one kind of request that CloudTrail makes for a trail. It is
// met if every request of every set of the horizon now is allowed.
type Requirement struct {
	ID     RequirementID
	Action string
	// Resource is what people read: an ARN in which "*" and "<region>" stand
	// for what varies.
	Resource string
	Sets     []RequestSet
}

// RequestSet is a set of requests that differ in their resource only, or in the value of
// one context key.
type RequestSet struct {
	// Varies is that key, if it is not the resource that differs. Then Resource is the
	// one that is asked for, and Resources are the values.
	Varies, Resource string
	// Kind is the requirement of the bucket whose files they are for, where they vary.
	Kind RequirementID
	// Action is the one of these requests; empty: the requirement's.
	Action string
	// Only says with which setting of S3 Bucket Keys CloudTrail makes the requests, where
	// the setting is not known; empty: it makes them.
	Only Switch
	// Resources are the ARNs that CloudTrail may ask for. Its segments are named
	// "prefix", "organization", "account", "region", and "date" or "year",
	// "month" and "day". What the file's name repeats of them has their name
	// behind "file ". A region that AWS has yet to open has no segment of its
	// own, see [NewRegion].
	Resources glob.KeySet
	Caller    policy.Caller
	Context   policy.Context
	// Guess says that Resources holds more than CloudTrail will ask for,
	// because something is not known: an organization's id, how a prefix that
	// ends in a slash is joined. CloudTrail asks for one value of the segments
	// "prefix" and "organization" only, so a denial of some of them is not
	// certain to be one that CloudTrail meets.
	Guess bool
	// Horizon says how certain it is that CloudTrail makes these requests, and
	// Uncertain what it hangs on, for HorizonPerhaps only.
	Horizon   Horizon
	Uncertain Uncertainty
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
// region, and the regions of a trail make one set.
func ServiceRequirements(t Trail, s Environment) []Requirement {
	return requirements(t, s, false)
}

func requirements(t Trail, s Environment, regional bool) []Requirement {
	l := layout{t, s}
	acl := aclContext(t, s)
	put := putContext(acl, t, s)
	w := writer{layout: l, context: put, regional: regional}
	out := []Requirement{{
		ID: BucketACL, Action: "s3:GetBucketAcl", Resource: l.bucketARN(),
		Sets: []RequestSet{{Resources: glob.KeySet{fixed(l.bucketARN())}, Caller: w.caller(t.region()), Context: acl}},
	}, w.files(LogFiles, logFolder)}
	if t.LogFileValidation {
		digest := w.files(DigestFiles, digestFolder)
		digest.Sets = append(digest.Sets, w.marker(digestFolder, t.Organization))
		out = append(out, digest)
	}
	if t.InsightSelectors {
		out = append(out, w.files(InsightsFiles, insightFolder))
	}
	// Both take custom event selectors, which DescribeTrails does not show.
	if t.NetworkActivity || t.CustomSelectors && !t.SelectorsKnown {
		out = append(out, w.files(NetworkActivityFiles, networkFolder).perhapsIf(!t.NetworkActivity))
	}
	if t.Aggregated || t.CustomSelectors && !t.ConfigurationKnown {
		out = append(out, w.files(AggregatedFiles, aggregateFolder).perhapsIf(!t.Aggregated))
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

func (w writer) requests(resources glob.KeySet, region string, inOrganization bool) RequestSet {
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
	known, regions := w.knownAccounts(), regionsOf(w.trail, w.env)
	r.add(HorizonNow, w.sets(folder, known, regions.now, currentDates(w.env.Now)))
	r.add(HorizonPerhaps, uncertain(UncertainRegion, w.sets(folder, known, regions.perhaps, currentDates(w.env.Now))))
	if w.trail.Organization {
		// Accounts join an organization and leave it.
		all := slices.Concat(regions.now, regions.perhaps)
		r.add(HorizonPerhaps, uncertain(UncertainMember, w.sets(folder, anyAccount("account"), all, currentDates(w.env.Now))))
	}
	r.add(HorizonBacklog, w.sets(folder, known, regions.now, backlogDates(w.env.Now)))
	r.add(HorizonNewRegions, w.sets(folder, known, regions.later, currentDates(w.env.Now)))
	if w.trail.MultiRegion {
		for _, date := range currentDates(w.env.Now) {
			r.add(HorizonNewRegions, []RequestSet{w.set(folder, known, newRegions(w.trail.Partition()), "", date)})
		}
	}
	r.add(HorizonLaterDates, w.sets(folder, known, regions.now, laterDates(w.env.Now)))
	return r
}

// add adds request sets of a horizon.
func (r *Requirement) add(h Horizon, sets []RequestSet) {
	for _, s := range sets {
		s.Horizon = h
		r.Sets = append(r.Sets, s)
	}
}

// perhapsIf returns the requirement, if open as one of which it is not known
// whether CloudTrail makes its requests.
func (r Requirement) perhapsIf(open bool) Requirement {
	if !open {
		return r
	}
	var perhaps Requirement
	for _, s := range r.Sets {
		if s.Horizon == HorizonNow || s.Horizon == HorizonPerhaps {
			perhaps.add(HorizonPerhaps, uncertain(UncertainFeature, []RequestSet{s}))
		}
	}
	r.Sets = perhaps.Sets
	return r
}

func uncertain(u Uncertainty, sets []RequestSet) []RequestSet {
	for i := range sets {
		sets[i].Uncertain = u
	}
	return sets
}

// sets are the requests for files of regions: one set for all of them, or one
// for each where CloudTrail is known to the policy by another account in each.
func (w writer) sets(folder string, account glob.Segment, regions []string, dates []datePart) []RequestSet {
	if len(regions) == 0 {
		return nil
	}
	groups := [][]string{regions}
	if w.regional {
		groups = nil
		for _, r := range regions {
			groups = append(groups, []string{r})
		}
	}
	var out []RequestSet
	for _, names := range groups {
		for _, date := range dates {
			region := ""
			if len(names) == 1 {
				region = names[0]
			}
			out = append(out, w.set(folder, account, glob.KeySet{{Name: "region", Words: names}}, region, date))
		}
	}
	return out
}

func (w writer) set(folder string, account glob.Segment, regions glob.KeySet, region string, date datePart) RequestSet {
	return w.requests(w.layout.files(folder, account, regions, date), region, w.trail.Organization)
}

func (w writer) marker(folder string, inOrganization bool) RequestSet {
	return w.requests(w.layout.marker(folder, inOrganization), w.trail.region(), inOrganization)
}

func (w writer) markerOnly(id RequirementID, inOrganization bool) Requirement {
	return Requirement{
		ID: id, Action: "s3:PutObject",
		Resource: w.resource(inOrganization, w.trail.Account()+"/"+logFolder+"/"),
		Sets:     []RequestSet{w.marker(logFolder, inOrganization)},
	}
}
