package cli

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Annotations are commands on standard output by which a workflow of GitHub shows a message at a
// line. It shows ten of each kind of a step, the first.
// Source: "Workflow commands for GitHub Actions", and
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts for the escapes.

// annotation is one of them.
type annotation struct {
	severity delivery.Severity
	file     string
	line     int
	title    string
	message  string
}

// writeAnnotations prints an annotation for each cause of what is wrong, the worst first.
func (c *scanCommand) writeAnnotations(sys *system, all []scanned) {
	var out []annotation
	for _, s := range all {
		for _, b := range s.buckets {
			if c.shows(b) {
				out = append(out, b.annotations(s)...)
			}
		}
		if s.partial != "" {
			out = append(out, annotation{delivery.Medium, s.name(), 1, "It is not complete", s.partial})
		}
	}
	slices.SortStableFunc(out, func(a, b annotation) int { return a.severity.Rank() - b.severity.Rank() })
	for _, a := range out {
		printf(sys.stdout, "%s\n", a)
	}
}

func (b scannedBucket) annotations(s scanned) []annotation {
	var out []annotation
	for _, c := range causesOf(withFaults([]bucketOverview{*b.overview()})) {
		file, line := b.place(s, c.Finding)
		title := fmt.Sprintf("%s: %s (%s)", b.Label, b.Change, strings.Join(c.ids(), ", "))
		out = append(out, annotation{c.Severity, file, line, title, c.Message + "\nRemedy: " + c.Remedy})
	}
	return out
}

// writeOverviewAnnotations prints an annotation for each cause of what is wrong, at the places that SARIF
// shows it.
func writeOverviewAnnotations(sys *system, o *overview, places sarifPlaces) {
	for _, c := range causesOf(withFaults(o.Buckets)) {
		i := slices.IndexFunc(o.Buckets, func(b bucketOverview) bool { return b.Bucket.Name == c.Places[0].Bucket })
		at := places.of(sarifFinding{Finding: c.Finding, bucket: &o.Buckets[i], statement: -1})[0].PhysicalLocation
		file := at.ArtifactLocation.URI
		if path, err := url.PathUnescape(file); err == nil {
			file = path
		}
		var buckets []string
		for _, p := range c.Places {
			buckets = append(buckets, p.Bucket)
		}
		title := strings.Join(buckets, ", ") + ": " + strings.Join(c.ids(), ", ")
		printf(sys.stdout, "%s\n", annotation{c.Severity, file, at.Region.StartLine, title, c.Message + "\nRemedy: " + c.Remedy})
	}
}

// withFaults are the buckets with all that is wrong with them in the form of findings.
func withFaults(buckets []bucketOverview) []bucketOverview {
	buckets = slices.Clone(buckets)
	for i := range buckets {
		b := &buckets[i]
		var all []delivery.Finding
		for _, f := range sarifFindings(b) {
			all = append(all, f.Finding)
		}
		b.Report.Findings = all
	}
	return buckets
}

// ids are the ids of the findings of a cause.
func (c cause) ids() []string {
	var out []string
	for _, t := range c.Types {
		out = append(out, t.ID)
	}
	return out
}

// String is the command. Its texts are data: line breaks and what ends a property are escaped.
func (a annotation) String() string {
	level := "notice"
	switch a.severity {
	case delivery.Critical, delivery.High:
		level = "error"
	case delivery.Medium:
		level = "warning"
	case delivery.Low, delivery.Informational:
	}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return fmt.Sprintf("::%s file=%s,line=%d,title=%s::%s",
		level, property.Replace(clean(inWorkspace(a.file))), a.line, property.Replace(clean(a.title)), data.Replace(cleanLines(a.message)))
}

// inWorkspace is a path relative to the working directory, if it is in it: GitHub knows files by that.
func inWorkspace(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return path
}
