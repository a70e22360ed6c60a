package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// ago is a time before that of the judgement.
func ago(d time.Duration) time.Time { return now().Add(-d) }

// standing is what is known of a trail whose files have stopped: an hourly sweep has asked, and CloudTrail
// reports no error.
type standing struct {
	trail    trail.Trail
	status   trail.Status
	evidence delivery.Evidence
}

func stopped() standing {
	return standing{
		trail:  mainTrail(),
		status: trail.Status{ARN: mainARN, Logging: true, StartedLoggingAt: ago(400 * 24 * time.Hour), DeliveredAt: ago(2 * time.Hour)},
		evidence: delivery.Evidence{
			Now: now(), Asked: map[string]string{mainARN: "111111111111"},
			Calls: []delivery.AccountCall{{"111111111111", "us-east-1", ago(time.Second)}, {"111111111111", "us-east-1", ago(time.Hour)}},
		},
	}
}

func (s standing) judge(t testing.TB) delivery.Report {
	trails := []trail.Trail{s.trail}
	env := trail.Environment{Now: now(), Organization: trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "111111111111"}}
	r := delivery.Judge(documented(t, trails, env), trails, env)
	return delivery.JudgeStatus(r, trails, []trail.Status{s.status}, s.evidence)
}

// digests makes it a trail whose digest files alone tell.
func (s *standing) digests() {
	s.evidence.Calls = nil
	s.status.DeliveredAt, s.status.DigestDeliveredAt = ago(5*time.Hour), ago(4*time.Hour)
}

func TestDeliveryStale(t *testing.T) {
	tests := []struct {
		name   string
		change func(*standing)
		says   string // empty: it is not found
	}{
		{"a call of which no file came", func(*standing) {}, "arrived since 2026-11-01T10:00:00Z. The trail records that account 111111111111 called CloudTrail in us-east-1 at 2026-11-01T11:00:00Z"},
		{"no file at all", func(s *standing) { s.status.DeliveredAt = time.Time{} }, "arrived since it was started at 2025-09-27T12:00:00Z"},
		{"the file came", func(s *standing) { s.status.DeliveredAt = ago(55 * time.Minute) }, ""},
		{"it may still come", func(s *standing) { s.evidence.Calls[1].At = ago(44 * time.Minute) }, ""},
		{"nobody is known to have called", func(s *standing) { s.evidence.Calls = nil }, ""},
		{"a call in another region", func(s *standing) { s.evidence.Calls[1].Region = "eu-west-1" }, ""},
		{"a call of another account", func(s *standing) { s.evidence.Calls[1].Account = "222222222222" }, ""},
		{"another account was asked", func(s *standing) { s.evidence.Asked[mainARN] = "222222222222" }, ""},
		{"the management account's, seen by a member", func(s *standing) { s.trail.Organization, s.evidence.Asked[mainARN] = true, "333333333333" }, ""},
		{"the management account's, seen by itself", func(s *standing) { s.trail.Organization = true }, "so a file had to follow"},
		{"nobody was asked", func(s *standing) { s.evidence.Asked = nil }, ""},
		{"stopped", func(s *standing) { s.status.Logging = false }, ""},
		{"not known since when it logs", func(s *standing) { s.status.StartedLoggingAt, s.status.DeliveredAt = time.Time{}, time.Time{} }, ""},
		{"started since", func(s *standing) { s.status.StartedLoggingAt = ago(70 * time.Minute) }, ""},
		{"started, and settled", func(s *standing) { s.status.StartedLoggingAt = ago(76 * time.Minute) }, "so a file had to follow"},
		{"the bucket was changed since", func(s *standing) { s.evidence.Changed = map[string]time.Time{mainARN: ago(70 * time.Minute)} }, ""},
		{"no time", func(s *standing) { s.evidence.Now = time.Time{} }, ""},
		{"write events alone", func(s *standing) { s.trail.Unlogged.Reads = true }, ""},
		{"not those of CloudTrail", func(s *standing) { s.trail.Unlogged.Sources = "cloudtrail.amazonaws.com" }, ""},
		{"not those of KMS", func(s *standing) { s.trail.Unlogged.Sources = "kms.amazonaws.com" }, "so a file had to follow"},
		{"selectors that are not known", func(s *standing) { s.trail.CustomSelectors = true }, ""},
		{"an error", func(s *standing) { s.status.DeliveryError = "AccessDenied" }, ""},
		{"it tries", func(s *standing) { s.status.DeliveryAttempt = ago(time.Minute) }, "reports no error, and tried last at 2026-11-01T11:59:00Z"},
		{"a key that was not looked at", func(s *standing) { s.trail.KMSKeyID = "arn:aws:kms:us-east-1:111111111111:key/k" }, "the trail's KMS key, which was not looked at"},

		{"no digest files", (*standing).digests, "the last one came at 2026-11-01T08:00:00Z"},
		{"no digest files of write events", func(s *standing) { s.digests(); s.trail.Unlogged.Reads = true }, "a digest file each hour"},
		{"the next digest file may be late", func(s *standing) { s.digests(); s.status.DigestDeliveredAt = ago(179 * time.Minute) }, ""},
		{"validation is disabled", func(s *standing) { s.digests(); s.trail.LogFileValidation = false }, ""},
		{"never a digest file", func(s *standing) { s.digests(); s.status.DigestDeliveredAt = time.Time{} }, ""},
		{"digest files stopped alone", func(s *standing) { s.digests(); s.status.DigestDeliveredAt = ago(8 * time.Hour) }, ""},
		{"started since the digest file", func(s *standing) { s.digests(); s.status.StartedLoggingAt = ago(time.Hour) }, ""},
		{"changed since the digest file", func(s *standing) { s.digests(); s.evidence.Changed = map[string]time.Time{mainARN: ago(2 * time.Hour)} }, ""},
		{"no management events", func(s *standing) { s.digests(); s.trail.Unlogged = trail.Unlogged{Reads: true, Writes: true} }, ""},
		{"selectors that are not known, and digest files", func(s *standing) { s.digests(); s.trail.CustomSelectors = true }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stopped()
			tt.change(&s)
			r := s.judge(t)
			checkReport(t, r)
			i := slices.IndexFunc(r.Findings, func(f delivery.Finding) bool { return f.ID == "delivery-stale" })
			if found := i >= 0; found != (tt.says != "") {
				t.Fatalf("found: %v\n%s", found, show(r))
			}
			if i < 0 {
				return
			}
			if f := r.Findings[i]; !strings.Contains(f.Message, tt.says) || f.Kind != delivery.Unknown || f.Severity != delivery.High {
				t.Errorf("does not say %q: %+v", tt.says, f)
			}
			if r.Verdict != delivery.Delivering {
				t.Errorf("verdict %s", r.Verdict)
			}
		})
	}
}

