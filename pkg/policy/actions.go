package policy

import (
	"iter"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// resourceLevel is the kind of resource that an action works on.
type resourceLevel uint8

const (
	bucketLevel resourceLevel = 1 << iota
	objectLevel
	otherLevel // accounts, access points, jobs: nothing a resource's policy speaks of
)

// actionTable is the actions of S3 and the resources that each works on, a line
// for each, in order.
//
// Source: "Actions, resources, and condition keys for Amazon S3" in the Service
// Authorization Reference, list_amazons3.html, read in 2026; of the actions in
// it UpdateObjectEncryption is the newest. GetBucketEncryption and
// PutBucketEncryption are no actions there but API operations, and are written
// for actions all the same.
const actionTable = `
abortmultipartupload object
associateaccessgrantsidentitycenter other
bypassgovernanceretention object
createaccessgrant other
createaccessgrantsinstance other
createaccessgrantslocation other
createaccesspoint other
createaccesspointforobjectlambda other
createbucket bucket
createbucketmetadatatableconfiguration bucket
createjob other
createmultiregionaccesspoint other
createstoragelensgroup other
deleteaccessgrant other
deleteaccessgrantsinstance other
deleteaccessgrantsinstanceresourcepolicy other
deleteaccessgrantslocation other
deleteaccesspoint other
deleteaccesspointforobjectlambda other
deleteaccesspointpolicy other
deleteaccesspointpolicyforobjectlambda other
deletebucket bucket
deletebucketmetadatatableconfiguration bucket
deletebucketownershipcontrols bucket
deletebucketpolicy bucket
deletebucketpublicaccessblock bucket
deletebuckettagging bucket
deletebucketwebsite bucket
deleteinventoryconfiguration bucket
deletejobtagging other
deletemultiregionaccesspoint other
deleteobject object
deleteobjecttagging object
deleteobjectversion object
deleteobjectversiontagging object
deletestoragelensconfiguration other
deletestoragelensconfigurationtagging other
deletestoragelensgroup other
describejob other
describemultiregionaccesspointoperation other
dissociateaccessgrantsidentitycenter other
getaccelerateconfiguration bucket
getaccessgrant other
getaccessgrantsinstance other
getaccessgrantsinstanceforprefix other
getaccessgrantsinstanceresourcepolicy other
getaccessgrantslocation other
getaccesspoint other
getaccesspointconfigurationforobjectlambda other
getaccesspointforobjectlambda other
getaccesspointpolicy other
getaccesspointpolicyforobjectlambda other
getaccesspointpolicystatus other
getaccesspointpolicystatusforobjectlambda other
getaccountpublicaccessblock other
getanalyticsconfiguration bucket
getbucketabac bucket
getbucketacl bucket
getbucketcors bucket
getbucketencryption bucket
getbucketlocation bucket
getbucketlogging bucket
getbucketmetadatatableconfiguration bucket
getbucketnotification bucket
getbucketobjectlockconfiguration bucket
getbucketownershipcontrols bucket
getbucketpolicy bucket
getbucketpolicystatus bucket
getbucketpublicaccessblock bucket
getbucketrequestpayment bucket
getbuckettagging bucket
getbucketversioning bucket
getbucketwebsite bucket
getdataaccess other
getencryptionconfiguration bucket
getintelligenttieringconfiguration bucket
getinventoryconfiguration bucket
getjobtagging other
getlifecycleconfiguration bucket
getmetricsconfiguration bucket
getmultiregionaccesspoint other
getmultiregionaccesspointpolicy other
getmultiregionaccesspointpolicystatus other
getmultiregionaccesspointroutes other
getobject object
getobjectacl object
getobjectattributes object
getobjectlegalhold object
getobjectretention object
getobjecttagging object
getobjecttorrent object
getobjectversion object
getobjectversionacl object
getobjectversionattributes object
getobjectversionforreplication object
getobjectversiontagging object
getobjectversiontorrent object
getreplicationconfiguration bucket
getstoragelensconfiguration other
getstoragelensconfigurationtagging other
getstoragelensdashboard other
getstoragelensgroup other
initiatereplication both
listaccessgrants other
listaccessgrantsinstances other
listaccessgrantslocations other
listaccesspoints other
listaccesspointsforobjectlambda other
listallmybuckets other
listbucket bucket
listbucketmultipartuploads bucket
listbucketversions bucket
listcalleraccessgrants other
listjobs other
listmultipartuploadparts object
listmultiregionaccesspoints other
liststoragelensconfigurations other
liststoragelensgroups other
listtagsforresource bucket
objectowneroverridetobucketowner object
pausereplication both
putaccelerateconfiguration bucket
putaccessgrantsinstanceresourcepolicy other
putaccesspointconfigurationforobjectlambda other
putaccesspointpolicy other
putaccesspointpolicyforobjectlambda other
putaccesspointpublicaccessblock other
putaccountpublicaccessblock other
putanalyticsconfiguration bucket
putbucketabac bucket
putbucketacl bucket
putbucketcors bucket
putbucketencryption bucket
putbucketlogging bucket
putbucketnotification bucket
putbucketobjectlockconfiguration bucket
putbucketownershipcontrols bucket
putbucketpolicy bucket
putbucketpublicaccessblock bucket
putbucketrequestpayment bucket
putbuckettagging bucket
putbucketversioning bucket
putbucketwebsite bucket
putencryptionconfiguration bucket
putintelligenttieringconfiguration bucket
putinventoryconfiguration bucket
putjobtagging other
putlifecycleconfiguration bucket
putmetricsconfiguration bucket
putmultiregionaccesspointpolicy other
putobject object
putobjectacl object
putobjectlegalhold object
putobjectretention object
putobjecttagging object
putobjectversionacl object
putobjectversiontagging object
putreplicationconfiguration bucket
putstoragelensconfiguration other
putstoragelensconfigurationtagging other
replicatedelete object
replicateobject object
replicatetags object
restoreobject object
submitmultiregionaccesspointroutes other
tagresource bucket
untagresource bucket
updateaccessgrantslocation other
updatebucketmetadatainventorytableconfiguration bucket
updatebucketmetadatajournaltableconfiguration bucket
updatejobpriority other
updatejobstatus other
updateobjectencryption object
updatestoragelensgroup other
`

// listedActions yields the actions of the service, in lower case, and what they work on. What
// has no parts, as a key or a topic, counts as a bucket.
func (d Dialect) listedActions() iter.Seq2[string, resourceLevel] {
	return func(yield func(string, resourceLevel) bool) {
		for line := range strings.Lines(d.actions) {
			name, works, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if !found {
				continue
			}
			var level resourceLevel
			switch works {
			case "bucket", "key", "topic":
				level = bucketLevel
			case "object":
				level = objectLevel
			case "both":
				level = bucketLevel | objectLevel
			case "other":
				level = otherLevel
			}
			if !yield(name, level) {
				return
			}
		}
	}
}

// actionSet is a set of actions, a bit for each line of the table.
type actionSet [3]uint64

// actionsWhere returns the actions of which f is true.
func (d Dialect) actionsWhere(f func(name string, level resourceLevel) bool) actionSet {
	var set actionSet
	i := 0
	for name, level := range d.listedActions() {
		if f(name, level) {
			set[i/64] |= 1 << (i % 64)
		}
		i++
	}
	return set
}

// meet reports whether an action is in each of the sets.
func meet(a, b, c actionSet) bool {
	return a[0]&b[0]&c[0]|a[1]&b[1]&c[1]|a[2]&b[2]&c[2] != 0
}

// actionScope is what a text of an Action element means to the service.
type actionScope struct {
	actions actionSet // that the text describes
	levels  resourceLevel
	grade   grade
}

// scopeOf says which actions a text describes, on which resources those work, and
// whether the service takes the text. Of one that describes no action of S3 it is known
// that S3 refuses it ("Policy has invalid action"). But the list of actions grows, so a
// name that goes on where S3's do is taken for one that is not listed yet, and is only
// doubtful.
func (d Dialect) scopeOf(text string) actionScope {
	text = glob.LowerASCII(text)
	if text == "*" {
		return actionScope{levels: bucketLevel | objectLevel}
	}
	service, name, found := strings.Cut(text, ":")
	wildService := strings.ContainsAny(service, "*?") && glob.Parse(service).Match(glob.Text(d.Service))
	if !found || service != d.Service && !wildService || name == "" {
		return actionScope{grade: d.unlisted}
	}
	p := glob.Parse(name)
	var s actionScope
	s.actions = d.actionsWhere(func(known string, level resourceLevel) bool {
		matches := p.Match(glob.Text(known))
		if matches {
			s.levels |= level
		}
		return matches
	})
	switch {
	case s.levels == 0:
		s.levels, s.grade = bucketLevel|objectLevel, d.unlisted
		if d.plausible(p.Tokens, name) {
			s.grade = doubtful
		}
	case wildService:
		s.grade = doubtful
	}
	return s
}

// plausible reports whether an unlisted name may be an action of the service all the same:
// it begins with a verb that the service uses and with what it has, and is neither a
// misspelling of a name that is listed nor an operation that is no action.
func (d Dialect) plausible(tokens []glob.Token, name string) bool {
	for i := range len(name) {
		c := name[i]
		letter, digit := 'a' <= c && c <= 'z', '0' <= c && c <= '9'
		if !letter && !digit && c != '*' && c != '?' {
			return false
		}
	}
	if tokens[0].Op != glob.Literal {
		return false
	}
	head := tokens[0].Text.String()
	if len(tokens) > 1 {
		return d.hasVerb(head) && len(d.withoutVerb(head)) >= 3
	}
	for known := range d.listedActions() {
		if oneEditApart(known, name) {
			return false
		}
	}
	return d.hasVerb(name) && d.hasNoun(d.withoutVerb(name)) && !hasField(d.operations, name)
}

// operations are operations of S3's API of which the action has another name, and actions
// that are no more.
// Source: "Required permissions for Amazon S3 API operations" in the S3 user guide. S3
// was seen to refuse ListObjects (https://github.com/minio/minio/pull/5875) and
// ListBucketByTags (https://github.com/japan-d2/secure-stack-template-aws/issues/31).
const operations = `
createsession
deletebucketanalyticsconfiguration deletebucketcors deletebucketencryption deletebucketintelligenttieringconfiguration
deletebucketinventoryconfiguration deletebucketlifecycle deletebucketmetricsconfiguration deletebucketreplication deleteobjects
getbucketaccelerateconfiguration getbucketanalyticsconfiguration getbucketintelligenttieringconfiguration
getbucketinventoryconfiguration getbucketlifecycle getbucketlifecycleconfiguration getbucketmetricsconfiguration
getbucketnotificationconfiguration getbucketreplication getobjectlockconfiguration
listbucketanalyticsconfigurations listbucketbytags listbucketintelligenttieringconfigurations
listbucketinventoryconfigurations listbucketmetricsconfigurations listbuckets listobjects listobjectsv2 listobjectversions
putbucketaccelerateconfiguration putbucketanalyticsconfiguration putbucketintelligenttieringconfiguration
putbucketinventoryconfiguration putbucketlifecycle putbucketlifecycleconfiguration putbucketmetricsconfiguration
putbucketnotificationconfiguration putbucketreplication putobjectlockconfiguration
`

// nouns are what S3 has, as its actions' names say it.
const nouns = "access account bucket data job multiregion multipart object storage table vector"

// hasNoun reports whether the rest of an action's name begins with what the service has, and
// goes on.
func (d Dialect) hasNoun(rest string) bool {
	for noun := range strings.FieldsSeq(d.nouns) {
		if strings.HasPrefix(rest, noun) && len(rest) >= len(noun)+3 {
			return true
		}
	}
	return false
}

// verbs are those of S3's actions.
const verbs = "abort associate create delete describe dissociate get initiate list pause put replicate restore submit tag untag update"

// withoutVerb is what follows the verb of an action's name.
func (d Dialect) withoutVerb(name string) string {
	for v := range strings.FieldsSeq(d.verbs) {
		if rest, ok := strings.CutPrefix(name, v); ok {
			return rest
		}
	}
	return ""
}

// hasVerb reports whether a name begins with a verb of the actions, or is the
// beginning of one.
func (d Dialect) hasVerb(name string) bool {
	for v := range strings.FieldsSeq(d.verbs) {
		if strings.HasPrefix(name, v) && len(name) > len(v) || strings.HasPrefix(v, name) {
			return true
		}
	}
	return false
}

// oneEditApart reports whether b is a with one character added, left out,
// changed, or swapped with the next.
func oneEditApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) || a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// hasField reports whether a word is one of a text's.
func hasField(text, word string) bool {
	for field := range strings.FieldsSeq(text) {
		if field == word {
			return true
		}
	}
	return false
}

// CoversAction reports whether the Action or NotAction element takes in an action.
// Letter case does not matter.
func (s *Statement) CoversAction(action string) bool {
	text := glob.TextOf(glob.LowerASCII(action))
	listed := slices.ContainsFunc(s.Actions.List, func(pattern string) bool {
		return glob.Parse(glob.LowerASCII(pattern)).Match(text)
	})
	return listed != s.Actions.Not
}
