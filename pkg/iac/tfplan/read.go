package tfplan

import (
	"io"
	"path"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// Options say what is known beside the plan. They are taken where the plan does not tell.
type Options struct {
	Account string
	Region  string
}

// Read reads a plan or a state. The error says in one line what is wrong with the text.
func Read(r io.Reader, o Options) (iac.Input, error) {
	d, err := read(r)
	if err != nil {
		return iac.Input{}, err
	}
	var addresses []string
	for _, c := range d.changes {
		addresses = append(addresses, c.Address)
	}
	for _, s := range d.prior {
		addresses = append(addresses, s.Address)
	}
	b := &builder{document: d, options: o, resolver: newResolver(d, addresses), documents: map[string]resourceChange{}}
	for _, c := range d.changes {
		if c.Mode == "data" && c.Type == typeDocument {
			b.documents[c.Address] = c
		}
	}
	if d.isState && !d.isPlan {
		for _, s := range d.prior {
			b.add(&b.after, s.Type, b.ofState(s), fate{})
		}
		b.setKeyPolicies()
		return iac.Input{OnlyAfter: true, After: []iac.Snapshot{b.after}, Organization: b.organization()}, nil
	}
	b.plan()
	in := iac.Input{Before: []iac.Snapshot{b.before}, After: []iac.Snapshot{b.after}, Failed: d.errored, Organization: b.organization()}
	switch {
	case d.errored:
		in.Partial = "planning ended with an error, so that it is not known what else would change"
	case d.complete != nil && !*d.complete:
		in.Partial = "it leaves out or puts off a part of the change, and tells nothing of that part"
	}
	return in, nil
}

// builder makes snapshots of a plan.
type builder struct {
	*document

	options       Options
	resolver      *resolver
	before, after iac.Snapshot
	byProvider    map[string][]string       // the accounts, by the key of the provider configuration
	documents     map[string]resourceChange // policy documents that are read at the apply, by address
	keyPolicies   []keyPolicy
}

// fate is what a plan does with an object.
type fate struct {
	was                    string // its address before, if another
	made, written, removed bool
}

func (b *builder) plan() {
	seen := map[string]bool{}
	for _, c := range b.changes {
		if c.Mode != "managed" {
			continue
		}
		was := c.Address
		if c.PreviousAddress != "" {
			was = c.PreviousAddress
		}
		seen[c.Address], seen[was] = true, true
		does := func(action string) bool { return slices.Contains(c.Change.Actions, action) }
		values, _ := c.Change.Before.(map[string]any)
		old := object{address: was, values: values, sensitive: c.Change.BeforeSensitive, refersTo: b.refersTo(c.Address)}
		f := fate{made: does("create"), written: does("create") || does("update"), removed: does("delete") && !does("create")}
		if was != c.Address {
			f.was = was
		}
		if c.Deposed != "" {
			// What is left of a replacement that failed. Its removal takes the policy away.
			if kind, _ := typeNamed(c.Type); kind == typePolicy && does("delete") {
				old.address += " (deposed)"
				b.add(&b.after, c.Type, old, fate{removed: true})
			}
			continue
		}
		if values != nil {
			b.add(&b.before, c.Type, old, fate{})
		}
		switch {
		case does("forget"):
			b.add(&b.after, c.Type, old, fate{}) // it stays as it is, in nobody's hands
		case f.removed:
			b.add(&b.after, c.Type, old, f)
		default:
			values, _ := c.Change.After.(map[string]any)
			b.add(&b.after, c.Type, object{
				address: c.Address, values: values, unknown: c.Change.AfterUnknown, sensitive: c.Change.AfterSensitive,
				refersTo: b.refersTo(c.Address),
			}, f)
			if does("delete") && b.leavesBehind(c, old) {
				old.address += " (as it was)"
				b.add(&b.after, c.Type, old, fate{removed: true})
			}
		}
	}
	// What is not among the changes stays as it is: the plan is of a part, or puts it off.
	for _, s := range b.prior {
		if s.Mode == "managed" && !seen[s.Address] {
			b.add(&b.before, s.Type, b.ofState(s), fate{})
			b.add(&b.after, s.Type, b.ofState(s), fate{})
		}
	}
	b.setKeyPolicies()
	b.order()
}

// leavesBehind reports whether the replacement of an object takes something away: a bucket or a
// policy from where it was before. A policy that is made anew for the same bucket is not taken
// away, unless the old one is removed last.
func (b *builder) leavesBehind(c resourceChange, old object) bool {
	kind, attributes := typeNamed(c.Type)
	attribute := object{names: attributes}.called("bucket")
	after, _ := c.Change.After.(map[string]any)
	name, _ := old.values[attribute].(string)
	same := name != "" && after[attribute] == name
	switch kind {
	case typeBucket:
		return !same
	case typePolicy:
		return !same || slices.Equal(c.Change.Actions, []string{"create", "delete"})
	}
	return false
}

func (b *builder) ofState(s stateResource) object {
	return object{address: s.Address, values: s.Values, sensitive: s.SensitiveValues, refersTo: b.refersTo(s.Address)}
}

// refersTo says what an attribute of a resource refers to, for people: by addresses from the
// root.
func (b *builder) refersTo(address string) func(string) []string {
	return func(attribute string) []string {
		var out []string
		for _, ref := range b.resolver.expression(address, attribute).refersTo {
			out = append(out, join(moduleOf(address), ref))
		}
		return out
	}
}

// add adds an object to a snapshot.
func (b *builder) add(to *iac.Snapshot, name string, o object, f fate) {
	kind, attributes := typeNamed(name)
	o.names = attributes
	switch kind {
	case typeBucket:
		b.addBucket(to, o, f)
	case typePolicy:
		p := iac.Policy{Origin: b.origin(o.address), Use: b.use(o, "bucket"), Written: f.written, Removed: f.removed}
		p.Text, p.Gaps = b.policyText(o)
		to.Policies = append(to.Policies, p)
	case typePayer:
		if !f.removed { // which sets nothing back
			to.Payers = append(to.Payers, iac.Payer{Origin: b.origin(o.address), Use: b.use(o, "bucket"), Payer: o.value("payer")})
		}
	case typeEncryption:
		e := iac.Encryption{Origin: b.origin(o.address), Use: b.use(o, "bucket"), BucketKeys: bucketKeys(o, "rule", o.values)}
		if f.removed { // which leaves what S3 does by itself
			e.BucketKeys = iac.Text("false")
		}
		to.Encryptions = append(to.Encryptions, e)
	case typeKey:
		if !f.removed {
			to.Keys = append(to.Keys, b.key(o, f))
		}
	case typeKeyPolicy:
		if !f.removed {
			b.keyPolicies = append(b.keyPolicies, keyPolicy{to, o})
		}
	case typeTopic:
		if !f.removed {
			to.Topics = append(to.Topics, b.topic(o, f))
		}
	case typeTopicPolicy:
		to.TopicPolicies = append(to.TopicPolicies, b.topicPolicy(o, f))
	case typeTrail:
		if !f.removed {
			to.Trails = append(to.Trails, b.trail(o, f))
		}
	}
}

// origin says where a resource is written. The source of a module that is not in a folder of
// the same repository is told by the block that calls it.
func (b *builder) origin(address string) iac.Origin {
	o := iac.Origin{Address: address}
	module, rest := splitModule(strings.TrimSuffix(address, " (deposed)"))
	all := steps(module)
	for i := 1; i < len(all); i += 2 {
		_, call := b.resolver.call(strings.Join(all[:i+1], "."))
		name, _ := cutIndex(all[i])
		if call == nil || !strings.HasPrefix(call.source, "./") && !strings.HasPrefix(call.source, "../") {
			o.Block = `module "` + name + `"`
			return o
		}
		o.Folder = path.Join(o.Folder, call.source)
	}
	if len(rest) == 2 {
		name, _ := cutIndex(rest[1])
		o.Block = `resource "` + rest[0] + `" "` + name + `"`
	}
	return o
}

// use is the bucket that an attribute names.
func (b *builder) use(o object, attribute string) iac.Use {
	u := iac.Use{Name: o.value(attribute)}
	if u.Name.State != iac.Known {
		u.At = b.resolver.bucket(o.address, o.called(attribute))
	}
	return u
}

func (b *builder) addBucket(to *iac.Snapshot, o object, f fate) {
	name := o.value("bucket")
	if name.State == iac.Absent {
		name = o.value("id")
	}
	bucket := iac.Bucket{
		Origin: b.origin(o.address), Name: name, Account: b.account(o.address), Region: b.region(o, "region", "bucket_region"),
		Made: f.made, Removed: f.removed,
	}
	// A policy that its own resource sets is as good as one of aws_s3_bucket_policy. Else the
	// attribute tells what was last read.
	policy := o.value("policy")
	switch set := b.resolver.expression(o.address, "policy").set; {
	case set && !f.removed && !policy.Is("") && policy.State != iac.Absent:
		p := iac.Policy{Origin: bucket.Origin, Use: iac.Use{Name: name, At: o.address}, Written: f.written}
		p.Text, p.Gaps = b.policyText(o)
		to.Policies = append(to.Policies, p)
	case !set && policy.State == iac.Known:
		bucket.Policy = policy
	}
	payer := o.value("request_payer")
	switch set := b.resolver.expression(o.address, "request_payer").set; {
	case set && payer.State != iac.Absent:
		to.Payers = append(to.Payers, iac.Payer{Origin: bucket.Origin, Use: iac.Use{Name: name, At: o.address}, Payer: payer})
	case !set && payer.State == iac.Known:
		bucket.Payer = payer
	}
	const encryption = "server_side_encryption_configuration"
	if list, _ := o.values[encryption].([]any); len(list) == 1 {
		inner, _ := list[0].(map[string]any)
		bucket.BucketKeys = bucketKeys(o, encryption, inner)
	}
	to.Buckets = append(to.Buckets, bucket)
}

// policyText is the text of a policy, with holes where it comes from a policy document of
// which a part is known. That the document is used as it is cannot be seen: of an expression
// the plan tells what it refers to only. An expression that refers to nothing but the
// document's JSON is taken for that.
func (b *builder) policyText(o object) (iac.Value, []iac.Gap) {
	v := o.value("policy")
	if v.State != iac.Unknown {
		return v, nil
	}
	t, ok := b.resolver.only(o.address, o.called("policy"))
	if !ok || typeOf(t.address) != "data."+typeDocument || t.attribute != "json" && t.attribute != "minified_json" {
		return v, nil
	}
	c, ok := b.documents[t.address]
	if !ok {
		return v, nil
	}
	text, gaps := policyDocument(c, b.refersTo(c.Address))
	if iac.HasMark(text) {
		return v, nil
	}
	v.State, v.Text = iac.Known, text
	v.Sensitive = v.Sensitive || anyMarked(c.Change.AfterSensitive)
	return v, gaps
}

func (b *builder) trail(o object, f fate) iac.Trail {
	t := iac.Trail{
		Origin: b.origin(o.address), Was: f.was, Made: f.made,
		ARN: orAbsent(o.value("arn")), Name: o.value("name"), Account: b.account(o.address), Region: b.region(o, "region", "home_region"),
		Use: b.use(o, "s3_bucket_name"), Prefix: orAbsent(o.value("s3_key_prefix")), Key: orAbsent(o.value("kms_key_id")),
		Topic:        orAbsent(o.value("sns_topic_name")),
		Organization: o.value("is_organization_trail"), MultiRegion: o.value("is_multi_region_trail"),
		Validation: o.value("enable_log_file_validation"), Logging: o.value("enable_logging"),
	}
	if t.ARN.State != iac.Known {
		t.ARN = iac.Value{}
	}
	if t.Name.State == iac.Unknown {
		t.Name.State, t.Name.Text = iac.Known, iac.Mark(iac.TrailMark, o.address)
	}
	t.Selectors, t.Network, t.Insights = selectors(o)
	return t
}

// selectors says whether a trail has event selectors, whether these ask for network activity events,
// and whether it has Insights selectors.
func selectors(o object) (selectors, network, insights iac.Value) {
	attribute := func(name string) iac.Value {
		return iac.Value{Attribute: o.called(name), Sensitive: anyMarked(child(o.sensitive, o.called(name)))}
	}
	isOpen := func(name string) bool { return anyMarked(child(o.unknown, o.called(name))) }
	length := func(name string) int { list, _ := o.values[o.called(name)].([]any); return len(list) }
	flag := func(v iac.Value, on bool) iac.Value {
		v.State, v.Text = iac.Known, "false"
		if on {
			v.Text = "true"
		}
		return v
	}
	selectors, network, insights = attribute("event_selector"), attribute("advanced_event_selector"), attribute("insight_selector")
	if isOpen("event_selector") || isOpen("advanced_event_selector") {
		selectors.State = iac.Unknown
		network = iac.Value{}
	} else {
		selectors = flag(selectors, length("event_selector")+length("advanced_event_selector") > 0)
		network = flag(network, asksForNetwork(o.values[o.called("advanced_event_selector")]))
	}
	if isOpen("insight_selector") {
		insights.State = iac.Unknown
	} else {
		insights = flag(insights, length("insight_selector") > 0)
	}
	return selectors, network, insights
}

func asksForNetwork(v any) bool {
	list, _ := v.([]any)
	for _, selector := range list {
		selector, _ := selector.(map[string]any)
		fields, _ := selector["field_selector"].([]any)
		if more, ok := selector["field_selectors"].([]any); ok { // of AWSCC
			fields = more
		}
		for _, f := range fields {
			f, _ := f.(map[string]any)
			values, _ := f["equals"].([]any)
			if f["field"] == "eventCategory" && slices.Contains(values, any("NetworkActivity")) {
				return true
			}
		}
	}
	return false
}

// account is the account of a resource: as its provider's caller identity says, or the ARNs of
// resources of the same provider. Where these say nothing, or different things, a mark stands for it.
func (b *builder) account(address string) iac.Value {
	if b.byProvider == nil {
		b.byProvider = b.accountsByProvider()
	}
	found := b.byProvider[b.provider(address)]
	if len(found) == 0 && b.options.Account != "" {
		found = []string{b.options.Account}
	}
	if len(found) == 1 {
		return iac.Text(found[0])
	}
	return iac.Text(iac.Mark(iac.AccountMark, ""))
}

// accountsByProvider are the accounts that the state tells, by the key of the provider configuration.
func (b *builder) accountsByProvider() map[string][]string {
	said, inferred := map[string][]string{}, map[string][]string{}
	note := func(of map[string][]string, provider, account string) {
		if account != "" && len(of[provider]) < 2 && !slices.Contains(of[provider], account) {
			of[provider] = append(of[provider], account)
		}
	}
	for _, s := range b.prior {
		if account, ok := s.Values["account_id"].(string); ok && s.Type == typeCaller {
			note(said, b.provider(s.Address), account)
		}
	}
	for at, accounts := range b.accounts {
		for _, account := range accounts {
			note(inferred, b.provider(at), account)
		}
	}
	for provider, accounts := range inferred {
		if len(said[provider]) == 0 {
			said[provider] = accounts
		}
	}
	return said
}

// organization is the id of the organization, where the state has it, of one only.
func (b *builder) organization() string {
	var found []string
	for _, s := range b.prior {
		if id, ok := s.Values["id"].(string); ok && s.Type == typeOrganization && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// provider is the key of a resource's provider configuration, empty if it is not known.
func (b *builder) provider(address string) string {
	if c := b.resolver.resource(address); c != nil {
		return c.provider
	}
	return ""
}

// region is the region of a resource: what one of the attributes says, or its provider.
func (b *builder) region(o object, attributes ...string) iac.Value {
	for _, name := range attributes {
		if v := o.value(name); v.State == iac.Known && v.Text != "" {
			return v
		}
	}
	provider := b.provider(o.address)
	e := b.regions[provider]
	if text, ok := e.constant.(string); ok {
		return iac.Text(text)
	}
	// The variables whose values a plan tells are those of the root module; "module.a:aws" is of another.
	if len(e.refersTo) == 1 && !strings.Contains(provider, ":") {
		if name, ok := strings.CutPrefix(e.refersTo[0], "var."); ok {
			if text, ok := b.variables[name].(string); ok {
				return iac.Text(text)
			}
		}
	}
	if b.options.Region != "" {
		return iac.Text(b.options.Region)
	}
	return iac.Value{State: iac.Unknown, Attribute: attributes[0], RefersTo: e.refersTo}
}

// order says for which policies the trails wait that are made. Instances of one resource wait for
// the same.
func (b *builder) order() {
	policies := map[string][]string{} // by the address of their configuration
	note := func(address string) {
		at := configurationOf(address)
		policies[at] = append(policies[at], address)
	}
	for _, p := range b.after.Policies {
		note(p.Address)
	}
	for _, p := range b.after.TopicPolicies {
		note(p.Address)
	}
	type order struct {
		waits map[string]bool
		known bool
	}
	orders := map[string]order{}
	for i := range b.after.Trails {
		t := &b.after.Trails[i]
		if !t.Made {
			continue
		}
		at := configurationOf(t.Address)
		o, found := orders[at]
		if !found {
			waits, known := b.resolver.waitsFor(t.Address)
			o = order{map[string]bool{}, known}
			for configuration := range waits {
				for _, address := range policies[configuration] {
					o.waits[address] = true
				}
			}
			orders[at] = o
		}
		t.Waits, t.WaitsKnown = o.waits, o.known
	}
}
