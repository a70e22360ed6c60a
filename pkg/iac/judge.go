package iac

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Setting is what is known beside the plan or template.
type Setting struct {
	Organization   trail.Organization
	EnabledRegions map[string][]string // as in [trail.Environment]
	Now            time.Time
	// Trails are trails that are not in the plan.
	Trails []trail.Trail
}

// setting is what is known beside the plan, what was found in it, and how many steps, as
// [policy.Budget] counts them, may still be taken.
type setting struct {
	Setting

	admitted map[string]admitted // by the name of the bucket
	left     *int
	judged   map[string][]judged // by the key of the group
}

// judged is what was judged of a group. Most of what is in a plan does not change, and is judged once.
type judged struct {
	group     group
	admitted  admitted
	judgement *judgement
}

// maxJudged bounds how many forms of a bucket are kept to be found again.
const maxJudged = 4

// judge is the judgement on a group.
func (set setting) judge(g group) *judgement {
	name, _ := g.name.Settled()
	a := set.admitted[name]
	for _, old := range set.judged[g.key] {
		if reflect.DeepEqual(old.group, g) && reflect.DeepEqual(old.admitted, a) {
			return old.judgement.clone()
		}
	}
	j := g.judge(set)
	if len(set.judged[g.key]) < maxJudged {
		set.judged[g.key] = append(set.judged[g.key], judged{g, a, j.clone()})
	}
	return j
}

// clone is a copy that can be merged and left open by itself.
func (j *judgement) clone() *judgement {
	c := *j
	c.Report.Trails, c.Findings, c.gaps = slices.Clone(j.Report.Trails), slices.Clone(j.Findings), slices.Clone(j.gaps)
	c.addresses, c.unseen, c.madeUp = maps.Clone(j.addresses), maps.Clone(j.unseen), slices.Clone(j.madeUp)
	return &c
}

// Subject is what is given to [delivery.Judge].
type Subject struct {
	Bucket      delivery.Bucket
	Trails      []trail.Trail
	Environment trail.Environment
	// Policy is where the policy is written; nil: there is none, or it is not known.
	Policy *Policy
	// Chain are the keys and topics that were looked at, and Linked the trails with no others.
	Chain  delivery.Chain
	Linked []trail.Trail
	// Exact says that nothing of it is made up or left out, so that a change can be
	// planned for it.
	Exact bool
}

// judgement is what is known of one bucket at one time: what holds in all ways in which
// what is open may turn out.
type judgement struct {
	delivery.Report
	Subject

	gaps      []Gap // what is not known and leaves a verdict open
	origin    Origin
	label     string              // what to call the bucket
	hidden    hidden              // what is not to be shown
	addresses map[string]string   // of the trails of the plan, by ARN
	admitted  map[string]bool     // the trails of which the policy tells, by ARN
	unseen    map[string][]string // what of the trails is not looked at, by ARN
	trailless bool                // nothing is known of the trails that use it
	madeUp    []replacement
	chained   string // what was judged of keys and topics
	// chainPlaces is where the policies of keys and topics are written, by their ARNs.
	chainPlaces map[string]Origin
}

// replacement is what is shown in the place of a made-up name.
type replacement struct{ name, shown string }

// judge judges a bucket with the trails that use it, in all ways in which what is open may
// turn out.
func (g group) judge(set setting) *judgement {
	ways, o, complete := g.ways()
	payer, gaps := g.payer()
	o.untried = append(o.untried, gaps...)
	if g.key == "" && len(g.trails) > 0 {
		o.untried = append(o.untried, g.trails[0].Use.Name.gap(g.trails[0].Address))
	}
	if !complete {
		o.untried = append(o.untried, Gap{Address: "the ways in which " + g.label() + " may turn out"})
		ways = []way{{unknown: append(o.tried, o.untried...), trails: g.trails}}
	}
	var out *judgement
	for _, w := range ways {
		if j := g.judgeWay(w, payer, set); out == nil {
			out = j
		} else {
			out.merge(j, o.tried)
		}
	}
	if len(o.untried) > 0 {
		out.leaveOpen(o.untried)
	}
	if g.contested() {
		out.contest(g)
	}
	out.findOrder(g)
	return out
}

