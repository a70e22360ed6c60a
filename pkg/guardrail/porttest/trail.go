package porttest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailFixture is an account whose trails a suite can set up.
type TrailFixture interface {
	// Port returns the implementation under test.
	Port() guardrail.Trails
	// Account and Region are those of the port's caller. OtherRegion is empty
	// where the implementation does not list trails of a single other region.
	Account() string
	Region() string
	OtherRegion() string
	// Selectors says that the implementation knows event selectors of network
	// activity and aggregation.
	Selectors() bool
	// Put makes a trail with what CloudTrail reports of it. Of the status a
	// fixture may be unable to set anything but Logging: it returns what holds.
	Put(t testing.TB, tr trail.Trail, s trail.Status) trail.Status
}

// Trails runs the suite for guardrail.Trails. Each test gets a fixture.
func Trails(t *testing.T, fixture func(t *testing.T) TrailFixture) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s trailSuite)
	}{
		{"no trails", noTrails},
		{"every trail once, from wherever it is asked", everyTrailOnce},
		{"status", readsStatus},
		{"selectors", readsSelectors},
		{"status of no trail", noTrailStatus},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, trailSuite{fixture(t)}) })
	}
}

type trailSuite struct{ TrailFixture }

func (s trailSuite) trail(name, region string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: "arn:aws:cloudtrail:" + region + ":" + s.Account() + ":trail/" + name,
		HomeRegion: region, Bucket: "porttest-" + name, Prefix: "logs", LogFileValidation: true,
	}
}

func (s trailSuite) list(t *testing.T, region string) []trail.Trail {
	t.Helper()
	trails, err := s.Port().Trails(t.Context(), s.Account(), region)
	if err != nil {
		t.Fatalf("Trails(%s): %v", region, err)
	}
	slices.SortFunc(trails, func(a, b trail.Trail) int { return strings.Compare(a.ARN, b.ARN) })
	return trails
}

func noTrails(t *testing.T, s trailSuite) {
	if trails := s.list(t, s.Region()); len(trails) != 0 {
		t.Errorf("trails of an empty account: %v", trails)
	}
}

func everyTrailOnce(t *testing.T, s trailSuite) {
	multi := s.trail("multi", s.Region())
	multi.MultiRegion, multi.GlobalEvents = true, true
	single := s.trail("single", s.Region())
	want := []trail.Trail{multi, single}
	regions := []string{s.Region()}
	if other := s.OtherRegion(); other != "" {
		regions = append(regions, other)
		for _, name := range []string{"far", "far-too"} {
			want = append(want, s.trail(name, other))
		}
	}
	for _, tr := range want {
		s.Put(t, tr, trail.Status{Logging: true})
	}
	slices.SortFunc(want, func(a, b trail.Trail) int { return strings.Compare(a.ARN, b.ARN) })
	for _, region := range regions {
		if diff := cmp.Diff(want, s.list(t, region)); diff != "" {
			t.Errorf("trails asked from %s (-want +got):\n%s", region, diff)
		}
	}
}

func readsStatus(t *testing.T, s trailSuite) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	statuses := map[string]trail.Status{
		"logging": {
			Logging: true, DeliveredAt: at, DigestDeliveredAt: at.Add(time.Hour), StartedLoggingAt: at.Add(-time.Hour), DeliveryAttempt: at,
		},
		"stopped": {StoppedLoggingAt: at, StartedLoggingAt: at.Add(-time.Hour)},
		"failing": {Logging: true, DeliveryError: "AccessDenied", DigestError: "KMS.DisabledException", NotificationError: "AuthorizationError", LogsError: "AccessDenied"},
		"new":     {Logging: true},
	}
	for name, status := range statuses {
		tr := s.trail(name, s.Region())
		status.ARN = tr.ARN
		want := s.Put(t, tr, status)
		same, got, err := s.Port().Status(t.Context(), s.Account(), tr)
		if err != nil {
			t.Errorf("Status(%s): %v", name, err)
			continue
		}
		if diff := cmp.Diff(tr, same); diff != "" {
			t.Errorf("trail %s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("status of %s (-want +got):\n%s", name, diff)
		}
	}
}

func readsSelectors(t *testing.T, s trailSuite) {
	if !s.Selectors() {
		return
	}
	for _, want := range []trail.Trail{
		{Name: "plain"},
		{Name: "data", CustomSelectors: true},
		{Name: "network", CustomSelectors: true, NetworkActivity: true},
		{Name: "aggregated", CustomSelectors: true, Aggregated: true},
		{Name: "silent", CustomSelectors: true, Unlogged: trail.Unlogged{Reads: true, Writes: true}},
		{Name: "reads", CustomSelectors: true, Unlogged: trail.Unlogged{Writes: true}},
		{Name: "without-kms", CustomSelectors: true, Unlogged: trail.Unlogged{Sources: "kms.amazonaws.com"}},
	} {
		made := s.trail(want.Name, s.Region())
		made.CustomSelectors, made.NetworkActivity, made.Aggregated = want.CustomSelectors, want.NetworkActivity, want.Aggregated
		made.Unlogged = want.Unlogged
		s.Put(t, made, trail.Status{ARN: made.ARN, Logging: true})
		made.SelectorsKnown, made.ConfigurationKnown = want.CustomSelectors, want.CustomSelectors
		asked := made
		asked.NetworkActivity, asked.Aggregated, asked.Unlogged = false, false, trail.Unlogged{}
		asked.SelectorsKnown, asked.ConfigurationKnown = false, false
		got, _, err := s.Port().Status(t.Context(), s.Account(), asked)
		if err != nil {
			t.Errorf("Status(%s): %v", want.Name, err)
			continue
		}
		made.Selectors = got.Selectors // of which the suite knows no more than what is above
		if diff := cmp.Diff(made, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
}

func noTrailStatus(t *testing.T, s trailSuite) {
	_, status, err := s.Port().Status(t.Context(), s.Account(), s.trail("gone", s.Region()))
	if !guardrail.Is(err, guardrail.Missing) {
		t.Errorf("status %+v, error %v; want class missing", status, err)
	}
}

// Organizations checks that the port knows the account's organization as it is.
// Members are not compared: an implementation knows those that it may read.
func Organizations(t *testing.T, port guardrail.Organizations, account string, want trail.Organization) {
	t.Helper()
	for range 2 { // the second answer may be one that was kept
		got, err := port.Organization(t.Context(), account)
		if err != nil {
			t.Fatalf("Organization: %v", err)
		}
		got.Members, want.Members = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("organization (-want +got):\n%s", diff)
		}
	}
}

// Alerts checks that published messages arrive as they are, in order.
func Alerts(t *testing.T, port guardrail.Alerts, received func(t testing.TB) []alert.Message) {
	t.Helper()
	want := []alert.Message{
		{
			Subject: "[CRITICAL] CloudTrail cannot deliver", Body: "first line\nsecond: <&> \"ü\"\n",
			Attributes: map[string]string{"kind": "opened", "severity": "CRITICAL"},
		},
		{Subject: "Resolved", Body: `{"kind":"resolved"}`, Attributes: map[string]string{"kind": "resolved"}},
	}
	for _, m := range want {
		if err := port.Publish(t.Context(), m); err != nil {
			t.Fatalf("Publish(%s): %v", m.Subject, err)
		}
	}
	if diff := cmp.Diff(want, received(t)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
