package awsapi_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

const (
	name     = "trail-bucket"
	document = `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::trail-bucket/*"}]}`
)

func ref() guardrail.BucketRef {
	return guardrail.BucketRef{Name: name, Account: account, Region: region}
}

// withBucket is an account with one bucket.
func withBucket(t *testing.T) (*awsfake.Server, *awsapi.Buckets) {
	t.Helper()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(awsfake.Bucket{Name: name, Policy: document})
	return fake, awsapi.NewBuckets(clients(fake, ""))
}

// times answers with a fault for the first n calls of an operation.
func times(n int64, operation string, fault awsfake.Fault) func(awsfake.Call) *awsfake.Fault {
	var seen atomic.Int64
	return func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == operation && seen.Add(1) <= n {
			return &fault
		}
		return nil
	}
}

func always(operation string, fault awsfake.Fault) func(awsfake.Call) *awsfake.Fault {
	return times(1<<30, operation, fault)
}

func made(fake *awsfake.Server, operation string) []awsfake.Call {
	return slices.DeleteFunc(fake.Calls(), func(c awsfake.Call) bool { return c.Operation != operation })
}

func TestHealthyBucketCostsTwoReads(t *testing.T) {
	t.Parallel()
	fake, buckets := withBucket(t)
	if _, err := buckets.Observe(t.Context(), ref()); err != nil {
		t.Fatal(err)
	}
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("%d calls, want 2", len(calls))
	}
}

// Every call that reads or writes a bucket's settings names its owner, and so
// does one that follows a redirect.
func TestOwnerIsOnTheWire(t *testing.T) {
	t.Parallel()
	fake, buckets := withBucket(t)
	fake.PutBucket(awsfake.Bucket{Name: name, Policy: document, Region: otherRegion})
	_, err := buckets.Observe(t.Context(), ref())
	for _, failed := range []error{
		err,
		buckets.PutPolicy(t.Context(), ref(), []byte(document)),
		buckets.PutPolicy(t.Context(), ref(), nil),
		buckets.ResetPayer(t.Context(), ref()),
	} {
		if failed != nil {
			t.Fatal(failed)
		}
	}
	writes := 0
	for _, c := range fake.Calls() {
		if got := c.Header.Get("X-Amz-Expected-Bucket-Owner"); got != account {
			t.Errorf("%s names the owner %q", c.Operation, got)
		}
		if strings.HasPrefix(c.Operation, "s3:Put") || strings.HasPrefix(c.Operation, "s3:Delete") {
			writes++
		}
	}
	if writes != 3 {
		t.Errorf("%d writes were seen, want 3", writes)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	here := map[string]string{"X-Amz-Bucket-Region": region}
	there := map[string]string{"X-Amz-Bucket-Region": otherRegion}
	var once atomic.Int64
	for title, test := range map[string]struct {
		fail  func(awsfake.Call) *awsfake.Fault
		state delivery.BucketState
	}{
		// The payer's call may have found the region before: then the policy's first
		// call is redirected to where it was made.
		"temporary": {
			times(1, "s3:GetBucketPolicy", awsfake.Fault{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Header: there}),
			delivery.PolicyRead,
		},
		"temporary, from where the bucket is": {
			func(c awsfake.Call) *awsfake.Fault {
				if c.Operation == "s3:GetBucketPolicy" && c.Region == otherRegion && once.Add(1) == 1 {
					return &awsfake.Fault{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Header: there}
				}
				return nil
			},
			delivery.PolicyRead,
		},
		"without a header": {
			func(c awsfake.Call) *awsfake.Fault {
				if c.Operation == "s3:GetBucketPolicy" && c.Region == region {
					return &awsfake.Fault{Status: http.StatusMovedPermanently, Code: "PermanentRedirect"}
				}
				return nil
			},
			delivery.PolicyRead,
		},
		"signed for another region": {
			times(1, "s3:GetBucketPolicy", awsfake.Fault{Status: http.StatusBadRequest, Code: "AuthorizationHeaderMalformed", Header: there}),
			delivery.PolicyRead,
		},
		"to where it was asked": {
			always("s3:GetBucketPolicy", awsfake.Fault{Status: http.StatusMovedPermanently, Code: "PermanentRedirect", Header: here}),
			delivery.Unreadable,
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake, buckets := withBucket(t)
			fake.PutBucket(awsfake.Bucket{Name: name, Policy: document, Region: otherRegion})
			fake.Fail(test.fail)
			b, err := buckets.Observe(t.Context(), ref())
			if err != nil {
				t.Fatal(err)
			}
			if b.State != test.state {
				t.Errorf("state %d (%s), want %d", b.State, b.Reason, test.state)
			}
		})
	}
}