// judgeWay judges a bucket in one way. Payer is empty if it is not known.
func (g group) judgeWay(w way, payer string, set setting) *judgement {
	s := g.standIns(w)
	j := &judgement{
		origin: g.origin(w), label: g.label(), addresses: map[string]string{}, admitted: map[string]bool{}, unseen: map[string][]string{}, chainPlaces: map[string]Origin{},
		madeUp: s.replacements(g), gaps: slices.Clone(w.unknown), hidden: hidden{names: g.name.Sensitive},
	}
	j.Exact = s.none() && len(w.unknown) == 0
	j.setBucket(g, s)
	j.Subject.Bucket.Payer = payer
	stopped, nameless := j.addTrails(w.trails, s)
	j.addTrailsFromElsewhere(set)
	h := j.setPolicy(w, s)
	if *set.left <= 0 {
		h = holed{}
		j.unreadable(Gap{Address: "what is more than can be judged"})
	}
	budget := delivery.NewBudget(j.Subject.Bucket, j.Subject.Trails)
	j.Report = delivery.JudgeWithin(budget, j.Subject.Bucket, j.Subject.Trails, j.Environment)
	j.Report = delivery.JudgeStatus(j.Report, j.Subject.Trails, stopped, delivery.Evidence{})
	j.judgeChain(g, s, budget)
	*set.left -= budget.Used()
	for _, t := range nameless {
		id := "<" + t.Address + ">"
		j.addresses[id] = t.Address
		j.gaps = append(j.gaps, t.nameless())
		j.Report.Trails = append(j.Report.Trails, delivery.TrailReport{
			ARN: id, Verdict: delivery.Undetermined, Requirements: []delivery.RequirementReport{},
		})
	}
	j.Verdict = worst(j.Report.Trails)
	j.admitHoles(h)
	if s.account != "" && slices.ContainsFunc(j.Subject.Trails, func(t trail.Trail) bool { return t.Account() != s.account }) {
		// The account that is not known may be the one that is.
		j.leaveOpen([]Gap{{Address: "the account that is deployed to"}})
	}
	return j
}

// setBucket says of the bucket what its resource tells. It has no policy yet.
func (j *judgement) setBucket(g group, s standIns) {
	b := &j.Subject.Bucket
	b.State = delivery.PolicyMissing
	if b.Name = s.name; b.Name == "" {
		b.Name, _ = replaceMarks(g.name.Text, s.of)
	}
	if g.bucket == nil {
		return
	}
	b.Region, _ = g.bucket.Region.Settled()
	b.Owner, _ = replaceMarks(g.bucket.Account.Text, s.of)
	if g.bucket.Removed {
		b.State = delivery.BucketMissing
	}
}

// addTrails adds the trails of the plan, and returns those that do not log, and those of which too
// little is known to speak of them by an ARN.
func (j *judgement) addTrails(trails []Trail, s standIns) (stopped []trail.Status, nameless []Trail) {
	for _, t := range trails {
		j.hidden.names = j.hidden.names || t.sensitive()
		settled, ok := t.settle(j.Subject.Bucket.Name, s)
		if !ok {
			nameless = append(nameless, t)
			continue
		}
		if t.Logging.Is("false") {
			stopped = append(stopped, trail.Status{ARN: settled.ARN})
		}
		j.Subject.Trails = append(j.Subject.Trails, settled)
		j.addresses[settled.ARN] = t.Address
		j.unseen[settled.ARN] = t.unseen()
		if t.RegionAssumed {
			j.madeUp = append([]replacement{{settled.ARN, "<" + t.Address + ">"}}, j.madeUp...)
		}
	}
	return stopped, nameless
}

// addTrailsFromElsewhere adds the trails that were given beside the plan, and those that the policy
// admitted before, and says in which organization they are.
func (j *judgement) addTrailsFromElsewhere(set setting) {
	b := j.Subject.Bucket
	for _, t := range set.Trails {
		if t.Bucket == b.Name {
			j.Subject.Trails = append(j.Subject.Trails, t)
			j.unseen[t.ARN] = Trail{Key: Text(t.KMSKeyID), Topic: Text(t.SNSTopic)}.unseen()
		}
	}
	j.Environment = trail.Environment{
		Bucket: b.Name, BucketOwner: b.Owner, BucketRegion: b.Region,
		Organization: set.Organization, EnabledRegions: set.EnabledRegions, Now: set.Now,
	}
	a, ok := set.admitted[b.Name]
	if !ok {
		return
	}
	for _, t := range a.trails {
		j.Subject.Trails = append(j.Subject.Trails, t)
		j.admitted[t.ARN] = true
	}
	j.Environment.Organization = a.organization
	j.madeUp = append(slices.Clone(a.madeUp), j.madeUp...)
	j.Exact = j.Exact && len(a.madeUp) == 0
}

