package cli

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

//go:embed demo/*.json
var demoFiles embed.FS

// demoCommand shows the guard at work.
type demoCommand struct{}

// scene is one event of the demo and what there is to say about it.
type scene struct {
	event string // file
	title string
	show  []string // rows of the alert
	diff  int      // lines of the diff at most
	// others is what other tools say of such a policy, as docs/comparison.md has measured.
	others string
}

func scenes() []scene {
	return []scene{
		{
			event: "1-delete-policy.json",
			title: "dana deletes the policy of acme-audit-logs. The bucket is listed for restoring.",
			show:  []string{"Verdict", "Changed by"},
			diff:  4,
			others: "Cloud Custodian, Security Response and Landing Zone Accelerator report it. " +
				"Panther's check passes a bucket without a policy.",
		},
		{
			event: "2-deny.json",
			title: "eli adds a Deny to acme-payment-logs. Every statement that AWS documents is still there, " +
				"and yet CloudTrail is locked out. A Deny is never edited.",
			show: []string{"Verdict", "Cause"},
			others: "Cloud Custodian, Landing Zone Accelerator and Panther's check say nothing. " +
				"Security Response reports it, as it does 9 of 10 policies that work.",
		},
		{
			event: "3-update-trail.json",
			title: "dana gives the trail main a new prefix. The policy allows only the old one.",
			show:  []string{"Verdict"},
			diff:  6,
			others: "Cloud Custodian by statement id and Panther's check say nothing. Cloud Custodian by its text, and Landing Zone " +
				"Accelerator, report a policy for another prefix than the one that somebody wrote down for them.",
		},
		{
			event: "4-sandbox.json",
			title: "kim overwrites the policy of acme-sandbox-logs. It is not listed for restoring.",
			show:  []string{"Verdict", "Cause", "Done"},
			others: "Cloud Custodian, Security Response and Landing Zone Accelerator report it, if they were told to look " +
				"at this bucket. Panther's check says nothing.",
		},
	}
}

// Run plays the scenes.
func (demoCommand) Run(ctx context.Context, sys *system) error {
	file, err := demoFiles.Open("demo/account.json")
	if err != nil {
		return err
	}
	description, err := inmem.ReadDescription(file)
	if err != nil {
		return err
	}
	simulated := newSimulation(description, guardrail.Config{Restore: []string{"acme-audit-logs", "acme-payment-logs"}}, sys.stderr)
	s := sys.screen
	s.indented(0, "An AWS account in memory: three trails deliver into three buckets. "+
		"The guard gets each change as an event, as it does on AWS.")
	if err := writeVerdicts(ctx, s, simulated); err != nil {
		return err
	}
	for i, scene := range scenes() {
		payload, err := demoFiles.ReadFile("demo/" + scene.event)
		if err != nil {
			return err
		}
		r, err := simulated.handle(ctx, payload, true)
		if err != nil {
			return err
		}
		s.printf("\n")
		s.hanging(0, fmt.Sprintf("%d. ", i+1), scene.title)
		writeScene(s, scene, r, simulated.account)
	}
	s.printf("\n")
	if err := writeStorm(ctx, s, simulated); err != nil {
		return err
	}
	s.printf("\n")
	if err := writeVerdicts(ctx, s, simulated); err != nil {
		return err
	}
	s.printf("%s", `
What others say is measured with their own code: docs/comparison.md.

Where to go next:
  trailwarden audit          judge your account's trail buckets; writes nothing
  trailwarden check --help   judge a policy file
  README.md                  deploy the guard: sam build && sam deploy --guided
`)
	return nil
}

// writeVerdicts prints how each bucket fares, in one line.
func writeVerdicts(ctx context.Context, s screen, simulated *simulation) error {
	o, err := simulated.overview(ctx)
	if err != nil {
		return err
	}
	for i := range o.Buckets {
		b := &o.Buckets[i]
		s.printf("  %-18s %s\n", b.Bucket.Name, s.paint(verdictTone(b.verdict()), string(b.verdict())))
	}
	return nil
}

