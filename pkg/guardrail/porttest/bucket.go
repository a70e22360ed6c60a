package porttest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Bucket is a bucket as a suite sets it up and reads it back, without the port.
type Bucket struct {
	Name, Owner, Region string
	Policy              string // JSON; empty: none
	Payer               string // "BucketOwner" or "Requester"
}

// BucketFixture is an account whose buckets a suite can set up.
type BucketFixture interface {
	// Port returns the implementation under test.
	Port() guardrail.Buckets
	// Account and Region are those of the port's caller. OtherAccount and
	// OtherRegion are empty where the implementation does not distinguish them.
	Account() string
	Region() string
	OtherAccount() string
	OtherRegion() string
	// Strict says that the implementation refuses policies that S3 refuses.
	Strict() bool
	// Put makes a bucket, Get reads it.
	Put(t testing.TB, b Bucket)
	Get(t testing.TB, name string) Bucket
}

// policyText is a policy with a form of its own: odd spacing, a scalar where a
// list could be, and a member that no one knows.
const policyText = `{ "Version":"2012-10-17", "Id" : "mine",
 "Statement": [{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},` +
	`"Action":"s3:GetObject","Resource":"arn:aws:s3:::NAME/*"}]}`

func policyOf(bucket string) string { return strings.ReplaceAll(policyText, "NAME", bucket) }

// Buckets runs the suite for guardrail.Buckets. Each test gets a fixture.
func Buckets(t *testing.T, fixture func(t *testing.T) BucketFixture) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s bucketSuite)
	}{
		{"policy is read as it is stored", readsPolicy},
		{"no policy", readsNoPolicy},
		{"no bucket", readsNoBucket},
		{"bucket of another region", followsRegion},
		{"bucket of another account is read as such", readsOtherOwner},
		{"bucket of another account is never written", writesNoOtherOwner},
		{"nothing is written where the owner is not known", writesNoUnknownOwner},
		{"policy is replaced and deleted", writesPolicy},
		{"unacceptable policies", refusesPolicies},
		{"writes to no bucket", writesNoBucket},
		{"request payer", resetsPayer},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, bucketSuite{fixture(t)}) })
	}
}

type bucketSuite struct{ BucketFixture }

// make makes a bucket of the caller and returns how to ask for it.
func (s bucketSuite) make(t *testing.T, name, policy string) guardrail.BucketRef {
	t.Helper()
	s.Put(t, Bucket{Name: name, Owner: s.Account(), Region: s.Region(), Policy: policy, Payer: "BucketOwner"})
	return s.ref(name)
}

func (s bucketSuite) ref(name string) guardrail.BucketRef {
	return guardrail.BucketRef{Name: name, Account: s.Account(), Region: s.Region()}
}

func (s bucketSuite) observe(t *testing.T, ref guardrail.BucketRef) delivery.Bucket {
	t.Helper()
	b, err := s.Port().Observe(t.Context(), ref)
	if err != nil {
		t.Fatalf("Observe(%s): %v", ref.Name, err)
	}
	if b.Name != ref.Name {
		t.Errorf("name is %q, want %q", b.Name, ref.Name)
	}
	if (b.Policy != nil) != (b.State == delivery.PolicyRead) {
		t.Errorf("state %d with policy %v: a policy is there only if it was read", b.State, b.Policy != nil)
	}
	return b
}

func (s bucketSuite) wantState(t *testing.T, ref guardrail.BucketRef, want delivery.BucketState) delivery.Bucket {
	t.Helper()
	b := s.observe(t, ref)
	if b.State != want {
		t.Fatalf("state of %s is %d (%s), want %d", ref.Name, b.State, b.Reason, want)
	}
	return b
}

