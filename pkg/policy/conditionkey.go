package policy

import (
	"iter"
	"strings"
)

// keyKnowledge is what is known of a condition key by its name.
type keyKnowledge uint8

const (
	// keyKnown is listed, or of another service, of which no list is kept here.
	keyKnown keyKnowledge = iota
	// keyPerhapsNew is not listed, but its name goes on where AWS's names do, so that it
	// may be newer than the list.
	keyPerhapsNew
	// keyUnknown is no key of the service's requests.
	keyUnknown
)

// globalKeys are the global condition keys, a line for each, in lower case. A name that
// ends in "/" has the rest from a tag.
//
// Source: "AWS global condition context keys", reference_policies_condition-keys.html, read
// in 2026. aws:SourceOwner is in old policies only.
const globalKeys = `
aws:assumedroot
aws:calledvia
aws:calledviaawsmcp
aws:calledviafirst
aws:calledvialast
aws:chatbotsourcearn
aws:currenttime
aws:ec2instancesourceprivateipv4
aws:ec2instancesourcevpc
aws:epochtime
aws:federatedprovider
aws:ismcpserviceaction
aws:multifactorauthage
aws:multifactorauthpresent
aws:principalaccount
aws:principalarn
aws:principalisawsservice
aws:principalorgid
aws:principalorgpaths
aws:principalservicename
aws:principalservicenameslist
aws:principaltag/
aws:principaltype
aws:referer
aws:requestedregion
aws:requesttag/
aws:resourceaccount
aws:resourceorgid
aws:resourceorgpaths
aws:resourcetag/
aws:securetransport
aws:sourceaccount
aws:sourcearn
aws:sourceidentity
aws:sourceip
aws:sourceorgid
aws:sourceorgpaths
aws:sourceowner
aws:sourcevpc
aws:sourcevpcarn
aws:sourcevpce
aws:tagkeys
aws:tokenissuetime
aws:useragent
aws:userid
aws:username
aws:viaawsmcpservice
aws:viaawsservice
aws:vpceaccount
aws:vpceorgid
aws:vpceorgpaths
aws:vpcsourceip
`

// keyTable is the condition keys of S3, and the actions whose requests may have each: a
// line for each key, in lower case. "*" is every action. A name that ends in "/" has the
// rest from a tag.
//
// Source: "Actions, resources, and condition keys for Amazon S3" in the Service
// Authorization Reference, list_amazons3.html, read in 2026. The keys of access points,
// access grants and tags of buckets stand with "*": a policy that hands a bucket over to
// its access points tests them for every action.
const keyTable = `
s3:accessgrantscope *
s3:accessgrantsinstancearn *
s3:accessgrantslocationscope *
s3:accesspointnetworkorigin *
s3:accesspointtag/ *
s3:annotation-prefix *
s3:authtype *
s3:buckettag/ *
s3:dataaccesspointaccount *
s3:dataaccesspointarn *
s3:delimiter listbucket listbucketversions listbucketmultipartuploads
s3:deliverysourcearn *
s3:destinationregion pausereplication
s3:existingjoboperation deletejobtagging putjobtagging updatejobpriority updatejobstatus
s3:existingjobpriority deletejobtagging putjobtagging updatejobpriority updatejobstatus
s3:existingobjecttag/ deleteobjecttagging deleteobjectversiontagging getobject getobjectacl getobjectattributes getobjecttagging getobjectversion getobjectversionacl getobjectversionattributes getobjectversiontagging putobjectacl putobjecttagging putobjectversionacl putobjectversiontagging
s3:if-match deleteobject putobject
s3:if-none-match putobject
s3:inventoryaccessibleoptionalfields putinventoryconfiguration
s3:inventoryfield *
s3:isreplicationpauserequest putreplicationconfiguration
s3:jobsuspendedcause updatejobstatus
s3:locationconstraint createaccesspoint createbucket
s3:logtype *
s3:max-annotation-results *
s3:max-keys listbucket listbucketversions listbucketmultipartuploads
s3:object-lock-legal-hold putobject putobjectlegalhold
s3:object-lock-mode putobject putobjectretention
s3:object-lock-remaining-retention-days putobject putobjectretention
s3:object-lock-retain-until-date putobject putobjectretention
s3:objectcreationoperation putobject
s3:prefix listbucket listbucketversions listbucketmultipartuploads
s3:requestjoboperation createjob
s3:requestjobpriority createjob updatejobpriority
s3:requestobjecttag/ bypassgovernanceretention putobject putobjecttagging putobjectversiontagging
s3:requestobjecttagkeys bypassgovernanceretention putobject putobjecttagging putobjectversiontagging
s3:resourceaccount *
s3:resourcearnbeingauthorized *
s3:signatureage *
s3:signatureversion *
s3:tlsversion *
s3:versionid deleteobjectversion deleteobjectversiontagging getobjectversion getobjectversionacl getobjectversionattributes getobjectversiontagging getobjectversiontorrent putobjectversionacl putobjectversiontagging
s3:x-amz-acl bypassgovernanceretention createaccesspoint createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-bucket-namespace createbucket
s3:x-amz-content-sha256 *
s3:x-amz-copy-source bypassgovernanceretention putobject
s3:x-amz-grant-full-control bypassgovernanceretention createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-grant-read bypassgovernanceretention createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-grant-read-acp bypassgovernanceretention createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-grant-write bypassgovernanceretention createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-grant-write-acp bypassgovernanceretention createbucket putbucketacl putobject putobjectacl putobjectversionacl
s3:x-amz-metadata-directive bypassgovernanceretention putobject
s3:x-amz-object-annotation-directive *
s3:x-amz-object-if-match *
s3:x-amz-object-ownership createbucket
s3:x-amz-server-side-encryption bypassgovernanceretention putobject replicateobject updateobjectencryption
s3:x-amz-server-side-encryption-aws-kms-key-id bypassgovernanceretention putobject replicateobject updateobjectencryption
s3:x-amz-server-side-encryption-customer-algorithm bypassgovernanceretention putobject replicateobject
s3:x-amz-storage-class bypassgovernanceretention putobject putobjectacl putobjectversionacl
s3:x-amz-website-redirect-location bypassgovernanceretention putobject
`

