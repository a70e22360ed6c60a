package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Account string   `required:"" placeholder:"FILE" help:"The account: a JSON object with account, region, organization, trails and buckets."`
	Events  []string `arg:"" name:"event" help:"Files of EventBridge events: one event, a list, or JSON lines; - reads standard input."`
	Restore []string `placeholder:"BUCKET,…" help:"The buckets that the guard may repair. Default: none."`
	Harden  bool     `help:"Let repairs also bind CloudTrail's grants to their trails and replace legacy account principals."`
	NoApply bool     `help:"The account is as it was after the events; only look, change nothing for them."`
	Format  string   `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	Verbose bool     `help:"Write the guard's log to standard error."`
	threshold
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
func (c *replayCommand) Run(ctx context.Context, e *environment) error {
	description, err := e.readAccount(c.Account)
	if err != nil {
		return err
	}
	var events []namedEvent
	for _, path := range c.Events {
		more, err := e.readEvents(path)
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	log := io.Discard
	if c.Verbose {
		log = e.stderr
	}
	s := newSimulation(description, guardrail.Config{Restore: c.Restore, Harden: c.Harden}, log)
	out := replayOut{Events: []stepOut{}}
	for i, event := range events {
		step, err := s.feed(ctx, event.payload, !c.NoApply)
		if err != nil {
			return fmt.Errorf("%s: %w", event.from, err)
		}
		if c.Format == "json" {
			out.Events = append(out.Events, stepJSON(step))
			e.replayProgress(i+1, len(events))
		} else {
			e.writeStep(step)
		}
	}
	v, err := s.estate(ctx)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		out.After = estateJSON(v)
		if err := e.printJSON(out); err != nil {
			return err
		}
		return c.result(v)
	}
	printf(e.stdout, "%s\n\n", e.screen.paint(bold, "In the end"))
	e.writeTrails(v)
	return c.result(v)
}

func (e *environment) replayProgress(done, total int) {
	if show := e.progressLine("events replayed"); show != nil {
		show(done, total)
	}
}

func (e *environment) readAccount(path string) (inmem.Description, error) {
	s, err := e.read(path, maxAccountFile, expectAccount)
	if err != nil {
		return inmem.Description{}, err
	}
	d, err := inmem.ReadDescription(bytes.NewReader(s.text))
	if err != nil {
		return inmem.Description{}, s.errorf("%w; expected %s", err, expectAccount)
	}
	return d, nil
}

// readEvents reads the events of a file, and makes sure that they are events.
func (e *environment) readEvents(path string) ([]namedEvent, error) {
	s, err := e.read(path, maxEventsFile, expectEvents)
	if err != nil {
		return nil, err
	}
	var events []namedEvent
	for d := json.NewDecoder(bytes.NewReader(s.text)); ; {
		var value json.RawMessage
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, s.errorf("not JSON (%w); expected %s", err, expectEvents)
		}
		list := []json.RawMessage{value}
		if value[0] == '[' {
			if err := json.Unmarshal(value, &list); err != nil {
				return nil, s.errorf("%w; expected %s", err, expectEvents)
			}
		}
		for _, payload := range list {
			if _, err := trigger.Parse(payload); err != nil {
				return nil, s.errorf("%w", err)
			}
			events = append(events, namedEvent{s.name, payload})
		}
	}
}

// writeStep prints what an event came to, with the alerts in full.
func (e *environment) writeStep(s step) {
	name := s.event.Name
	if name == "" {
		name = "event " + s.event.ID
	}
	printf(e.stdout, "%s  %s\n", s.at.UTC().Format(time.RFC3339), e.screen.paint(bold, clean(name)))
	for _, r := range s.event.Requests {
		if r.Change != nil && r.Change.Actor != "" {
			e.screen.hanging(e.stdout, 2, "by ", clean(r.Change.Actor))
			break
		}
	}
	if s.skipped != "" {
		e.screen.indented(e.stdout, 2, clean("The account was not changed: "+s.skipped))
	}
	if s.event.Skipped != "" {
		e.screen.indented(e.stdout, 2, clean("Nothing to look at: "+s.event.Skipped))
	}
	for _, r := range s.results {
		e.screen.indented(e.stdout, 2, clean(resultWords(r)))
	}
	for _, m := range s.alerts {
		printf(e.stdout, "\n  %s\n", e.screen.paint(bold, "Alert: "+clean(m.Subject)))
		for line := range strings.Lines(cleanLines(m.Body)) {
			printf(e.stdout, "%s\n", strings.TrimRight("  | "+strings.TrimRight(line, "\n"), " "))
		}
	}
	printf(e.stdout, "\n")
}

// resultWords says in a sentence what a look at a bucket came to.
func resultWords(r guardrail.Result) string {
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

// The JSON of a replay.
type (
	replayOut struct {
		Events []stepOut `json:"events"`
		After  estateOut `json:"after"`
	}
	stepOut struct {
		ID      string          `json:"id"`
		Name    string          `json:"name"`
		Time    time.Time       `json:"time"`
		Skipped string          `json:"skipped,omitempty"`
		Results []resultOut     `json:"results"`
		Alerts  []alert.Message `json:"alerts"`
	}
	resultOut struct {
		Bucket   string           `json:"bucket"`
		InUse    bool             `json:"inUse"`
		Verdict  delivery.Verdict `json:"verdict"`
		Wrote    bool             `json:"wrote"`
		Repaired bool             `json:"repaired"`
		Told     []alert.Kind     `json:"told"`
		Diff     string           `json:"diff"` // of what was written
	}
)

func stepJSON(s step) stepOut {
	out := stepOut{
		ID: s.event.ID, Name: s.event.Name, Time: s.at, Skipped: s.event.Skipped,
		Results: []resultOut{}, Alerts: orEmpty(s.alerts),
	}
	for _, r := range s.results {
		out.Results = append(out.Results, resultOut{
			Bucket: r.Bucket, InUse: r.InUse, Verdict: r.Report.Verdict,
			Wrote: r.Wrote, Repaired: r.Repaired, Told: orEmpty(r.Notified), Diff: s.diffs[r.Bucket],
		})
	}
	return out
}
