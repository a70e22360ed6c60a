package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// level is the kind of resource that an action works on.
type level uint8

const (
	bucketLevel level = 1 << iota
	objectLevel
	otherLevel // accounts, access points, jobs: nothing a bucket policy speaks of
)

// The actions of S3 by the resource they work on, from "Actions, resources,
// and condition keys for Amazon S3" in the Service Authorization Reference.
const (
	bucketActions = ` createbucket createbucketmetadatatableconfiguration deletebucket deletebucketmetadatatableconfiguration
 deletebucketownershipcontrols deletebucketpolicy deletebucketpublicaccessblock deletebuckettagging deletebucketwebsite deleteinventoryconfiguration
 getaccelerateconfiguration getanalyticsconfiguration getbucketabac getbucketacl getbucketcors getbucketlocation
 getbucketlogging getbucketmetadatatableconfiguration getbucketnotification getbucketobjectlockconfiguration
 getbucketownershipcontrols getbucketpolicy getbucketpolicystatus getbucketpublicaccessblock
 getbucketrequestpayment getbuckettagging getbucketversioning getbucketwebsite getencryptionconfiguration
 getintelligenttieringconfiguration getinventoryconfiguration getlifecycleconfiguration getmetricsconfiguration
 getreplicationconfiguration listbucket listbucketmultipartuploads listbucketversions listtagsforresource
 putaccelerateconfiguration putanalyticsconfiguration putbucketabac putbucketacl putbucketcors putbucketlogging
 putbucketnotification putbucketobjectlockconfiguration putbucketownershipcontrols putbucketpolicy
 putbucketpublicaccessblock putbucketrequestpayment putbuckettagging putbucketversioning putbucketwebsite
 putencryptionconfiguration putintelligenttieringconfiguration putinventoryconfiguration putlifecycleconfiguration
 putmetricsconfiguration putreplicationconfiguration tagresource untagresource updatebucketmetadatainventorytableconfiguration
 updatebucketmetadatajournaltableconfiguration putbucketencryption getbucketencryption `
	objectActions = ` abortmultipartupload bypassgovernanceretention deleteobject deleteobjecttagging deleteobjectversion
 deleteobjectversiontagging getobject getobjectacl getobjectattributes getobjectlegalhold getobjectretention
 getobjecttagging getobjecttorrent getobjectversion getobjectversionacl getobjectversionattributes
 getobjectversionforreplication getobjectversiontagging getobjectversiontorrent listmultipartuploadparts
 objectowneroverridetobucketowner putobject putobjectacl putobjectlegalhold putobjectretention putobjecttagging
 putobjectversionacl putobjectversiontagging replicatedelete replicateobject replicatetags restoreobject
 updateobjectencryption `
	bothActions  = ` initiatereplication pausereplication `
	otherActions = ` associateaccessgrantsidentitycenter createaccessgrant createaccessgrantsinstance createaccessgrantslocation
 createaccesspoint createaccesspointforobjectlambda createjob createmultiregionaccesspoint createstoragelensgroup
 deleteaccessgrant deleteaccessgrantsinstance deleteaccessgrantsinstanceresourcepolicy deleteaccessgrantslocation
 deleteaccesspoint deleteaccesspointforobjectlambda deleteaccesspointpolicy deleteaccesspointpolicyforobjectlambda
 deletejobtagging deletemultiregionaccesspoint deletestoragelensconfiguration deletestoragelensconfigurationtagging
 deletestoragelensgroup describejob describemultiregionaccesspointoperation dissociateaccessgrantsidentitycenter
 getaccessgrant getaccessgrantsinstance getaccessgrantsinstanceforprefix getaccessgrantsinstanceresourcepolicy
 getaccessgrantslocation getaccesspoint getaccesspointconfigurationforobjectlambda getaccesspointforobjectlambda
 getaccesspointpolicy getaccesspointpolicyforobjectlambda getaccesspointpolicystatus
 getaccesspointpolicystatusforobjectlambda getaccountpublicaccessblock getdataaccess getjobtagging
 getmultiregionaccesspoint getmultiregionaccesspointpolicy getmultiregionaccesspointpolicystatus
 getmultiregionaccesspointroutes getstoragelensconfiguration getstoragelensconfigurationtagging getstoragelensdashboard
 getstoragelensgroup listaccessgrants listaccessgrantsinstances listaccessgrantslocations listaccesspoints
 listaccesspointsforobjectlambda listallmybuckets listcalleraccessgrants listjobs listmultiregionaccesspoints
 liststoragelensconfigurations liststoragelensgroups putaccessgrantsinstanceresourcepolicy
 putaccesspointconfigurationforobjectlambda putaccesspointpolicy putaccesspointpolicyforobjectlambda
 putaccesspointpublicaccessblock putaccountpublicaccessblock putjobtagging putmultiregionaccesspointpolicy
 putstoragelensconfiguration putstoragelensconfigurationtagging submitmultiregionaccesspointroutes
 updateaccessgrantslocation updatejobpriority updatejobstatus updatestoragelensgroup `
)

// actionLevels says on which resources the actions that a pattern describes
// work. ok is false for a pattern that describes no action of S3. The list of
// actions grows, so a name that is well formed is taken for one that is not
// listed yet.
func actionLevels(text string) (levels level, ok bool) {
	text = glob.LowerASCII(text)
	if text == "*" {
		return bucketLevel | objectLevel, true
	}
	service, name, found := strings.Cut(text, ":")
	if !found || service != "s3" || name == "" {
		return 0, false
	}
	p := newPattern(name, likeForm, false, false)
	for _, group := range [...]struct {
		level level
		names string
	}{
		{bucketLevel, bucketActions},
		{objectLevel, objectActions},
		{bucketLevel | objectLevel, bothActions},
		{otherLevel, otherActions},
	} {
		for known := range strings.FieldsSeq(group.names) {
			if p.compiled.Match(glob.Text(known)) {
				levels |= group.level
			}
		}
	}
	if levels != 0 {
		return levels, true
	}
	return bucketLevel | objectLevel, plausible(p.compiled.Tokens, name)
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
		return tokens[0].Op != glob.Literal || verb(string(tokens[0].Text))
	}
	for known := range strings.FieldsSeq(bucketActions + objectActions + otherActions) {
		if oneEditApart(known, name) {
			return false
		}
	}
	return verb(name)
}

// verb reports whether a name begins with a verb of S3's actions, or is the
// beginning of one.
func verb(name string) bool {
	for v := range strings.FieldsSeq("abort associate create delete describe dissociate get initiate list pause put replicate restore submit tag untag update") {
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