func TestOwnerOfADeniedBucket(t *testing.T) {
	t.Parallel()
	denied := awsfake.Fault{Status: http.StatusForbidden, Code: "AccessDenied", Message: "explicit deny in a service control policy"}
	for title, test := range map[string]struct {
		bucket awsfake.Bucket
		fail   func(awsfake.Call) *awsfake.Fault
		state  delivery.BucketState
		reason string
	}{
		"ours, seen by its head": {
			awsfake.Bucket{Policy: document},
			always("s3:GetBucketPolicy", denied),
			delivery.Unreadable, "s3:GetBucketPolicy answers AccessDenied: explicit deny in a service control policy",
		},
		"ours, found in the list": {
			awsfake.Bucket{Policy: document, Denied: true},
			nil,
			delivery.Unreadable, "AccessDenied",
		},
		"a stranger's, not in the list": {
			awsfake.Bucket{Owner: stranger, Policy: document},
			nil,
			delivery.OtherOwner, "does not belong to account 111122223333",
		},
		"a stranger's that we may read": {
			awsfake.Bucket{Policy: document},
			func(c awsfake.Call) *awsfake.Fault {
				if c.Header.Get("X-Amz-Expected-Bucket-Owner") != "" {
					return &denied
				}
				return nil
			},
			delivery.OtherOwner, "does not belong",
		},
		"the list is denied too": {
			awsfake.Bucket{Owner: stranger, Policy: document},
			always("s3:ListBuckets", denied),
			delivery.Unreadable, "AccessDenied",
		},
		"gone in between": {
			awsfake.Bucket{Policy: document},
			func(c awsfake.Call) *awsfake.Fault {
				if c.Operation == "s3:HeadBucket" {
					return &awsfake.Fault{Status: http.StatusNotFound}
				}
				return &denied
			},
			delivery.BucketMissing, "NoSuchBucket",
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake := awsfake.New(t, account, region)
			test.bucket.Name = name
			fake.PutBucket(test.bucket)
			fake.Fail(test.fail)
			b, err := awsapi.NewBuckets(clients(fake, "")).Observe(t.Context(), ref())
			if err != nil {
				t.Fatal(err)
			}
			if b.State != test.state || !strings.Contains(b.Reason, test.reason) || b.Policy != nil {
				t.Errorf("state %d, reason %q; want %d, %q", b.State, b.Reason, test.state, test.reason)
			}
		})
	}
}

func TestOtherAccountIsReachedByItsRole(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(awsfake.Bucket{Name: name, Owner: stranger, Policy: document})
	there := guardrail.BucketRef{Name: name, Account: stranger, Region: region}

	b, err := awsapi.NewBuckets(clients(fake, "ops/Trailwarden")).Observe(t.Context(), there)
	if err != nil || b.State != delivery.PolicyRead {
		t.Errorf("with the role: state %d (%s), %v", b.State, b.Reason, err)
	}
	assumed := made(fake, "sts:AssumeRole")
	if len(assumed) != 1 || !strings.Contains(string(assumed[0].Body), "arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fops%2FTrailwarden") {
		t.Errorf("%d roles assumed", len(assumed))
	}
	// Without one, it is not known whose bucket it is: our list does not tell.
	b, err = awsapi.NewBuckets(clients(fake, "")).Observe(t.Context(), there)
	if err != nil || b.State != delivery.Unreadable || !strings.Contains(b.Reason, "MethodNotAllowed") {
		t.Errorf("without a role: state %d (%s), %v", b.State, b.Reason, err)
	}
}

