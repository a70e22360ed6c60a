package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

// replayCommand runs the guard on events.
type replayCommand struct {
	Account string   `required:"" placeholder:"FILE" help:"The account: a JSON object with account, region, organization, trails, statuses and buckets. Outputs of describe-trails, get-trail-status, get-event-selectors and get-bucket-policy are taken as they are."`
	Events  []string `arg:"" name:"event" help:"Files of EventBridge events: one event, a list, or JSON lines; - reads standard input."`
	Restore []string `placeholder:"BUCKET,…" help:"The buckets that the guard may repair. Default: none."`
	Harden  bool     `help:"Let repairs also bind CloudTrail's grants, to trails or accounts, and replace legacy account principals."`
	NoApply bool     `help:"The account is as it was after the events; only look, change nothing for them."`
	Format  string   `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	Verbose bool     `help:"Write the guard's log to standard error."`
	severityFlag
}

const (
	expectAccount = "a description of an account: an object with account, region, trails and buckets"
	expectEvents  = "EventBridge events: one, a list, or JSON lines"
)

// namedEvent is an event and where it was read.
type namedEvent struct {
	from    string
	payload []byte
}

// Run replays and prints.
func (c *replayCommand) Run(ctx context.Context, sys *system) error {
	description, err := sys.readAccount(c.Account)
	if err != nil {
		return err
	}
	var events []namedEvent
	for _, path := range c.Events {
		more, err := sys.readEvents(path)
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	log := io.Discard
	if c.Verbose {
		log = sys.stderr
	}
	simulated := newSimulation(description, guardrail.Config{Restore: c.Restore, Harden: c.Harden}, log)
	if !c.NoApply {
		if err := simulated.remember(ctx, description); err != nil {
			return err
		}
	}
	progress := sys.progress("events replayed")
	out := replayJSON{Events: []eventJSON{}}
	told := openAlerts{}
	for i, event := range events {
		r, err := simulated.handle(ctx, event.payload, !c.NoApply)
		if err != nil {
			return fmt.Errorf("%s: %w", event.from, err)
		}
		told.add(r.alerts)
		if c.Format == "json" {
			out.Events = append(out.Events, newEventJSON(r))
			progress(i+1, len(events))
		} else {
			writeReaction(sys.screen, r)
		}
	}
	after, err := simulated.overview(ctx)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		out.After = newOverviewJSON(after)
		if err := printJSON(sys.stdout, out); err != nil {
			return err
		}
	} else {
		sys.screen.printf("%s\n\n", sys.screen.paint(bold, "In the end"))
		writeTrails(sys.screen, after)
		told.write(sys.screen)
	}
	if err := c.exit(after); err != nil {
		return err
	}
	return told.exit(c.severityFlag)
}

// openAlerts are the alerts that nothing has ended, by what they are about. A trail that was deleted is in no overview of the account afterwards, and yet
// an outage.
type openAlerts map[string]alert.Message

func (o openAlerts) add(alerts []alert.Message) {
	for _, m := range alerts {
		about := m.Attributes["account"] + "/" + m.Attributes["bucket"]
		switch alert.Kind(m.Attributes["kind"]) {
		case alert.Resolved, alert.Restored:
			delete(o, about)
		default:
			o[about] = m
		}
	}
}

// write prints what is open.
func (o openAlerts) write(s screen) {
	if len(o) == 0 {
		return
	}
	s.printf("\nStill open:\n")
	for _, about := range slices.Sorted(maps.Keys(o)) {
		s.indented(2, clean(o[about].Subject))
	}
}

// exit ends with errFindings if something is open of the severity.
func (o openAlerts) exit(f severityFlag) error {
	for _, m := range o {
		if f.counts(delivery.Severity(m.Attributes["severity"])) {
			return errFindings
		}
	}
	return nil
}

func (sys *system) readAccount(path string) (inmem.Description, error) {
	s, err := sys.read(path, maxAccountFile, expectAccount)
	if err != nil {
		return inmem.Description{}, err
	}
	d, err := inmem.ReadDescription(bytes.NewReader(s.text))
	if err != nil {
		return inmem.Description{}, s.errorf("%w", err)
	}
	return d, nil
}

// readEvents reads the events of a file, and makes sure that they are events.
func (sys *system) readEvents(path string) ([]namedEvent, error) {
	s, err := sys.read(path, maxEventsFile, expectEvents)
	if err != nil {
		return nil, err
	}
	var events []namedEvent
	for d := json.NewDecoder(bytes.NewReader(s.text)); ; {
		var value json.RawMessage
		err := d.Decode(&value)
		switch {
		case errors.Is(err, io.EOF) && len(events) == 0:
			return nil, s.errorf("no events in it; expected %s", expectEvents)
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil && len(events) > 0:
			return nil, s.errorf("not JSON after event %d (%w); expected %s", len(events), err, expectEvents)
		case err != nil:
			return nil, s.errorf("not JSON (%w); expected %s", err, expectEvents)
		}
		list := []json.RawMessage{value}
		if value[0] == '[' {
			if err := json.Unmarshal(value, &list); err != nil {
				return nil, s.errorf("%w; expected %s", err, expectEvents)
			}
		}
		for _, payload := range list {
			if _, err := trigger.Parse(payload); err != nil && len(events) == 0 && len(list) == 1 {
				return nil, s.errorf("%w", err)
			} else if err != nil {
				return nil, s.errorf("event %d: %w", len(events)+1, err)
			}
			events = append(events, namedEvent{s.name, payload})
		}
	}
}

// writeReaction prints what an event led to, with the alerts in full.
func writeReaction(s screen, r reaction) {
	name := r.event.Name
	if name == "" {
		name = "event " + r.event.ID
	}
	s.printf("%s  %s\n", r.at.UTC().Format(time.RFC3339), s.paint(bold, clean(name)))
	for _, request := range r.event.Requests {
		if request.Change != nil && request.Change.Caller() != "" {
			s.hanging(2, "by ", clean(request.Change.Caller()))
			break
		}
	}
	if r.event.Warning != "" {
		s.indented(2, clean("Warning: "+r.event.Warning))
	}
	for _, sentence := range []string{r.unapplied, r.skipped} {
		if sentence != "" {
			s.indented(2, clean(sentence))
		}
	}
	for _, result := range r.results {
		s.indented(2, clean(resultText(result)))
	}
	if len(r.event.Requests) > 0 && len(r.results) == 0 && r.skipped == "" {
		s.indented(2, "No organization trail is seen, and none is missed.")
	}
	for _, m := range r.alerts {
		s.printf("\n  %s\n", s.paint(bold, "Alert: "+clean(m.Subject)))
		for line := range strings.Lines(cleanLines(m.Body)) {
			s.printf("%s\n", strings.TrimRight("  | "+strings.TrimRight(line, "\n"), " "))
		}
	}
	s.printf("\n")
}

// resultText says in a sentence what the guard found and did at a bucket.
func resultText(r guardrail.Result) string {
	switch {
	case !r.InUse && r.Report.Verdict == "":
		return r.Bucket + ": no trail delivers into it."
	case r.Repaired:
		return r.Bucket + ": repaired; now " + string(r.Report.Verdict) + "."
	case r.Wrote:
		return r.Bucket + ": written to, but now " + string(r.Report.Verdict) + "."
	default:
		return r.Bucket + ": " + string(r.Report.Verdict) + "; nothing was written."
	}
}
