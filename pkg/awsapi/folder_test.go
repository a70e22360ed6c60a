package awsapi_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// The folders of a bucket elsewhere are listed page by page, and no object.
func TestFolders(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	objects := map[string]string{"AWSLogs/file": "", "AWSLogs/o-exampleorg1/111122223333/x": "", "other/AWSLogs/9/x": "", "p/AWSLogs/444455556666/x": ""}
	for i := range 2500 {
		objects[fmt.Sprintf("AWSLogs/%012d/CloudTrail/x", i)] = ""
	}
	fake.PutBucket(awsfake.Bucket{Name: "logs", Region: otherRegion, Objects: objects})
	buckets := awsapi.NewBuckets(clients(fake, ""))
	ref := guardrail.BucketRef{Name: "logs", Account: account, Region: region}
	got, err := buckets.Folders(t.Context(), ref, "AWSLogs/")
	if err != nil || len(got) != 2501 || !slices.Contains(got, "o-exampleorg1") || !slices.Contains(got, "000000002499") || slices.Contains(got, "file") {
		t.Errorf("%d folders, %v", len(got), err)
	}
	if got, err := buckets.Folders(t.Context(), ref, "p/AWSLogs/"); err != nil || !slices.Equal(got, []string{"444455556666"}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := buckets.Folders(t.Context(), ref, "none/AWSLogs/"); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// Whoever makes very many folders makes nobody list them all.
func TestFoldersAreBounded(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	objects := map[string]string{}
	for i := range guardrail.MaxFolders + 1500 {
		objects[fmt.Sprintf("AWSLogs/%012d/x", i)] = ""
	}
	fake.PutBucket(awsfake.Bucket{Name: "logs", Objects: objects})
	got, err := awsapi.NewBuckets(clients(fake, "")).Folders(t.Context(), guardrail.BucketRef{Name: "logs", Account: account, Region: region}, "AWSLogs/")
	if err != nil || len(got) != guardrail.MaxFolders || len(fake.Calls()) != 10 {
		t.Errorf("%d folders in %d calls, %v", len(got), len(fake.Calls()), err)
	}
}

// A bucket of somebody else is not looked into.
func TestFoldersOfOthers(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(awsfake.Bucket{Name: "logs", Owner: stranger, Objects: map[string]string{"AWSLogs/444455556666/x": ""}})
	got, err := awsapi.NewBuckets(clients(fake, "")).Folders(t.Context(), guardrail.BucketRef{Name: "logs", Account: account, Region: region}, "AWSLogs/")
	if got != nil || !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("%v, %v", got, err)
	}
}
