package iac

// Input is what a reader makes of a plan or template.
type Input struct {
	// Partial says why the plan tells only a part of what will be, in a phrase;
	// empty: it is whole.
	Partial string
	// Failed says that planning ended with an error: what the plan does not tell may
	// change too.
	Failed bool
	// OnlyAfter says that there is no state before: a template, or a state.
	OnlyAfter bool
	// Before and After are what there may be. There is more than one where
	// something leaves open which of them it is: each is one way in which the
	// conditions of a template may turn out.
	Before, After []Snapshot
	// Organization is the id of the organization, if the plan tells it: "o-…".
	Organization string
	// Assumed are what was taken for true, in phrases: "parameter Prefix has its default".
	Assumed []string
}

// Snapshot is what there is of trails, and of the buckets that they may use.
type Snapshot struct {
	Buckets  []Bucket
	Policies []Policy
	Payers   []Payer
	// Encryptions are the resources that set default encryptions of buckets.
	Encryptions []Encryption
	Trails      []Trail
	Keys        []Key
	Topics      []Topic
	// TopicPolicies are the resources that give topics their policies.
	TopicPolicies []TopicPolicy
	// Open are what is open and was assumed to turn out in one way, see [Input].
	Open []Gap
	// Untried are what is open and may turn out in ways that were not tried.
	Untried []Gap
	// Taken says how what is open was taken, by its name, for readers that compare snapshots.
	Taken map[string]string
}

// Bucket is an S3 bucket.
type Bucket struct {
	Origin
	Name    Value
	Account Value // the account that owns it
	Region  Value
	// Policy and Payer are what was last read of the bucket, for what no resource
	// sets. An empty policy is none.
	Policy, Payer Value
	// BucketKeys is whether its default encryption uses S3 Bucket Keys, "true" or "false", as its resource
	// says or as it was last read; absent: not known.
	BucketKeys Value
	// Made says that it is made, or made again under its name, by the change: it has
	// then no policy but one that is written after it. Removed says that the change
	// takes it away.
	Made, Removed bool
	// Kept says that it stays where its source does not have it any more.
	Kept bool
}

// Use is the bucket that a resource is for: by its name, or by the address of
// the bucket's resource where the name is not known.
type Use struct {
	Name Value
	At   string
}

// Policy is what gives a bucket its policy: a resource of its own, or the bucket's
// resource where the policy stands in it.
type Policy struct {
	Origin
	Use Use
	// Text is the policy as JSON. In it, null stands for what is not known, and is
	// told of in Gaps.
	Text Value
	Gaps []Gap
	// Written says that the change writes the policy, and Removed that it takes it
	// away: then it is there before and not after.
	Written, Removed bool
	Kept             bool // as of a bucket
	// Lines are the lines of the statements, where they are known; by index.
	Lines []int
}

// Payer is the resource that says who pays for requests to a bucket.
type Payer struct {
	Origin
	Use   Use
	Payer Value
}

// Encryption is the resource that sets the default encryption of a bucket.
type Encryption struct {
	Origin
	Use        Use
	BucketKeys Value // "true" or "false"
}

// Trail is a trail.
type Trail struct {
	Origin
	// Was is its address before, where that was another.
	Was                   string
	ARN                   Value // of a trail that exists; absent: it follows from the next three
	Name, Account, Region Value
	Use                   Use
	Prefix, Key, Topic    Value
	// Organization, MultiRegion, Validation and Logging are "true" or "false".
	Organization, MultiRegion, Validation, Logging Value
	// Selectors, Network and Insights say whether it has event selectors of its own,
	// for network activity events, and Insights selectors: "true" or "false".
	Selectors, Network, Insights Value
	// Waits are the addresses of the policies that are there before the trail is made.
	// WaitsKnown says that the order is known.
	Waits      map[string]bool
	WaitsKnown bool
	// RegionAssumed says that Region is one of those that it may be.
	RegionAssumed bool
	// Made says that the change makes the trail, or makes it anew.
	Made bool
	Kept bool // as of a bucket
}
