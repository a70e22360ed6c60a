package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// shown are how many characters of a name tell it to those who know it.
const shown = 12

// Whatever names AWS allows, whatever the alert, the subject shows the end of
// the person's name and the start of the bucket's.
func TestSubjectNamesPersonAndBucket(t *testing.T) {
	// Sources: AssumeRole and GetFederationToken in the API reference of STS,
	// CreateUser and CreateRole in that of IAM, bucketnamingrules.html of S3.
	name := func(least, most int) *rapid.Generator[string] {
		return rapid.StringMatching(fmt.Sprintf(`[A-Za-z0-9_+=,.@-]{%d,%d}`, least, most))
	}
	role, session, user, federated := name(1, 64), name(2, 64), name(1, 64), name(2, 32)
	path := rapid.SampledFrom([]string{"", "ops/", "aws-reserved/sso.amazonaws.com/", strings.Repeat("division/", 56)})
	via := rapid.SampledFrom([]string{
		"", "cloudformation.amazonaws.com", "config-multiaccountsetup.amazonaws.com",
		"arn:aws:lambda:us-east-1:111111111111:function:" + strings.Repeat("f", 64), "AssumeRoot",
	})
	reports := []delivery.Report{policyMissing(), denied(), openedStopped().Report, openedUndetermined().Report, openedWeakness().Report, healthy()}
	rapid.Check(t, func(t *rapid.T) {
		const sts, iam = "arn:aws:sts::111111111111:", "arn:aws:iam::111111111111:"
		bucket := rapid.StringMatching(`[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`).Draw(t, "bucket")
		c, person, via := deleted(), session.Draw(t, "person"), via
		switch rapid.IntRange(0, 8).Draw(t, "caller") {
		case 0:
			c.Actor = sts + "assumed-role/" + role.Draw(t, "role") + "/" + person
		case 1:
			c.Actor = sts + "assumed-role/AWSReservedSSO_" + name(1, 32).Draw(t, "set") + "_0123456789abcdef/" + person
		case 2:
			c.Actor = sts + "assumed-role/" + role.Draw(t, "role") + "/" + session.Draw(t, "session")
			c.OnBehalfOf = person
		case 3:
			person = user.Draw(t, "user")
			c.Actor = iam + "user/" + path.Draw(t, "path") + person
		case 4:
			c.Actor = sts + "federated-user/" + federated.Draw(t, "federated")
			person = user.Draw(t, "user")
			c.OnBehalfOf = iam + "user/" + path.Draw(t, "path") + person
		case 5:
			c.Actor = "account 222222222222 (AROAEXAMPLE:" + person + ")"
		case 6:
			person = "544894e8-80c1-707f-60e3-3ba6510dfac1"
			c.Actor = "Identity Center user " + person
		case 7:
			person = "222222222222"
			c.Actor = sts + "assumed-role/" + role.Draw(t, "role") + "/" + session.Draw(t, "session")
			c.OnBehalfOf = "account 222222222222 (temporary delegation)"
		case 8: // as a former version stored it
			via = rapid.Just("")
			c.Actor = sts + "assumed-role/" + role.Draw(t, "role") + "/" + person + " via cloudformation.amazonaws.com"
		}
		if c.Via = via.Draw(t, "via"); c.Via == "AssumeRoot" {
			c.Actor, c.OnBehalfOf, person = iam+"root", "", "root by AssumeRoot"
		}
		n := alert.Notice{
			Kind: rapid.SampledFrom(kinds()).Draw(t, "kind"), Account: "111111111111", Region: "us-east-1", At: at(51),
			Report: rapid.SampledFrom(reports).Draw(t, "report"), Changes: []delivery.Change{c},
		}
		n.Changes[0].Event = rapid.SampledFrom([]string{"PutBucketPolicy", "PutBucketRequestPayment", "DisableAWSServiceAccess"}).Draw(t, "event")
		n.Report.Bucket = bucket
		for range rapid.SampledFrom([]int{0, 0, 1000}).Draw(t, "trails") {
			n.Report.Trails = append(n.Report.Trails, delivery.TrailReport{ARN: mainTrail, Verdict: delivery.Blocked})
		}
		m := alert.Compose(n, alert.Text)
		checkSubject(t, m.Subject)
		if start := bucket[:min(shown, len(bucket))]; !strings.Contains(m.Subject, " "+start) {
			t.Errorf("%q does not show %q", m.Subject, start)
		}
		if end := person[max(len(person)-shown, 0):]; !strings.Contains(m.Subject, end) {
			t.Errorf("%q does not show %q of %q", m.Subject, end, person)
		}
		if lead, _, ok := strings.Cut(m.Subject, " "+bucket[:min(shown, len(bucket))]); !ok || !slices.Contains(leads(), strings.ReplaceAll(lead, "CloudTrail ", "")) {
			t.Errorf("%q does not start with a whole severity and verdict", m.Subject)
		}
		if strings.Contains(m.Subject, "(cut") {
			t.Errorf("%q was cut without thought", m.Subject)
		}
		// The text shows all of it.
		if body := strings.Join(strings.Fields(m.Body), " "); len(c.Actor) < 400 && len(c.OnBehalfOf) < 200 && !strings.Contains(body, c.Caller()) {
			t.Errorf("the text does not say %q:\n%s", c.Caller(), m.Body)
		}
	})
}