func readsPolicy(t *testing.T, s bucketSuite) {
	ref := s.make(t, "porttest-read", policyOf("porttest-read"))
	b := s.wantState(t, ref, delivery.PolicyRead)
	if !sameJSON(t, b.Policy.Text(), []byte(policyOf("porttest-read"))) {
		t.Errorf("policy is %s", b.Policy.Text())
	}
	if b.Owner != s.Account() || b.Region != s.Region() || b.Payer != "BucketOwner" {
		t.Errorf("owner %q, region %q, payer %q", b.Owner, b.Region, b.Payer)
	}
}

func readsNoPolicy(t *testing.T, s bucketSuite) {
	b := s.wantState(t, s.make(t, "porttest-none", ""), delivery.PolicyMissing)
	if b.Payer != "BucketOwner" || b.Region != s.Region() {
		t.Errorf("payer %q, region %q: both are known without a policy", b.Payer, b.Region)
	}
}

func readsNoBucket(t *testing.T, s bucketSuite) {
	b := s.wantState(t, s.ref("porttest-missing"), delivery.BucketMissing)
	if b.Payer != "" {
		t.Errorf("payer of no bucket is %q", b.Payer)
	}
}

func followsRegion(t *testing.T, s bucketSuite) {
	if s.OtherRegion() == "" {
		return
	}
	const name = "porttest-elsewhere"
	s.Put(t, Bucket{Name: name, Owner: s.Account(), Region: s.OtherRegion(), Policy: policyOf(name), Payer: "Requester"})
	for range 2 { // the second time it is known where the bucket is
		b := s.wantState(t, s.ref(name), delivery.PolicyRead)
		if b.Region != s.OtherRegion() || b.Payer != "Requester" {
			t.Errorf("region %q, payer %q", b.Region, b.Payer)
		}
	}
	if err := s.Port().PutPolicy(t.Context(), s.ref(name), nil); err != nil {
		t.Fatalf("PutPolicy: %v", err)
	}
	if err := s.Port().ResetPayer(t.Context(), s.ref(name)); err != nil {
		t.Fatalf("ResetPayer: %v", err)
	}
	if b := s.Get(t, name); b.Policy != "" || b.Payer != "BucketOwner" {
		t.Errorf("after the writes: %+v", b)
	}
	// The bucket is made anew where the caller is.
	s.Put(t, Bucket{Name: name, Owner: s.Account(), Region: s.Region(), Policy: policyOf(name), Payer: "BucketOwner"})
	if b := s.wantState(t, s.ref(name), delivery.PolicyRead); b.Region != s.Region() {
		t.Errorf("region %q, want %q", b.Region, s.Region())
	}
}

func (s bucketSuite) makeOther(t *testing.T, name string) guardrail.BucketRef {
	t.Helper()
	s.Put(t, Bucket{Name: name, Owner: s.OtherAccount(), Region: s.Region(), Policy: policyOf(name), Payer: "Requester"})
	return s.ref(name)
}

func readsOtherOwner(t *testing.T, s bucketSuite) {
	if s.OtherAccount() == "" {
		return
	}
	b := s.wantState(t, s.makeOther(t, "porttest-other"), delivery.OtherOwner)
	if b.Reason == "" {
		t.Error("no reason is given")
	}
}

func writesNoOtherOwner(t *testing.T, s bucketSuite) {
	if s.OtherAccount() == "" {
		return
	}
	ref := s.makeOther(t, "porttest-other")
	for name, err := range map[string]error{
		"put":    s.Port().PutPolicy(t.Context(), ref, []byte(strings.ReplaceAll(policyOf(ref.Name), "Read", "Changed"))),
		"delete": s.Port().PutPolicy(t.Context(), ref, nil),
		"payer":  s.Port().ResetPayer(t.Context(), ref),
	} {
		if !guardrail.Is(err, guardrail.Denied) {
			t.Errorf("%s: %v, want class denied", name, err)
		}
	}
	if b := s.Get(t, ref.Name); !sameJSON(t, []byte(b.Policy), []byte(policyOf(ref.Name))) || b.Payer != "Requester" {
		t.Errorf("the bucket of another account was written: %+v", b)
	}
}

