package trail_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// contexts are the contexts of the ACL check and of a write.
func contexts(t *testing.T, tr trail.Trail, s trail.Environment) (acl, put policy.Context) {
	t.Helper()
	return find(t, tr, s, trail.BucketACL).Sets[0].Context, find(t, tr, s, trail.LogFiles).Sets[0].Context
}

func TestContext(t *testing.T) {
	absent, either := policy.Value{}, policy.Value{State: policy.Either}
	foreign := policy.Value{State: policy.Either, AWSOwned: true}
	perhapsFalse := policy.Value{State: policy.Either, OneOf: []string{"false"}}
	setting := trail.Environment{
		BucketOwner: account, BucketRegion: "eu-west-1", Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Organization: trail.Organization{Known: true, ID: "o-exampleorg1"},
	}
	acl, put := contexts(t, mainOf(nil), setting)
	tests := []struct {
		key      string
		acl, put policy.Value
	}{
		{"aws:SourceArn", policy.Is("arn:aws:cloudtrail:us-east-1:111111111111:trail/main"), policy.Is("arn:aws:cloudtrail:us-east-1:111111111111:trail/main")},
		{"AWS:sourceaccount", policy.Is(account), policy.Is(account)},
		{"aws:SourceOrgID", policy.Value{State: policy.Either, OneOf: []string{"o-exampleorg1"}}, policy.Is("o-exampleorg1")},
		{"aws:PrincipalIsAWSService", policy.Is("true"), policy.Is("true")},
		{"aws:PrincipalServiceName", policy.Is("cloudtrail.amazonaws.com"), policy.Is("cloudtrail.amazonaws.com")},
		{"aws:PrincipalType", policy.Value{State: policy.Present}, policy.Value{State: policy.Present}},
		{"aws:PrincipalOrgID", absent, absent},
		{"aws:PrincipalOrgPaths", absent, absent},
		{"aws:PrincipalTag/team", absent, absent},
		{"aws:username", absent, absent},
		{"aws:PrincipalArn", foreign, foreign},
		{"aws:PrincipalAccount", foreign, foreign},
		{"aws:userid", foreign, foreign},
		{"aws:SourceIp", foreign, foreign},
		{"aws:SecureTransport", policy.Is("true"), policy.Is("true")},
		{"aws:SourceVpce", absent, absent},
		{"aws:SourceVpc", absent, absent},
		{"aws:VpceOrgID", absent, absent},
		{"aws:CalledViaLast", absent, absent},
		{"aws:ViaAWSService", perhapsFalse, perhapsFalse},
		{"aws:MultiFactorAuthPresent", perhapsFalse, perhapsFalse},
		{"aws:MultiFactorAuthAge", absent, absent},
		{"aws:ResourceAccount", policy.Is(account), policy.Is(account)},
		{"aws:ResourceOrgID", policy.Is("o-exampleorg1"), policy.Is("o-exampleorg1")},
		{"aws:RequestedRegion", policy.Is("eu-west-1"), policy.Is("eu-west-1")},
		{"aws:CurrentTime", policy.Is("2026-11-01T00:00:00Z"), policy.Is("2026-11-01T00:00:00Z")},
		{"aws:EpochTime", policy.Is("1793491200"), policy.Is("1793491200")},
		{"s3:TlsVersion", policy.Value{State: policy.Present, OneOf: []string{"1.2", "1.3"}}, policy.Value{State: policy.Present, OneOf: []string{"1.2", "1.3"}}},
		{"s3:signatureversion", policy.Is("AWS4-HMAC-SHA256"), policy.Is("AWS4-HMAC-SHA256")},
		{"s3:signatureAge", either, either},
		{"s3:x-amz-acl", absent, policy.Is("bucket-owner-full-control")},
		{"s3:x-amz-server-side-encryption", absent, policy.Is("AES256")},
		{"s3:x-amz-server-side-encryption-aws-kms-key-id", absent, absent},
		{"s3:x-amz-grant-full-control", absent, absent},
		{"s3:RequestObjectTag/x", absent, absent},
		{"s3:object-lock-mode", absent, absent},
		{"s3:if-none-match", absent, absent},
		{"s3:x-amz-storage-class", absent, absent},
		{"s3:x-amz-content-sha256", policy.Value{State: policy.Present}, policy.Value{State: policy.Present}},
		{"aws:TokenIssueTime", either, either},
		{"aws:KeyThatIsYetToCome", either, either},

		// Keys by rule: of other callers, of other operations, of other services.
		{"s3:KeyThatIsYetToCome", absent, absent},
		{"s3:AccessPointNetworkOrigin", absent, absent},
		{"s3:DataAccessPointAccount", absent, absent},
		{"s3:AccessGrantsInstanceArn", absent, absent},
		{"s3:ExistingObjectTag/owner", absent, absent},
		{"s3:if-match", absent, absent},
		{"s3:prefix", absent, absent},
		{"aws:Ec2InstanceSourceVPC", absent, absent},
		{"aws:Ec2InstanceSourcePrivateIPv4", absent, absent},
		{"ec2:RoleDelivery", absent, absent},
		{"ec2:SourceInstanceARN", absent, absent},
		{"lambda:SourceFunctionArn", absent, absent},
		{"saml:aud", absent, absent},
		{"sts:RoleSessionName", absent, absent},
		{"identitystore:UserId", absent, absent},
		{"kms:ViaService", absent, absent},
		{"token.actions.githubusercontent.com:sub", absent, absent},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.acl, acl.Lookup(tt.key)); diff != "" {
			t.Errorf("GetBucketAcl %s -want +got:\n%s", tt.key, diff)
		}
		if diff := cmp.Diff(tt.put, put.Lookup(tt.key)); diff != "" {
			t.Errorf("PutObject %s -want +got:\n%s", tt.key, diff)
		}
	}
}

