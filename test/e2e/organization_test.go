package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// createBucketIn makes a bucket in another account.
func createBucketIn(t *testing.T, id, name string) {
	t.Helper()
	if status, out := send(t, "s3", http.MethodPut, "/"+name, map[string]string{accountHeader: id}, nil); status >= 300 {
		t.Fatalf("create %s in %s: %d %s", name, id, status, out)
	}
}

// centralPolicyOf lets CloudTrail write for the trails of accounts.
func centralPolicyOf(accounts []string) string {
	var trails, folders []string
	for _, id := range accounts {
		trails = append(trails, `"arn:aws:cloudtrail:`+region+`:`+id+`:trail/main"`)
		folders = append(folders, `"arn:aws:s3:::`+bucket+`/AWSLogs/`+id+`/*"`)
	}
	arns := "[" + strings.Join(trails, ",") + "]"
	return policy(aclCheck(arns),
		strings.Replace(write(arns, "PATH"), `"arn:aws:s3:::`+bucket+`/PATH"`, "["+strings.Join(folders, ",")+"]", 1))
}

// An organization of 41 accounts: thirty members' trails deliver into the bucket of a log
// archive that has no trail itself.
func TestOrganization(t *testing.T) {
	const members = 40
	z := deployHub(t, members)
	archive, owners := z.members[members-1], z.members[:30]
	createBucketIn(t, archive, bucket)
	putPolicy(t, bucket, centralPolicyOf(owners))
	// Somebody from outside has delivered, too.
	const guest = "555500005555"
	if status, out := send(t, "s3", http.MethodPut, "/"+bucket+"/AWSLogs/"+guest+"/CloudTrail/x", map[string]string{accountHeader: archive}, []byte("x")); status >= 300 {
		t.Fatalf("put an object: %d %s", status, out)
	}
	for _, id := range owners {
		createTrailIn(t, id)
	}
	createBucket(t, "hub-logs")
	putPolicy(t, "hub-logs", strings.NewReplacer(bucket, "hub-logs", trailARN, strings.Replace(trailARN, "/main", "/hub", 1)).Replace(documented()))
	createTrail(t, object{"Name": "hub", "S3BucketName": "hub-logs", "IsMultiRegionTrail": true})
	for _, id := range []string{archive, owners[0]} {
		z.forwards(id)
	}
	whole := func(want total) {
		t.Helper()
		if got := z.sweepsAll(); got != want {
			t.Errorf("the sweep came to %+v, want %+v", got, want)
		}
	}
	// Nobody has told anything yet: the first sweep finds it all, and whose the bucket is. 40 members and the management
	// account are asked beside the hub.
	whole(total{Accounts: members + 1, Trails: len(owners) + 1, Buckets: 2})
	z.told()
	// From then on those that have trails are asked with each sweep.
	healthy := total{Accounts: len(owners), Trails: len(owners) + 1, Buckets: 2}

	deletePolicy(t, bucket)
	z.happensIn(archive, "delete-bucket-policy")
	opened := z.told("opened")[0]
	for _, id := range owners {
		opened.says(t, id)
	}
	opened.says(t, "folders of accounts outside of the organization", guest) // the text is wrapped
	whole(healthy)
	z.told()
	putPolicy(t, bucket, centralPolicyOf(owners))
	z.happensIn(archive, "put-bucket-policy")
	z.told("resolved")

	// Without an event the sweep finds the same.
	deletePolicy(t, bucket)
	whole(healthy)
	opened = z.told("opened")[0]
	for _, id := range owners {
		opened.says(t, id)
	}
	putPolicy(t, bucket, centralPolicyOf(owners))
	whole(healthy)
	z.told("resolved")

	// A member whose role is gone is told once, and its trail stays watched.
	z.emulated.gone[owners[3]] = true
	unread := healthy
	unread.Unread = 1
	whole(unread)
	z.told("opened")[0].says(t, "1 of the 41 accounts of the organization could not be asked", owners[3])
	whole(unread)
	z.told()
	deletePolicy(t, bucket)
	z.happensIn(archive, "delete-bucket-policy")
	z.told("opened")[0].says(t, owners[3])
	putPolicy(t, bucket, centralPolicyOf(owners))
	z.happensIn(archive, "put-bucket-policy")
	z.told("resolved")
	delete(z.emulated.gone, owners[3])
	whole(healthy)
	z.told("resolved")

	// An event of an account that is no member is dropped, whatever it says.
	const stranger = "666600006666"
	createTrailIn(t, stranger)
	z.forwards(stranger)
	z.calls()
	z.happensIn(stranger, "create-trail")
	for op := range z.calls() {
		if !strings.HasPrefix(op, "dynamodb:") {
			t.Errorf("%s was called for a stranger", op)
		}
	}
	z.told()
}