// setPolicy gives the bucket its policy, with holes where it is not known. One that is no JSON object
// is unreadable; S3 would refuse it.
func (j *judgement) setPolicy(w way, s standIns) holed {
	if w.policy != nil {
		j.Policy = w.policy
		j.hidden.policy = w.policy.Text.Sensitive
	}
	if len(w.unknown) > 0 {
		j.unreadable(w.unknown...)
		return holed{}
	}
	if w.policy == nil {
		return holed{}
	}
	h, err := punch(*w.policy, s)
	if err == nil {
		j.Subject.Bucket.Policy, err = policy.Parse(h.text)
	}
	if err != nil {
		j.unreadable(Gap{Address: w.policy.Address, Attribute: w.policy.Text.Attribute})
		return holed{}
	}
	j.Subject.Bucket.State = delivery.PolicyRead
	j.Exact = j.Exact && h.exact()
	return h
}

// unreadable says that nothing is known of the policy.
func (j *judgement) unreadable(gaps ...Gap) {
	j.Subject.Bucket.State, j.Subject.Bucket.Policy, j.Exact = delivery.Unreadable, nil, false
	for _, g := range gaps {
		j.gaps = addGap(j.gaps, g)
	}
}

// settle is the trail as CloudTrail describes it, with stand-ins for names that are
// not known. Ok is false if too little is known to speak of it by an ARN.
func (t Trail) settle(bucket string, s standIns) (out trail.Trail, ok bool) {
	out = trail.Trail{
		Bucket: bucket, MultiRegion: t.MultiRegion.on(), Organization: t.Organization.on(), LogFileValidation: t.Validation.on(),
		CustomSelectors: t.Selectors.on(), SelectorsKnown: t.Network.State == Known, NetworkActivity: t.Network.on(),
		InsightSelectors: t.Insights.on(),
	}
	out.Prefix, _ = replaceMarks(t.Prefix.Text, s.of)
	if key, settled := t.Key.Settled(); settled {
		out.KMSKeyID = key
	} else if t.Key.State == Known {
		out.KMSKeyID = anyKey
	}
	if text, settled := t.ARN.Settled(); settled {
		a, err := arn.ParseTrail(text)
		out.ARN, out.Name, out.HomeRegion = text, string(a.Name), string(a.Region)
		return out, err == nil
	}
	name, known := s.trails[t.Address]
	if !known {
		name, _ = replaceMarks(t.Name.Text, s.of)
	}
	account, _ := replaceMarks(t.Account.Text, s.of)
	region, err := arn.ParseRegion(t.Region.Text)
	if err != nil {
		return out, false
	}
	a := arn.TrailIn(region, arn.Account(account), arn.TrailName(name))
	out.ARN, out.Name, out.HomeRegion = a.String(), name, string(region)
	return out, arn.IsTrail(out.ARN)
}

// nameless is what keeps a trail from having an ARN.
func (t Trail) nameless() Gap {
	for _, v := range []Value{t.Region, t.Account, t.Name} {
		if v.State != Known {
			return v.gap(t.Address)
		}
	}
	return Gap{Address: t.Address, Attribute: t.Name.Attribute}
}

// unseen is what else a delivery depends on, and is not judged here.
func (t Trail) unseen() []string {
	var out []string
	if t.Key.State != Absent && !t.Key.Is("") {
		out = append(out, "key")
	}
	if t.Topic.State != Absent && !t.Topic.Is("") {
		out = append(out, "topic")
	}
	return out
}

// sensitive reports whether what is shown of a trail is not to be shown.
func (t Trail) sensitive() bool {
	shown := []Value{t.ARN, t.Name, t.Account, t.Region, t.Prefix, t.Key, t.Use.Name}
	return slices.ContainsFunc(shown, func(v Value) bool { return v.Sensitive })
}