func TestContextOfKMSTrail(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111111111111:key/k"
	const header = "s3:x-amz-server-side-encryption"
	tr := mainOf(func(t *trail.Trail) { t.KMSKeyID, t.LogFileValidation = key, true })
	for _, id := range []trail.RequirementID{trail.LogFiles, trail.DigestFiles, trail.PreflightMarker} {
		c := find(t, tr, trail.Environment{}, id).Sets[0].Context
		if diff := cmp.Diff(policy.Is("aws:kms"), c.Lookup(header)); diff != "" {
			t.Errorf("%s -want +got:\n%s", id, diff)
		}
		if diff := cmp.Diff(policy.Is(key), c.Lookup(header+"-aws-kms-key-id")); diff != "" {
			t.Errorf("%s -want +got:\n%s", id, diff)
		}
	}
	for _, alias := range []string{"alias/logs", "arn:aws:kms:us-east-1:111111111111:alias/logs"} {
		tr.KMSKeyID = alias
		_, put := contexts(t, tr, trail.Environment{})
		if got := put.Lookup(header + "-aws-kms-key-id"); got.State != policy.Present || got.Known {
			t.Errorf("key given by %s: %+v, want it present and unknown", alias, got)
		}
	}
}

func TestContextOfOrganization(t *testing.T) {
	tests := []struct {
		name     string
		trail    trail.Trail
		org      trail.Organization
		acl, put policy.State
	}{
		{"in one", mainOf(nil), trail.Organization{Known: true, ID: "o-exampleorg1"}, policy.Either, policy.Present},
		{"in one, and a member", mainOf(nil), trail.Organization{Known: true, ID: "o-exampleorg1", Members: []string{account}}, policy.Either, policy.Present},
		{"in one, and no member", mainOf(nil), trail.Organization{Known: true, ID: "o-exampleorg1", Members: []string{"222222222222"}}, policy.Either, policy.Either},
		{"in none", mainOf(nil), trail.Organization{Known: true}, policy.Absent, policy.Absent},
		{"not known", mainOf(nil), trail.Organization{}, policy.Either, policy.Either},
		{"organization trail, not known", mainOf(organizationTrail), trail.Organization{}, policy.Either, policy.Present},
		{"organization trail, said to be in none", mainOf(organizationTrail), trail.Organization{Known: true}, policy.Either, policy.Present},
	}
	for _, tt := range tests {
		acl, put := contexts(t, tt.trail, trail.Environment{Organization: tt.org})
		for _, key := range []string{"aws:SourceOrgID", "aws:SourceOrgPaths"} {
			if a, p := acl.Lookup(key).State, put.Lookup(key).State; a != tt.acl || p != tt.put {
				t.Errorf("%s: %s is %d and %d, want %d and %d", tt.name, key, a, p, tt.acl, tt.put)
			}
		}
	}
	// Whose organization the bucket is in is known only of the trail's own.
	other, _ := contexts(t, mainOf(nil), trail.Environment{BucketOwner: "999999999999", Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}})
	if got := other.Lookup("aws:ResourceOrgID"); got.State != policy.Either || got.Known {
		t.Errorf("ResourceOrgID of a bucket elsewhere: %+v, want it open", got)
	}
	none, _ := contexts(t, mainOf(nil), trail.Environment{BucketOwner: account, Organization: trail.Organization{Known: true}})
	if got := none.Lookup("aws:ResourceOrgID"); got.State != policy.Absent {
		t.Errorf("ResourceOrgID outside of organizations: %+v, want it absent", got)
	}
}