// What is not certain is the likely cause.
func TestDeliveryStaleNamesWhatIsOpen(t *testing.T) {
	s := stopped()
	trails := []trail.Trail{s.trail}
	b := documented(t, trails, trail.Environment{})
	text := strings.Replace(string(b.Policy.Text()), `"Statement": [`, `"Statement": [{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",`+
		`"Resource":"arn:aws:s3:::logs-b/*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.3"}}},`, 1)
	b.Policy = parse(t, text)
	r := delivery.Judge(b, trails, trail.Environment{Now: now()})
	if r.Verdict != delivery.Undetermined {
		t.Fatal(show(r))
	}
	r = delivery.JudgeStatus(r, trails, []trail.Status{s.status}, s.evidence)
	if !strings.Contains(show(r), "what is not certain (log-files") {
		t.Error(show(r))
	}
}

// A trail whose files have just come, and one that is blocked, is never stale, whatever else is so.
func TestRecentFilesAreNeverStale(t *testing.T) {
	documentedPolicy := string(documented(t, []trail.Trail{mainTrail()}, trail.Environment{}).Policy.Text())
	rapid.Check(t, func(r *rapid.T) {
		minutes := func(label string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(r, label)) * time.Minute
		}
		tr := mainTrail()
		tr.LogFileValidation, tr.Organization = rapid.Bool().Draw(r, "validation"), rapid.Bool().Draw(r, "organization")
		tr.CustomSelectors, tr.SelectorsKnown = rapid.Bool().Draw(r, "selectors"), rapid.Bool().Draw(r, "known")
		s := trail.Status{
			ARN: mainARN, Logging: true, StartedLoggingAt: ago(minutes("started", 1e6)), DeliveredAt: ago(minutes("delivered", 44)),
			DigestDeliveredAt: ago(minutes("digest", 179)), DeliveryAttempt: ago(minutes("attempt", 1e6)),
		}
		e := delivery.Evidence{Now: now(), Changed: map[string]time.Time{mainARN: ago(minutes("changed", 1e6))}, Asked: map[string]string{mainARN: "111111111111"}}
		for range rapid.IntRange(0, 3).Draw(r, "calls") {
			e.Calls = append(e.Calls, delivery.AccountCall{Account: "111111111111", Region: "us-east-1", At: ago(minutes("call", 1e6))})
		}
		text := documentedPolicy
		if rapid.Bool().Draw(r, "blocked") {
			text = `{"Version":"2012-10-17","Statement":[]}`
			s.DeliveredAt, s.DigestDeliveredAt = ago(minutes("old", 1e6)), ago(minutes("old digest", 1e6))
		}
		doc, err := policy.Parse([]byte(text))
		if err != nil {
			r.Fatal(err)
		}
		trails := []trail.Trail{tr}
		report := delivery.Judge(delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: doc}, trails, trail.Environment{Now: now()})
		report = delivery.JudgeStatus(report, trails, []trail.Status{s}, e)
		if slices.Contains(ids(report.Findings), "delivery-stale") {
			r.Fatal(show(report))
		}
	})
}