func writesNoUnknownOwner(t *testing.T, s bucketSuite) {
	ref := s.make(t, "porttest-unknown-owner", policyOf("porttest-unknown-owner"))
	ref.Account = ""
	if err := s.Port().PutPolicy(t.Context(), ref, nil); err == nil {
		t.Error("PutPolicy wrote to a bucket of an unknown owner")
	}
	if err := s.Port().ResetPayer(t.Context(), ref); err == nil {
		t.Error("ResetPayer wrote to a bucket of an unknown owner")
	}
	if b := s.Get(t, ref.Name); b.Policy == "" {
		t.Error("the policy is gone")
	}
}

func writesPolicy(t *testing.T, s bucketSuite) {
	ref := s.make(t, "porttest-write", "")
	for _, text := range []string{policyOf("porttest-write"), strings.ReplaceAll(policyOf("porttest-write"), "Read", "Again"), ""} {
		if err := s.Port().PutPolicy(t.Context(), ref, []byte(text)); err != nil {
			t.Fatalf("PutPolicy(%q): %v", text, err)
		}
		if got := s.Get(t, ref.Name).Policy; (text == "") != (got == "") || (text != "" && !sameJSON(t, []byte(got), []byte(text))) {
			t.Errorf("stored %q, want %q", got, text)
		}
	}
	s.wantState(t, ref, delivery.PolicyMissing)
	if err := s.Port().PutPolicy(t.Context(), ref, nil); err != nil {
		t.Errorf("deleting no policy: %v", err)
	}
}

func refusesPolicies(t *testing.T, s bucketSuite) {
	if !s.Strict() {
		return
	}
	ref := s.make(t, "porttest-refuse", policyOf("porttest-refuse"))
	long := strings.ReplaceAll(policyOf("porttest-refuse"), "mine", strings.Repeat("x", 20480))
	for name, text := range map[string]string{"no JSON": "{", "no statement": `{"Version":"2012-10-17"}`, "too long": long} {
		err := s.Port().PutPolicy(t.Context(), ref, []byte(text))
		if !guardrail.Is(err, guardrail.Rejected) {
			t.Errorf("%s: %v, want class rejected", name, err)
		}
	}
	if b := s.Get(t, ref.Name); !sameJSON(t, []byte(b.Policy), []byte(policyOf(ref.Name))) {
		t.Errorf("the policy was changed: %s", b.Policy)
	}
}

func writesNoBucket(t *testing.T, s bucketSuite) {
	ref := s.ref("porttest-missing")
	for name, err := range map[string]error{
		"put":    s.Port().PutPolicy(t.Context(), ref, []byte(policyOf(ref.Name))),
		"delete": s.Port().PutPolicy(t.Context(), ref, nil),
		"payer":  s.Port().ResetPayer(t.Context(), ref),
	} {
		if !guardrail.Is(err, guardrail.Missing) {
			t.Errorf("%s: %v, want class missing", name, err)
		}
	}
}

func resetsPayer(t *testing.T, s bucketSuite) {
	const name = "porttest-payer"
	s.Put(t, Bucket{Name: name, Owner: s.Account(), Region: s.Region(), Policy: policyOf(name), Payer: "Requester"})
	if b := s.wantState(t, s.ref(name), delivery.PolicyRead); b.Payer != "Requester" {
		t.Errorf("payer is %q, want Requester", b.Payer)
	}
	if err := s.Port().ResetPayer(t.Context(), s.ref(name)); err != nil {
		t.Fatalf("ResetPayer: %v", err)
	}
	if b := s.wantState(t, s.ref(name), delivery.PolicyRead); b.Payer != "BucketOwner" {
		t.Errorf("payer is %q, want BucketOwner", b.Payer)
	}
	if got := s.Get(t, name).Policy; !sameJSON(t, []byte(got), []byte(policyOf(name))) {
		t.Errorf("the policy was changed: %s", got)
	}
}

// sameJSON reports whether two texts are the same JSON value.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return cmp.Equal(x, y)
}
