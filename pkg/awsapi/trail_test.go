package awsapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func trailIn(region, name string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: "arn:aws:cloudtrail:" + region + ":" + account + ":trail/" + name, HomeRegion: region, Bucket: "b-" + name,
	}
}

// manyTrails is an account with a trail of several regions, and trails of single
// other regions.
func manyTrails(t *testing.T) (*awsfake.Server, *awsapi.Trails) {
	t.Helper()
	fake := awsfake.New(t, account, region)
	multi := trailIn(region, "multi")
	multi.MultiRegion = true
	for _, tr := range []trail.Trail{multi, trailIn(otherRegion, "far"), trailIn(otherRegion, "farther"), trailIn("eu-north-1", "north")} {
		fake.PutTrail(awsfake.Trail{Trail: tr, Status: trail.Status{ARN: tr.ARN, Logging: true}})
	}
	return fake, awsapi.NewTrails(clients(fake, ""))
}

func names(trails []trail.Trail) string {
	var all []string
	for _, t := range trails {
		all = append(all, t.Name)
	}
	return strings.Join(all, " ")
}

func TestTrailsCostOneRoundWhereAllAreSeen(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	multi := trailIn(region, "multi")
	multi.MultiRegion = true
	fake.PutTrail(awsfake.Trail{Trail: multi})
	if _, err := awsapi.NewTrails(clients(fake, "")).Trails(t.Context(), account, otherRegion); err != nil {
		t.Fatal(err)
	}
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("%d calls, want 2", len(calls))
	}
}

// A trail that cannot be read makes the whole list fail.
func TestTrailThatCannotBeReadIsNotLeftOut(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		operation, region string
		fault             awsfake.Fault
		class             guardrail.Class
	}{
		"list denied":         {"cloudtrail:ListTrails", region, awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied},
		"list throttled":      {"cloudtrail:ListTrails", region, awsfake.Fault{Status: http.StatusBadRequest, Code: "ThrottlingException"}, guardrail.Transient},
		"describe fails":      {"cloudtrail:DescribeTrails", region, awsfake.Fault{Status: http.StatusInternalServerError}, guardrail.Transient},
		"other region denied": {"cloudtrail:DescribeTrails", "eu-north-1", awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied},
		"other region is cut": {"cloudtrail:DescribeTrails", otherRegion, awsfake.Fault{Drop: true}, guardrail.Transient},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake, trails := manyTrails(t)
			fake.Fail(func(c awsfake.Call) *awsfake.Fault {
				if c.Operation == test.operation && c.Region == test.region {
					return &test.fault
				}
				return nil
			})
			found, err := trails.Trails(t.Context(), account, region)
			if !guardrail.Is(err, test.class) || found != nil {
				t.Errorf("%s, %v; want class %v", names(found), err, test.class)
			}
		})
	}
}

func TestTrailDeletedInBetweenIsLeftOut(t *testing.T) {
	t.Parallel()
	fake, trails := manyTrails(t)
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "cloudtrail:DescribeTrails" && c.Region == otherRegion {
			fake.DeleteTrail(trailIn(otherRegion, "far").ARN)
		}
		return nil
	})
	found, err := trails.Trails(t.Context(), account, region)
	if err != nil || names(found) != "north multi farther" {
		t.Errorf("%s, %v", names(found), err)
	}
}

// A region that leaves trails out when it is asked for several is asked for
// each alone.
func TestTrailLeftOutOfABatchIsFound(t *testing.T) {
	t.Parallel()
	fake, trails := manyTrails(t)
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "cloudtrail:DescribeTrails" && strings.Contains(string(c.Body), "far") && strings.Contains(string(c.Body), "farther") &&
			strings.Count(string(c.Body), "arn:") > 1 {
			return &awsfake.Fault{Status: http.StatusOK}
		}
		return nil
	})
	found, err := trails.Trails(t.Context(), account, region)
	if err != nil || names(found) != "north multi far farther" {
		t.Errorf("%s, %v", names(found), err)
	}
}

func TestStatusIsAskedInTheHomeRegion(t *testing.T) {
	t.Parallel()
	fake, trails := manyTrails(t)
	if _, status, err := trails.Status(t.Context(), account, trailIn("eu-north-1", "north")); err != nil || !status.Logging {
		t.Errorf("%+v, %v", status, err)
	}
	if calls := fake.Calls(); len(calls) != 1 || calls[0].Region != "eu-north-1" {
		t.Errorf("%+v", calls)
	}
}

func TestSelectorsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		operation, code string
		fails           bool
	}{
		"selectors denied":         {"cloudtrail:GetEventSelectors", "AccessDeniedException", true},
		"aggregation denied":       {"cloudtrail:GetEventConfiguration", "AccessDeniedException", true},
		"no aggregation to be had": {"cloudtrail:GetEventConfiguration", "UnsupportedOperationException", false},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake, trails := manyTrails(t)
			tr := trailIn(region, "network")
			tr.CustomSelectors, tr.NetworkActivity = true, true
			fake.PutTrail(awsfake.Trail{Trail: tr, Status: trail.Status{Logging: true}})
			fake.Fail(always(test.operation, awsfake.Fault{Status: http.StatusBadRequest, Code: test.code}))
			asked := tr
			asked.NetworkActivity = false
			got, status, err := trails.Status(t.Context(), account, asked)
			if guardrail.Is(err, guardrail.Denied) != test.fails {
				t.Errorf("error %v", err)
			}
			if !status.Logging {
				t.Error("the status is lost")
			}
			if want := test.operation != "cloudtrail:GetEventSelectors"; got.NetworkActivity != want {
				t.Errorf("network activity %v, want %v", got.NetworkActivity, want)
			}
		})
	}
}

func TestOrganizationIsKeptForAWhile(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	organizations := awsapi.NewOrganizations(clients(fake, ""), func() time.Time { return now })
	for _, step := range []struct {
		later time.Duration
		calls int
	}{{0, 1}, {14 * time.Minute, 1}, {time.Minute, 2}} {
		now = now.Add(step.later)
		if _, err := organizations.Organization(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if n := len(fake.Calls()); n != step.calls {
			t.Errorf("%d calls after %v, want %d", n, step.later, step.calls)
		}
	}
	// A failure that may pass is not kept.
	now = now.Add(time.Hour)
	fake.Fail(always("organizations:DescribeOrganization", awsfake.Fault{Status: http.StatusInternalServerError}))
	if _, err := organizations.Organization(t.Context(), account); !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%v, want a transient failure", err)
	}
	fake.Fail(nil)
	if o, err := organizations.Organization(t.Context(), account); err != nil || !o.Known {
		t.Errorf("%+v, %v", o, err)
	}
	// Without a role, the organization of another account cannot be asked for.
	if o, err := organizations.Organization(t.Context(), stranger); err != nil || o.Known {
		t.Errorf("%+v, %v", o, err)
	}
}
