package trail

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

const (
	digits       = "0123456789"
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	letters      = lowerLetters + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// aclContext is the request context of s3:GetBucketAcl.
//
// What is not set here follows from a rule, not from a list, so that a key that
// AWS has yet to add is right by default:
//
//   - A key with another prefix than "aws:" and "s3:" is absent. Such keys come
//     from the session or the instance of other callers ("ec2:", "lambda:",
//     "saml:", "sts:"), or from requests to other services ("kms:").
//   - An "s3:" key is present only if the service authorization reference lists
//     it for the action, and if CloudTrail's request has what it tells of: a
//     header that CloudTrail sends, or what every signed request has.
//   - An "aws:" key may be there or not. What is not known never counts as
//     harmless. Those that only other callers have are absent.
//
// Sources: the page of global condition keys in the IAM user guide; "Actions,
// resources, and condition keys for Amazon S3" in the service authorization
// reference; the CloudTrail user guide; and CloudTrail's own requests as they
// are logged.
func aclContext(t Trail, s Environment) policy.Context {
	keys := callerKeys(t, s)
	placeKeys(keys, t, s)
	timeKeys(keys, s.Now)
	signatureKeys(keys)
	return policy.NewContext(policy.Value{}).WithAll(keys)
}

// callerKeys are what every request for a trail says of who asks, for whom and from where.
// Whatever else begins with "aws:" may be there or not.
func callerKeys(t Trail, s Environment) map[string]policy.Value {
	keys := make(map[string]policy.Value, 80)
	keys["aws:*"] = policy.Value{State: policy.Either}
	for _, key := range keysOfOthers() {
		keys[key] = policy.Value{}
	}
	sourceKeys(keys, t, s)
	identityKeys(keys, t)
	networkKeys(keys)
	return keys
}

// keysOfOthers are the "aws:" keys that no request of CloudTrail has. It is no
// member of an organization, comes from no customer's network or instance, uses
// no customer's session, and tags nothing.
func keysOfOthers() []string {
	return []string{
		"aws:PrincipalOrg*", "aws:PrincipalTag/*", "aws:RequestTag/*", "aws:TagKeys", "aws:username",
		"aws:SourceVpc*", "aws:VpcSourceIp*", "aws:Vpce*", "aws:Ec2InstanceSource*", "aws:CalledVia*",
		"aws:MultiFactorAuthAge", "aws:FederatedProvider", "aws:SourceIdentity", "aws:AssumedRoot",
		"aws:ChatbotSourceArn", "aws:referer",
	}
}

// signatureKeys are what every request to S3 has that is signed in its header.
// How old the signature is, and what it says of the content, is not known.
func signatureKeys(keys map[string]policy.Value) {
	keys["s3:authType"] = policy.Is("REST-HEADER")
	keys["s3:signatureversion"] = policy.Is("AWS4-HMAC-SHA256")
	keys["s3:signatureAge"] = policy.Value{State: policy.Either}
	keys["s3:x-amz-content-sha256"] = policy.Value{State: policy.Present}
	keys["s3:TlsVersion"] = policy.Value{State: policy.Present, OneOf: []string{"1.2", "1.3"}}
}

// sourceKeys say on whose behalf CloudTrail asks: always the trail's owner,
// also for the files of an organization's members.
func sourceKeys(keys map[string]policy.Value, t Trail, s Environment) {
	keys["aws:SourceArn"] = policy.Is(t.ARN)
	keys["aws:SourceAccount"] = policy.Is(t.Account())
	id, paths := ownerOrganization(t, s)
	// AWS's own policies do not agree on whether GetBucketAcl carries these.
	if id.State == policy.Present {
		if id.Known {
			id = policy.Value{OneOf: id.Values}
		}
		id.State, paths.State = policy.Either, policy.Either
	}
	keys["aws:SourceOrgID"], keys["aws:SourceOrgPaths"] = id, paths
}

// ownerOrganization are aws:SourceOrgID and aws:SourceOrgPaths as a write
// carries them. The setting's organization is the owner's, unless its members
// are known and the owner is none of them.
func ownerOrganization(t Trail, s Environment) (id, paths policy.Value) {
	org := s.Organization
	ours := len(org.Members) == 0 || t.Account() == org.ManagementAccount || slices.Contains(org.Members, t.Account())
	if t.Organization { // it is its management account's
		ours = org.ManagementAccount == "" || t.Account() == org.ManagementAccount
	}
	switch {
	case org.ID != "" && ours:
		return policy.Is(org.ID), policy.Value{State: policy.Present, Multi: true, AtLeastOne: true, Within: organizationPaths(org.ID)}
	case t.Organization:
		// Only an account of an organization owns an organization trail.
		return otherThan(org.ID, policy.Present),
			policy.Value{State: policy.Present, Multi: true, AtLeastOne: true}
	case org.Known && org.ID == "":
		return policy.Value{}, policy.Value{}
	}
	return otherThan(org.ID, policy.Either), policy.Value{State: policy.Either, Multi: true, AtLeastOne: true}
}

// otherThan is the id of an organization of which it is only known that it is not this one.
func otherThan(id string, s policy.State) policy.Value {
	v := policy.Value{State: s, Within: []glob.KeySet{organizationIDs()}}
	if id != "" {
		v.Excludes = []string{id}
	}
	return v
}

func organizationPaths(id string) []glob.KeySet {
	return []glob.KeySet{{
		fixed(id + "/r-"),
		{Class: lowerLetters + digits + "-/", Min: 4, Max: -1},
	}}
}

func identityKeys(keys map[string]policy.Value, t Trail) {
	names := []glob.KeySet{{fixed(ServicePrincipal)}}
	for _, r := range Regions(t.Partition()) {
		names = append(names, glob.KeySet{fixed(regionalPrincipal(r))})
	}
	if t.Partition() == arn.China {
		names = append(names, glob.KeySet{fixed(chinaPrincipal)})
	}
	foreign := policy.Value{State: policy.Either, AWSOwned: true}
	keys["aws:PrincipalIsAWSService"] = policy.Is("true")
	keys["aws:PrincipalServiceName"] = policy.Is(ServicePrincipal)
	keys["aws:PrincipalServiceNamesList"] = policy.Value{
		State: policy.Present, Multi: true, Includes: []string{ServicePrincipal}, Within: names,
	}
	keys["aws:PrincipalType"] = policy.Value{State: policy.Present}
	keys["aws:PrincipalArn"] = foreign
	keys["aws:PrincipalAccount"] = foreign
	keys["aws:userid"] = foreign
}

func networkKeys(keys map[string]policy.Value) {
	perhapsFalse := policy.Value{State: policy.Either, OneOf: []string{"false"}}
	keys["aws:SecureTransport"] = policy.Is("true")
	keys["aws:SourceIp"] = policy.Value{State: policy.Either, AWSOwned: true}
	keys["aws:ViaAWSService"] = perhapsFalse
	keys["aws:MultiFactorAuthPresent"] = perhapsFalse
	keys["aws:UserAgent"] = policy.Value{State: policy.Present}
}

func placeKeys(keys map[string]policy.Value, t Trail, s Environment) {
	owner := policy.Value{State: policy.Present, Within: []glob.KeySet{{anyAccount("")}}}
	if s.BucketOwner != "" {
		owner = policy.Is(s.BucketOwner)
	}
	region := policy.Value{State: policy.Present}
	if s.BucketRegion != "" {
		region = policy.Is(s.BucketRegion)
	}
	id, paths := bucketOrganization(t, s)
	keys["aws:ResourceAccount"], keys["s3:ResourceAccount"] = owner, owner
	keys["aws:RequestedRegion"] = region
	keys["aws:ResourceOrgID"], keys["aws:ResourceOrgPaths"] = id, paths
}

// bucketOrganization are aws:ResourceOrgID and aws:ResourceOrgPaths. The
// bucket may belong to another organization than the trail.
func bucketOrganization(t Trail, s Environment) (id, paths policy.Value) {
	org, owner := s.Organization, s.BucketOwner
	in := owner != "" && (owner == t.Account() || owner == org.ManagementAccount || slices.Contains(org.Members, owner))
	switch {
	case in && org.ID != "":
		return policy.Is(org.ID), policy.Value{State: policy.Present, Multi: true, AtLeastOne: true, Within: organizationPaths(org.ID)}
	case in && org.Known && !t.Organization:
		return policy.Value{}, policy.Value{}
	default:
		return policy.Value{State: policy.Either, Within: []glob.KeySet{organizationIDs()}},
			policy.Value{State: policy.Either, Multi: true, AtLeastOne: true}
	}
}

func timeKeys(keys map[string]policy.Value, now time.Time) {
	current, epoch := policy.Value{State: policy.Present}, policy.Value{State: policy.Present}
	if !now.IsZero() {
		current = policy.Is(now.UTC().Format(time.RFC3339))
		epoch = policy.Is(strconv.FormatInt(now.Unix(), 10))
	}
	keys["aws:CurrentTime"], keys["aws:EpochTime"] = current, epoch
}

// putContext is the request context of s3:PutObject, which has more to tell
// than that of the ACL check.
func putContext(acl policy.Context, t Trail, s Environment) policy.Context {
	id, paths := ownerOrganization(t, s)
	keys := map[string]policy.Value{
		"aws:SourceOrgID":    id,
		"aws:SourceOrgPaths": paths,
		"s3:x-amz-acl":       policy.Is("bucket-owner-full-control"),
		// Said in so many words, so that the bucket's own default does not count.
		"s3:x-amz-server-side-encryption": policy.Is("AES256"),
	}
	if t.KMSKeyID != "" {
		key := policy.Value{State: policy.Present}
		// An alias is resolved: the request names the key itself.
		if a, err := arn.Parse(t.KMSKeyID); err == nil && strings.HasPrefix(a.Resource, "key/") {
			key = policy.Is(t.KMSKeyID)
		}
		keys["s3:x-amz-server-side-encryption"] = policy.Is("aws:kms")
		keys["s3:x-amz-server-side-encryption-aws-kms-key-id"] = key
	}
	return acl.WithAll(keys)
}
