package policy

import (
	"iter"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// resourceLevel is the kind of resource that an action works on.
type resourceLevel uint8

const (
	bucketLevel resourceLevel = 1 << iota
	objectLevel
	otherLevel // accounts, access points, jobs: nothing a bucket policy speaks of
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

// s3Actions yields the actions of S3, in lower case, and what they work on.
func s3Actions() iter.Seq2[string, resourceLevel] {
	return func(yield func(string, resourceLevel) bool) {
		for line := range strings.Lines(actionTable) {
			name, works, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if !found {
				continue
			}
			var level resourceLevel
			switch works {
			case "bucket":
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

// actionLevels says on which resources the actions that a pattern describes
// work. ok is false for a pattern that describes no action of S3. The list of
// actions grows, so a name that is well formed is taken for one that is not
// listed yet.
func actionLevels(text string) (levels resourceLevel, ok bool) {
	text = glob.LowerASCII(text)
	if text == "*" {
		return bucketLevel | objectLevel, true
	}
	service, name, found := strings.Cut(text, ":")
	if !found || service != "s3" || name == "" {
		return 0, false
	}
	p := glob.Parse(name)
	for known, level := range s3Actions() {
		if p.Match(glob.Text(known)) {
			levels |= level
		}
	}
	if levels != 0 {
		return levels, true
	}
	return bucketLevel | objectLevel, plausible(p.Tokens, name)
}

// plausible reports whether an unlisted name may be an action of S3 all the
// same: it begins with a verb that S3 uses and is no misspelling of a name
// that is listed.
func plausible(tokens []glob.Token, name string) bool {
	for i := range len(name) {
		c := name[i]
		letter, digit := 'a' <= c && c <= 'z', '0' <= c && c <= '9'
		if !letter && !digit && c != '*' && c != '?' {
			return false
		}
	}
	if len(tokens) > 1 || tokens[0].Op != glob.Literal {
		return tokens[0].Op != glob.Literal || hasVerb(string(tokens[0].Text))
	}
	for known := range s3Actions() {
		if oneEditApart(known, name) {
			return false
		}
	}
	return hasVerb(name)
}

// hasVerb reports whether a name begins with a verb of S3's actions, or is the
// beginning of one.
func hasVerb(name string) bool {
	const verbs = "abort associate create delete describe dissociate get initiate list pause put replicate restore submit tag untag update"
	for v := range strings.FieldsSeq(verbs) {
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