// Parts that fail are lost, and no other with them. Their buckets and accounts are those of
// the next sweep.
func TestPartsOfASweepFail(t *testing.T) {
	z := deployHub(t, 30)
	createBucket(t, bucket)
	policy := centralPolicyOf(append([]string{account}, z.members...))
	putPolicy(t, bucket, policy)
	createTrail(t, object{"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true})
	for _, id := range z.members {
		createTrailIn(t, id)
	}
	if got, want := z.sweepsAll(), (total{Accounts: 31, Trails: 31, Buckets: 1}); got != want {
		t.Fatalf("the sweep came to %+v, want %+v", got, want)
	}
	z.told()
	z.emulated.lost = func(payload []byte) bool {
		return strings.Contains(string(payload), `"accounts"`) && !strings.Contains(string(payload), `"after"`) && !strings.Contains(string(payload), "finish")
	}
	deletePolicy(t, bucket)
	if got := z.sweepsAll(); got.Lost != 1 || got.Accounts >= 30 || got.Accounts == 0 || got.Buckets != 1 {
		t.Errorf("the sweep came to %+v", got)
	}
	z.told("opened")
	z.emulated.lost = func(payload []byte) bool {
		return strings.Contains(string(payload), `"buckets", "part"`) || strings.Contains(string(payload), `"step":"buckets"`)
	}
	if got := z.sweepsAll(); got.Lost != 1 || got.Accounts != 30 || got.Buckets != 0 {
		t.Errorf("the sweep came to %+v", got)
	}
	z.emulated.lost = nil
	putPolicy(t, bucket, policy)
	if got := z.sweepsAll(); got.Lost != 0 || got.Failed != 0 {
		t.Errorf("the sweep came to %+v", got)
	}
	z.told("resolved")
}

// A bucket of another account is restored by the role that may, and by no other.
func TestRestoreInAnotherAccount(t *testing.T) {
	z := deployHub(t, 3, restoring(bucket))
	archive, owner := z.members[0], z.members[1]
	createBucketIn(t, archive, bucket)
	putPolicy(t, bucket, centralPolicyOf([]string{owner}))
	createTrailIn(t, owner)
	createBucket(t, "hub-logs")
	putPolicy(t, "hub-logs", strings.ReplaceAll(documented(), bucket, "hub-logs"))
	createTrail(t, object{"Name": "main", "S3BucketName": "hub-logs", "IsMultiRegionTrail": true})
	z.forwards(archive)
	z.sweepsAll()
	z.told()
	deletePolicy(t, bucket)
	shared.aws.mu.Lock()
	shared.aws.calls = nil
	shared.aws.mu.Unlock()
	z.happensIn(archive, "delete-bucket-policy")
	z.told("restored")[0].says(t, owner)
	if policyOf(t, bucket) == "" {
		t.Error("the policy is not restored")
	}
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	wrote := 0
	for _, c := range shared.aws.calls {
		if c.Op == "s3:PutBucketPolicy" {
			wrote++
			if c.Role != "arn:aws:iam::"+archive+":role/trailwarden/restorer" {
				t.Errorf("written as %q", c.Role)
			}
		}
	}
	if wrote != 1 {
		t.Errorf("written %d times", wrote)
	}
}