// Who may read in another account may not write there: that is another role.
func TestAnotherRoleWrites(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(awsfake.Bucket{Name: name, Owner: stranger, Policy: document})
	there := guardrail.BucketRef{Name: name, Account: stranger, Region: region}
	b := awsapi.NewBuckets(awsapi.NewClients(awsapi.Options{
		Config: fake.Config(), Account: account, Role: "trailwarden/reader", Restorer: "trailwarden/restorer", Endpoint: fake.URL,
	}))
	if seen, err := b.Observe(t.Context(), there); err != nil || seen.State != delivery.PolicyRead {
		t.Fatalf("state %d (%s), %v", seen.State, seen.Reason, err)
	}
	if err := b.PutPolicy(t.Context(), there, []byte(document)); err != nil {
		t.Fatal(err)
	}
	if err := b.ResetPayer(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, c := range made(fake, "sts:AssumeRole") {
		form, err := url.ParseQuery(string(c.Body))
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, form.Get("RoleArn"))
	}
	want := []string{"arn:aws:iam::444455556666:role/trailwarden/reader", "arn:aws:iam::444455556666:role/trailwarden/restorer"}
	if !slices.Equal(roles, want) {
		t.Errorf("roles %v", roles)
	}
}

// The role's ARN is one of the partition that the caller runs in.
func TestRoleIsOfThePartition(t *testing.T) {
	t.Parallel()
	for home, partition := range map[string]string{"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn", "eusc-de-east-1": "aws-eusc"} {
		fake := awsfake.New(t, account, home)
		fake.PutBucket(awsfake.Bucket{Name: name, Owner: stranger, Region: home, Policy: document})
		there := guardrail.BucketRef{Name: name, Account: stranger, Region: home}
		b, err := awsapi.NewBuckets(clients(fake, "Trailwarden")).Observe(t.Context(), there)
		if err != nil || b.State != delivery.PolicyRead {
			t.Errorf("%s: state %d (%s), %v", home, b.State, b.Reason, err)
		}
		assumed := made(fake, "sts:AssumeRole")
		if len(assumed) != 1 || !strings.Contains(string(assumed[0].Body), "arn%3A"+partition+"%3Aiam%3A%3A444455556666%3Arole%2FTrailwarden&") {
			t.Errorf("%s: %d roles assumed: %s", home, len(assumed), assumed[0].Body)
		}
	}
}

func TestReadsSurviveFaults(t *testing.T) {
	t.Parallel()
	for title, fault := range map[string]awsfake.Fault{
		"slow down": {Status: http.StatusServiceUnavailable, Code: "SlowDown"},
		"5xx":       {Status: http.StatusInternalServerError, Code: "InternalError"},
		"reset":     {Drop: true},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake, buckets := withBucket(t)
			fake.Fail(times(1, "s3:GetBucketPolicy", fault))
			if b, err := buckets.Observe(t.Context(), ref()); err != nil || b.State != delivery.PolicyRead {
				t.Errorf("once: state %d, %v", b.State, err)
			}
			for _, operation := range []string{"s3:GetBucketPolicy", "s3:GetBucketRequestPayment"} {
				fake.Fail(always(operation, fault))
				b, err := buckets.Observe(t.Context(), ref())
				if !guardrail.Is(err, guardrail.Transient) || b.State != delivery.Unreadable || b.Policy != nil {
					t.Errorf("%s for good: state %d, %v; want a transient failure", operation, b.State, err)
				}
			}
		})
	}
}