// actionsOfKey returns the actions whose requests may have a key of the service, separated by
// spaces, or "*". listed is false for a key that the service is not known to have.
func (d Dialect) actionsOfKey(key string) (actions string, listed bool) {
	name := d.tableName(key)
	_, rest, listed := strings.Cut(d.keys, "\n"+name+" ")
	actions, _, _ = strings.Cut(rest, "\n")
	ofFamily := name != key && strings.HasSuffix(name, ":")
	return actions, listed && (ofFamily || !strings.HasSuffix(key, "/") && !strings.HasSuffix(key, ":"))
}

// lookUpKey says what is known of a key, by its lower-case name.
func (d Dialect) lookUpKey(key string) keyKnowledge {
	switch key {
	case "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:securetransport", "aws:principalorgid", "aws:sourceip",
		"aws:principalarn", "aws:principalaccount", "aws:principalisawsservice", "aws:principalservicename", "aws:sourcevpce",
		"s3:x-amz-acl", "s3:x-amz-server-side-encryption", "s3:tlsversion":
		return keyKnown // of most policies; the tables have them too
	}
	listed, words := true, ""
	switch {
	case strings.HasPrefix(key, "aws:"):
		listed = strings.Contains(globalKeys, "\n"+d.tableName(key)+"\n") && !strings.HasSuffix(key, "/")
		words = "called ec2instance principal request resource source via vpc"
	case d.ownKey(key):
		_, listed = d.actionsOfKey(key)
		words = d.keyWords
	}
	switch {
	case listed:
		return keyKnown
	case goesOn(key, words) && !d.misspelt(key):
		return keyPerhapsNew
	}
	return keyUnknown
}

// goesOn reports whether the key's name begins with one of the words, as the names of keys
// do that AWS adds, and has more behind it.
func goesOn(key, words string) bool {
	_, name, _ := strings.Cut(key, ":")
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || strings.IndexByte(`*?"'$:`, c) >= 0 {
			return false
		}
	}
	for word := range strings.FieldsSeq(words) {
		if rest, ok := strings.CutPrefix(name, word); ok && len(strings.Trim(rest, "/")) >= 3 {
			return true
		}
	}
	return false
}

// misspelt reports whether the key is one edit from one that is listed.
func (d Dialect) misspelt(key string) bool {
	for known := range d.listedKeys() {
		if oneEditApart(known, key) {
			return true
		}
	}
	return false
}

// listedKeys yields the global keys and those of the service.
func (d Dialect) listedKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(globalKeys + d.keys) {
			if key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); key != "" && !yield(key) {
				return
			}
		}
	}
}

// crossServiceKey reports whether the key is of a session or an identity provider, or one
// that AWS documents for requests to other services than its own. Whether S3 takes it in a
// bucket policy is not known. Source: "AWS global condition context keys", Other
// cross-service condition keys; "IAM and AWS STS condition context keys".
func crossServiceKey(key string) bool {
	prefix, _, _ := strings.Cut(key, ":")
	switch prefix {
	case "codebuild", "ec2", "ecs", "glue", "identitystore", "lambda", "saml", "ssm", "sts":
		return true
	}
	return strings.Contains(prefix, ".")
}
