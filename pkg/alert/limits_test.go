package alert_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// filled returns a notice in which every text comes from next and every list has
// n entries.
func filled(k alert.Kind, n int, next func() string) alert.Notice {
	s := alert.Notice{
		Kind: k, Incident: next(), Revision: n, Account: next(), AccountName: next(), Region: next(), At: at(51), Since: at(50), OptedIn: n%2 == 0,
		Failure: next(), Held: next(), Repairs: n, Window: time.Hour, Blind: true,
		Overwritten: []byte(next()),
		Report:      delivery.Report{Bucket: next(), Verdict: delivery.Blocked},
		Plan:        repair.Plan{Changed: true, Policy: []byte(next()), Diff: next(), ResetPayer: true},
		Mended:      []byte(next()), Organization: trail.Organization{ID: next()},
		Stack: alert.Stack{Account: next(), Region: next(), Table: next(), Runbook: next()},
	}
	if n > 0 {
		if sid, err := json.Marshal(next()); err == nil {
			s.Mended = []byte(`{"Sid":` + string(sid) + `}`)
		}
		s.Trails = []trail.Trail{{Name: next(), ARN: next(), HomeRegion: next(), Bucket: next(), Prefix: next(), KMSKeyID: next()}}
	}
	for i := range n {
		s.Report.Trails = append(s.Report.Trails, filledTrail(next))
		s.Report.Findings = append(s.Report.Findings, delivery.Finding{
			ID: next(), Kind: delivery.Outage, Severity: delivery.Critical, Trail: next(),
			Statements: []string{next()}, Message: next(), Remedy: next(), Restorable: i%2 == 0, Edit: next(),
		}, delivery.Finding{ID: "trail-stopped", Kind: delivery.Outage, Severity: delivery.High, Trail: next()})
		s.Report.Faults = append(s.Report.Faults, next())
		s.Changes = append(s.Changes, delivery.Change{
			Event: next(), Time: at(i % 60), Actor: next(), SourceIP: next(), UserAgent: next(), EventID: next(),
			Account: next(), Region: next(), ErrorCode: next(), Trail: next(),
			Via: next(), OnBehalfOf: next(), LinkedService: next(), Target: next(), Effect: next(), AccessKeyID: next(), MFA: next(),
		})
		s.Statuses = append(s.Statuses, trail.Status{ARN: next(), DeliveryError: next(), DigestError: next(), DeliveredAt: at(3)})
		s.Plan.Changes = append(s.Plan.Changes, repair.Change{Action: next(), Statement: next(), Reason: next()})
		s.Plan.Refused = append(s.Plan.Refused, repair.Refusal{Finding: next(), Trail: next(), Reason: next(), Edit: next()})
		s.Notes = append(s.Notes, next())
	}
	before := s.Report
	s.Before = &before
	return s
}

func filledTrail(next func() string) delivery.TrailReport {
	t := delivery.TrailReport{ARN: next(), Verdict: delivery.Blocked}
	for _, o := range []policy.Outcome{policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined} {
		t.Requirements = append(t.Requirements, delivery.RequirementReport{
			ID: trail.RequirementID(next()), Decision: o, Statements: []string{next(), next()}, Why: next(),
		})
	}
	return t
}

// monster is a notice with far too much of everything.
func monster() alert.Notice {
	line := strings.Repeat("a long statement\u2028\"\\é", 300) + "\n"
	return filled(alert.Opened, 300, func() string { return line })
}

// reporter is the part of a test that the checks use; rapid and the fuzzer have
// it, too.
type reporter interface {
	Errorf(format string, args ...any)
}

// check asserts what holds of every message.
func check(t reporter, m alert.Message, f alert.Format) {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len("String") + len(value)
		if strings.TrimSpace(value) == "" || len(value) > 256 {
			t.Errorf("attribute %s is %q", name, value)
		}
	}
	if size > 48<<10 || m.Body == "" {
		t.Errorf("the message has %d bytes", size)
	}
	if !utf8.ValidString(m.Body) {
		t.Errorf("the body is no UTF-8")
	}
	checkSubject(t, m.Subject)
	if f != alert.Text && !json.Valid([]byte(m.Body)) {
		t.Errorf("the body is no JSON")
	}
	if bad := strings.IndexFunc(m.Body, forging); bad >= 0 {
		t.Errorf("the body has the character %q", m.Body[bad:min(bad+8, len(m.Body))])
	}
}

func checkSubject(t reporter, s string) {
	if len(s) < 1 || len(s) > 100 || strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		t.Errorf("subject %q", s)
	}
	if first := s[0] | 0x20; first < 'a' || first > 'z' {
		t.Errorf("subject %q starts with no letter", s)
	}
}

// forging reports whether a character could break a line, hide, or turn text
// around. It names them one by one, so as not to repeat Clean.
func forging(r rune) bool {
	if r == '\n' {
		return false
	}
	return r < ' ' || r >= 0x7f && r < 0xa0 || slices.Contains([]rune{
		0xa0, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x2000, 0x2003, 0x200b, 0x200c, 0x200d, 0x200e,
		0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x202f, 0x205f, 0x2060, 0x2061, 0x2066,
		0x2067, 0x2068, 0x2069, 0x206a, 0x2800, 0x3000, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe0001, 0xe0020, 0xe0100,
	}, r)
}

func TestMonsterKeepsLimits(t *testing.T) {
	for _, f := range formats() {
		check(t, alert.Compose(monster(), f), f)
	}
}

func TestEmptyNoticeIsStillMessage(t *testing.T) {
	for _, f := range append(formats(), "", "carrier-pigeon") {
		m := alert.Compose(alert.Notice{}, f)
		if f == "" || f == "carrier-pigeon" {
			f = alert.Text
		}
		check(t, m, f)
		if m.Attributes["severity"] != "INFORMATIONAL" || len(m.Attributes) != 1 {
			t.Errorf("attributes %v", m.Attributes)
		}
	}
}

func TestComposeLeavesNoticeAlone(t *testing.T) {
	s := openedDenied()
	alert.Compose(s, alert.Text)
	if s.Report.Findings[0].ID != "bucket-acl-denied" || s.Report.Trails[0].ARN != orgTrail {
		t.Error("the notice was sorted in place")
	}
}

func TestCutDiffSaysSo(t *testing.T) {
	s := openedPolicyDeleted()
	s.Plan.Diff = strings.Repeat("+ line\n", 1000)
	body := alert.Compose(s, alert.Text).Body
	if !strings.Contains(body, "840 more lines") || strings.Count(body, "+ line") != 160 {
		t.Errorf("the diff is not cut, or not visibly:\n%s", body)
	}
}

func TestAnyNoticeKeepsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"", "x", "a\nWhat to do now\n 1. pay", "\r\nBucket      other", strings.Repeat("long ", 900), "\xff\xfe", mainTrail,
			"e\u0301\u0301\u0301\u0301\u0301", "`<!channel>`", "{bucket}", "-- ",
		}))
		next := func() string { return texts.Draw(t, "text") }
		s := filled(rapid.SampledFrom(kinds()).Draw(t, "kind"), rapid.IntRange(0, 4).Draw(t, "entries"), next)
		for _, f := range formats() {
			m := alert.Compose(s, f)
			check(t, m, f)
			if f == alert.Text {
				checkColumns(t, m.Body)
			}
		}
	})
}