// writeScene prints the alerts, and the changes that were made or are advised.
func writeScene(s screen, scene scene, r reaction, account *inmem.Account) {
	for _, m := range r.alerts {
		s.hanging(3, "Alert: ", m.Subject)
		for _, row := range rows(m.Body, scene.show) {
			s.hanging(5, row.label, row.text)
		}
	}
	for _, result := range r.results {
		writeExcerpt(s, r.diffs[result.Bucket], scene.diff)
		for _, edit := range denyEdits(account, result) {
			s.printf("   What the Deny needs, for a person to add:\n")
			writeExcerpt(s, edit, 4)
		}
	}
	s.hanging(3, "Others: ", scene.others)
}

// stormSize is how many events of other people's buckets the storm has.
const stormSize = 1000

// writeStorm lets many events come at once, with one that matters in their midst, which comes
// twice, as EventBridge may send it.
func writeStorm(ctx context.Context, s screen, simulated *simulation) error {
	matters, err := demoFiles.ReadFile("demo/1-delete-policy.json")
	if err != nil {
		return err
	}
	const at, later = "2026-09-13T09:12:04Z", "2026-09-13T15:30:00Z"
	matters = bytes.ReplaceAll(bytes.ReplaceAll(matters, []byte(at), []byte(later)), []byte("000000000001"), []byte("000000000005"))
	var events [][]byte
	for i := range stormSize {
		name := fmt.Sprintf("team-data-%04d", i)
		events = append(events, bytes.ReplaceAll(matters, []byte("acme-audit-logs"), []byte(name)))
		if i == stormSize/2 || i == stormSize*3/4 {
			events = append(events, matters)
		}
	}
	came, err := simulated.storm(ctx, matters, events)
	if err != nil {
		return err
	}
	s.hanging(0, "5. ", fmt.Sprintf("A storm: %d events of buckets that no trail uses, and amid them dana deletes the policy "+
		"of acme-audit-logs again; that event comes twice. CloudTrail is asked for its trails %s, not %d times.",
		stormSize, count(came.asked, "time", "times"), len(events)))
	for _, m := range came.alerts {
		s.hanging(3, "Alert: ", m.Subject)
	}
	return nil
}

// row is a labelled row of an alert's text.
type row struct{ label, text string }

// rows returns the rows of an alert's text that have one of the labels, with
// the lines that continue them.
func rows(body string, labels []string) []row {
	var out []row
	wanted := false
	for line := range strings.Lines(body) {
		switch text := strings.TrimSpace(line); {
		case !strings.HasPrefix(line, " "):
			i := slices.IndexFunc(labels, func(l string) bool { return strings.HasPrefix(line, l+" ") })
			if wanted = i >= 0; wanted {
				out = append(out, row{fmt.Sprintf("%-12s", labels[i]), strings.TrimSpace(text[len(labels[i]):])})
			}
		case wanted && text != "":
			out[len(out)-1].text += " " + text
		}
	}
	return out
}

// writeExcerpt prints the first lines of a diff that say what it is about: from
// the first line on that is removed, or has a Sid or the operator that exempts.
func writeExcerpt(s screen, diff string, most int) {
	var changed []string
	begun := false
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		kind := kindOfLine(line)
		if kind != diffAdded && kind != diffRemoved {
			continue
		}
		begun = begun || kind == diffRemoved || strings.Contains(line, `"Sid"`) || strings.Contains(line, "IfExists")
		if begun {
			changed = append(changed, line)
		}
	}
	for _, line := range changed[:min(most, len(changed))] {
		s.printf("     %s\n", s.paint(diffTone(kindOfLine(line)), line))
	}
	if more := len(changed) - most; more > 0 && most > 0 {
		s.printf("     … and %d more lines\n", more)
	}
}

// denyEdits returns, for each Deny that blocks, the diff to the statement as it
// would have to read.
func denyEdits(account *inmem.Account, r guardrail.Result) []string {
	bucket, _ := account.Bucket(r.Bucket)
	d, err := policy.Parse(bucket.Policy)
	if err != nil {
		return nil
	}
	edits := map[string]string{}
	for _, f := range r.Report.Findings {
		if f.Edit != "" {
			edits[f.Edit] = statementText(d, f)
		}
	}
	var diffs []string
	for after, before := range edits {
		diffs = append(diffs, repair.Diff([]byte(before), []byte(after)))
	}
	slices.Sort(diffs)
	return diffs
}

// statementText is the text of the first statement of a finding.
func statementText(d *policy.Document, f delivery.Finding) string {
	for _, s := range d.All() {
		if slices.Contains(f.Statements, s.Sid) {
			return string(d.StatementText(s.Index))
		}
	}
	return ""
}
