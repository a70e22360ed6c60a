package trail

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

const (
	digits       = "0123456789"
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	letters      = lowerLetters + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// aclContext is the request context of s3:GetBucketAcl. A key that is named
// nowhere may be there or not: what is not known never counts as harmless.
// Sources: the page of global condition keys in the IAM user guide, the
// CloudTrail user guide, and CloudTrail's own requests as they are logged.
func aclContext(t Trail, s Setting) policy.Context {
	c := policy.NewContext(policy.Value{State: policy.Either})
	// Families go first: each With copies what is there.
	for _, key := range absentKeys() {
		c = c.With(key, policy.Value{})
	}
	c = sourceKeys(c, t, s)
	c = identityKeys(c, t)
	c = networkKeys(c)
	c = placeKeys(c, t, s)
	return timeKeys(c, s.Now)
}

// absentKeys are the keys that no request of CloudTrail has. It is no member
// of an organization, comes from no customer's network, and sets no tags,
// grants, locks or storage class.
func absentKeys() []string {
	return []string{
		"aws:PrincipalOrg*", "aws:PrincipalTag/*", "aws:RequestTag/*",
		"aws:SourceVpc*", "aws:VpcSourceIp*", "aws:Vpce*", "aws:CalledVia*",
		"s3:RequestObjectTag*", "s3:x-amz-grant-*", "s3:object-lock-*", "s3:DataAccessPoint*",
		"s3:x-amz-server-side-encryption*",
		"aws:TagKeys", "aws:username", "aws:referer",
		"aws:MultiFactorAuthAge", "aws:FederatedProvider", "aws:SourceIdentity", "aws:AssumedRoot",
		"aws:ChatbotSourceArn",
		"s3:x-amz-acl", "s3:x-amz-storage-class", "s3:if-none-match", "s3:x-amz-website-redirect-location",
		"s3:prefix",
	}
}

// sourceKeys say on whose behalf CloudTrail asks: always the trail's owner,
// also for the files of an organization's members.
func sourceKeys(c policy.Context, t Trail, s Setting) policy.Context {
	c = c.With("aws:SourceArn", policy.Is(t.ARN))
	c = c.With("aws:SourceAccount", policy.Is(t.Account()))
	id, paths := ownerOrganization(t, s)
	// AWS's own policies do not agree on whether GetBucketAcl carries these.
	if id.State == policy.Present {
		if id.Known {
			id = policy.Value{OneOf: id.Values}
		}
		id.State, paths.State = policy.Either, policy.Either
	}
	return c.With("aws:SourceOrgID", id).With("aws:SourceOrgPaths", paths)
}

// ownerOrganization are aws:SourceOrgID and aws:SourceOrgPaths as a write
// carries them. The setting's organization is the owner's, unless its members
// are known and the owner is none of them.
func ownerOrganization(t Trail, s Setting) (id, paths policy.Value) {
	org := s.Organization
	listed := len(org.Members) == 0 || t.Account() == org.ManagementAccount || slices.Contains(org.Members, t.Account())
	switch {
	case org.ID != "" && (t.Organization || listed):
		return policy.Is(org.ID), policy.Value{State: policy.Present, Multi: true, Within: organizationPaths(org.ID)}
	case t.Organization:
		// Only an account of an organization owns an organization trail.
		return policy.Value{State: policy.Present, Within: []policy.Space{organizationIDs()}},
			policy.Value{State: policy.Present, Multi: true}
	case org.Known && org.ID == "":
		return policy.Value{}, policy.Value{}
	default:
		return policy.Value{State: policy.Either, Within: []policy.Space{organizationIDs()}},
			policy.Value{State: policy.Either, Multi: true}
	}
}

func organizationPaths(id string) []policy.Space {
	return []policy.Space{{
		fixed(id + "/r-"),
		{Class: lowerLetters + digits + "-/", Min: 4, Max: -1},
	}}
}

func identityKeys(c policy.Context, t Trail) policy.Context {
	names := []policy.Space{{fixed(ServicePrincipal)}}
	for _, r := range Regions(t.Partition()) {
		names = append(names, policy.Space{fixed(regionalPrincipal(r))})
	}
	if t.Partition() == "aws-cn" {
		names = append(names, policy.Space{fixed(chinaPrincipal)})
	}
	foreign := policy.Value{State: policy.Either, Foreign: true}
	c = c.With("aws:PrincipalIsAWSService", policy.Is("true"))
	c = c.With("aws:PrincipalServiceName", policy.Is(ServicePrincipal))
	c = c.With("aws:PrincipalServiceNamesList", policy.Value{
		State: policy.Present, Multi: true, Includes: []string{ServicePrincipal}, Within: names,
	})
	c = c.With("aws:PrincipalType", policy.Value{State: policy.Present})
	c = c.With("aws:PrincipalArn", foreign)
	c = c.With("aws:PrincipalAccount", foreign)
	return c.With("aws:userid", foreign)
}

func networkKeys(c policy.Context) policy.Context {
	perhapsFalse := policy.Value{State: policy.Either, OneOf: []string{"false"}}
	c = c.With("aws:SecureTransport", policy.Is("true"))
	c = c.With("aws:SourceIp", policy.Value{State: policy.Either, Foreign: true})
	c = c.With("aws:ViaAWSService", perhapsFalse)
	c = c.With("aws:MultiFactorAuthPresent", perhapsFalse)
	c = c.With("aws:UserAgent", policy.Value{State: policy.Present})
	c = c.With("s3:authType", policy.Is("REST-HEADER"))
	c = c.With("s3:signatureversion", policy.Is("AWS4-HMAC-SHA256"))
	return c.With("s3:TlsVersion", policy.Value{State: policy.Present, OneOf: []string{"1.2", "1.3"}})
}

func placeKeys(c policy.Context, t Trail, s Setting) policy.Context {
	owner := policy.Value{State: policy.Present, Within: []policy.Space{{anyAccount("")}}}
	if s.BucketOwner != "" {
		owner = policy.Is(s.BucketOwner)
	}
	region := policy.Value{State: policy.Present}
	if s.BucketRegion != "" {
		region = policy.Is(s.BucketRegion)
	}
	id, paths := bucketOrganization(t, s)
	c = c.With("aws:ResourceAccount", owner).With("s3:ResourceAccount", owner)
	c = c.With("aws:RequestedRegion", region)
	return c.With("aws:ResourceOrgID", id).With("aws:ResourceOrgPaths", paths)
}

// bucketOrganization are aws:ResourceOrgID and aws:ResourceOrgPaths. The
// bucket may belong to another organization than the trail.
func bucketOrganization(t Trail, s Setting) (id, paths policy.Value) {
	org, owner := s.Organization, s.BucketOwner
	in := owner != "" && (owner == t.Account() || owner == org.ManagementAccount || slices.Contains(org.Members, owner))
	switch {
	case in && org.ID != "":
		return policy.Is(org.ID), policy.Value{State: policy.Present, Multi: true, Within: organizationPaths(org.ID)}
	case in && org.Known && !t.Organization:
		return policy.Value{}, policy.Value{}
	default:
		return policy.Value{State: policy.Either, Within: []policy.Space{organizationIDs()}},
			policy.Value{State: policy.Either, Multi: true}
	}
}

func timeKeys(c policy.Context, now time.Time) policy.Context {
	current, epoch := policy.Value{State: policy.Present}, policy.Value{State: policy.Present}
	if !now.IsZero() {
		current = policy.Is(now.UTC().Format(time.RFC3339))
		epoch = policy.Is(strconv.FormatInt(now.Unix(), 10))
	}
	return c.With("aws:CurrentTime", current).With("aws:EpochTime", epoch)
}

// putContext is the request context of s3:PutObject, which has more to tell
// than that of the ACL check.
func putContext(acl policy.Context, t Trail, s Setting) policy.Context {
	id, paths := ownerOrganization(t, s)
	c := acl.With("aws:SourceOrgID", id).With("aws:SourceOrgPaths", paths)
	c = c.With("s3:x-amz-acl", policy.Is("bucket-owner-full-control"))
	if t.KMSKeyID == "" {
		// Said in so many words, so that the bucket's own default does not count.
		return c.With("s3:x-amz-server-side-encryption", policy.Is("AES256"))
	}
	key := policy.Value{State: policy.Present}
	if strings.HasPrefix(t.KMSKeyID, "arn:") {
		key = policy.Is(t.KMSKeyID)
	}
	c = c.With("s3:x-amz-server-side-encryption", policy.Is("aws:kms"))
	return c.With("s3:x-amz-server-side-encryption-aws-kms-key-id", key)
}