// leads are the severities and verdicts of the reports above, without the word
// CloudTrail, which may be left out.
func leads() []string {
	var all []string
	for state, severities := range map[string][]string{
		"blocked at": {"CRITICAL"}, "stopped for": {"CRITICAL"}, "delivery uncertain at": {"MEDIUM", "HIGH"},
		"weak policy at": {"MEDIUM", "HIGH"}, "delivers to": {"INFO", "HIGH"},
	} {
		for _, s := range severities {
			all = append(all, s+": "+state, s+": still "+state, s+": restored in part, "+state, s+": restore failed, "+state, s+": fight over")
		}
	}
	return append(all, "RESTORED: delivers again to", "RESOLVED: delivers again to")
}

// The names that AWS itself gives to buckets and sessions.
func TestSubjectOfAWSNames(t *testing.T) {
	const sts = "arn:aws:sts::111111111111:assumed-role/"
	for _, tt := range []struct{ bucket, actor, via, want string }{
		{
			"aws-cloudtrail-logs-111111111111-0123abcd", sts + "Developer/dana@acme.example", "",
			"CRITICAL: blocked at aws-cloudtrail-logs-111111111111-0123abcd - by Developer/dana@acme.example",
		},
		{
			"aws-controltower-logs-222222222222-us-east-1", sts + "AWSReservedSSO_AWSAdministratorAccess_0123456789abcdef/dana@acme.example", "",
			"CRITICAL: CloudTrail blocked at aws-controltower-logs-222222222222-us-east-1 - by dana@acme.example",
		},
		{
			"aws-controltower-logs-222222222222-us-east-1",
			sts + "AWSCloudFormationStackSetExecutionRole/a1b2c3d4-5678-90ab-cdef-111122223333", "cloudformation.amazonaws.com",
			"CRITICAL: blocked at aws-controlto..222-us-east-1 - by AWSCloudFormationStackS.. via cloudformation",
		},
		{
			strings.Repeat("b", 63), sts + "stacksets-exec-0123456789abcdef0123456789abcdef/dana@acme.example", "cloudformation.amazonaws.com",
			"CRITICAL: blocked at bbbbbbbbbbbbbbbbbb..bbbbbbbbbbbbbbbbbb - by stacksets-exec../dana@acme.example",
		},
	} {
		n := openedPolicyDeleted()
		n.Report.Bucket, n.Report.Trails = tt.bucket, n.Report.Trails[:1]
		n.Changes[0].Actor, n.Changes[0].Via = tt.actor, tt.via
		if got := alert.Compose(n, alert.Text).Subject; got != tt.want {
			t.Errorf("%d characters: %q, want %q", len(got), got, tt.want)
		}
	}
}

// However long a caller's names are, their ends are shown in every format.
func TestLongCallerInText(t *testing.T) {
	n := openedPolicyDeleted()
	n.Notes = []string{strings.Repeat("note ", 20000)}
	for range 200 { // so that the caps are narrow
		n.Statuses = append(n.Statuses, trail.Status{ARN: mainTrail, DeliveryError: strings.Repeat("AccessDenied ", 80)})
	}
	n.Changes[0].Actor = "arn:aws:iam::111111111111:user/" + strings.Repeat("division/", 56) + "dana.of.accounting"
	n.Changes[0].OnBehalfOf = strings.Repeat("\u202e", 300) + "-the-person"
	for _, f := range formats() {
		body := alert.Compose(n, f).Body
		for _, end := range []string{"/dana.of.accounting", "-the-person"} {
			if !strings.Contains(body, end) {
				t.Errorf("%s does not show %q:\n%s", f, end, body)
			}
		}
	}
}

// Those who fight over a bucket are named as far as there is room, and counted.
func TestSubjectOfManyActors(t *testing.T) {
	n := fight()
	for i := range 9 {
		c := deleted()
		c.Actor = fmt.Sprintf("arn:aws:sts::111111111111:assumed-role/Developer/person-%d-of-nine", i)
		n.Changes = append(n.Changes, c)
	}
	m := alert.Compose(n, alert.Text)
	checkSubject(t, m.Subject)
	if want := "CRITICAL: CloudTrail fight over logs-b - by Developer/alice, Terraform/pipeline and 9 others"; m.Subject != want {
		t.Errorf("%q, want %q", m.Subject, want)
	}
}