func TestObserveFailsClosed(t *testing.T) {
	t.Parallel()
	t.Run("policy that is no JSON", func(t *testing.T) {
		t.Parallel()
		fake, buckets := withBucket(t)
		fake.PutBucket(awsfake.Bucket{Name: name, Policy: `{"Statement":`})
		b, err := buckets.Observe(t.Context(), ref())
		if err != nil || b.State != delivery.Unreadable || b.Reason == "" {
			t.Errorf("state %d (%s), %v", b.State, b.Reason, err)
		}
	})
	t.Run("payer that may not be read", func(t *testing.T) {
		t.Parallel()
		fake, buckets := withBucket(t)
		fake.Fail(always("s3:GetBucketRequestPayment", awsfake.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}))
		b, err := buckets.Observe(t.Context(), ref())
		if err != nil || b.State != delivery.PolicyRead || b.Payer != "" || !strings.Contains(b.Reason, "request payer") {
			t.Errorf("state %d, payer %q (%s), %v", b.State, b.Payer, b.Reason, err)
		}
	})
	t.Run("bucket that goes between two reads", func(t *testing.T) {
		t.Parallel()
		fake, buckets := withBucket(t)
		fake.Fail(always("s3:GetBucketRequestPayment", awsfake.Fault{Status: http.StatusNotFound, Code: "NoSuchBucket"}))
		b, err := buckets.Observe(t.Context(), ref())
		if err != nil || b.State != delivery.BucketMissing || b.Policy != nil {
			t.Errorf("state %d (%s), %v", b.State, b.Reason, err)
		}
	})
	t.Run("no answer in time", func(t *testing.T) {
		t.Parallel()
		fake, buckets := withBucket(t)
		fake.Fail(always("s3:GetBucketPolicy", awsfake.Fault{Hang: time.Minute, Drop: true}))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if b, err := buckets.Observe(ctx, ref()); !guardrail.Is(err, guardrail.Transient) {
			t.Errorf("state %d, %v; want a transient failure", b.State, err)
		}
	})
}

// A write is made once: who repeats it has to read the bucket first.
func TestWritesAreNotRepeatedBlindly(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		fault awsfake.Fault
		class guardrail.Class
		after string
	}{
		"aborted":       {awsfake.Fault{Status: http.StatusConflict, Code: "OperationAborted"}, guardrail.Transient, document},
		"slow down":     {awsfake.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}, guardrail.Transient, document},
		"reset":         {awsfake.Fault{Drop: true}, guardrail.Transient, document},
		"lost response": {awsfake.Fault{Drop: true, Late: true}, guardrail.Transient, ""},
		"denied":        {awsfake.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}, guardrail.Denied, document},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake, buckets := withBucket(t)
			fake.Fail(times(1, "s3:DeleteBucketPolicy", test.fault))
			err := buckets.PutPolicy(t.Context(), ref(), nil)
			if !guardrail.Is(err, test.class) {
				t.Errorf("%v, want class %v", err, test.class)
			}
			if n := len(made(fake, "s3:DeleteBucketPolicy")); n != 1 {
				t.Errorf("written %d times", n)
			}
			if got := fake.Bucket(name).Policy; got != test.after {
				t.Errorf("policy is %q", got)
			}
			if err := buckets.PutPolicy(t.Context(), ref(), nil); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

func TestClientsAreSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	buckets := awsapi.NewBuckets(clients(fake, "role"))
	var wg sync.WaitGroup
	for i := range 16 {
		owner, where := account, region
		if i%2 == 1 {
			owner = stranger
		}
		if i%4 > 1 {
			where = otherRegion
		}
		bucket := name + "-" + string(rune('a'+i))
		fake.PutBucket(awsfake.Bucket{Name: bucket, Owner: owner, Region: where, Policy: document})
		wg.Go(func() {
			b, err := buckets.Observe(t.Context(), guardrail.BucketRef{Name: bucket, Account: owner, Region: region})
			if err != nil || b.State != delivery.PolicyRead || b.Region != where {
				t.Errorf("%s: state %d (%s), region %q, %v", bucket, b.State, b.Reason, b.Region, err)
			}
		})
	}
	wg.Wait()
	if n := len(made(fake, "sts:AssumeRole")); n != 1 {
		t.Errorf("the role was assumed %d times, want once", n)
	}
}
