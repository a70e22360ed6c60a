package cli

import (
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// coverageText says what a trail covers, in a line.
func coverageText(t trail.Trail) string {
	c := t.Coverage()
	parts := []string{"its account"}
	if c.Organization {
		parts[0] = "the organization"
	}
	if c.MultiRegion {
		parts = append(parts, "every region")
	} else {
		parts = append(parts, t.HomeRegion+" alone")
	}
	if !c.GlobalEvents {
		parts = append(parts, "no global services")
	}
	parts = append(parts, managementText(c))
	if c.Validation {
		parts = append(parts, "validated")
	} else {
		parts = append(parts, "not validated")
	}
	if c.KMSKeyID != "" {
		parts = append(parts, "own key")
	} else {
		parts = append(parts, "no key of its own")
	}
	return strings.Join(parts, ", ")
}

// managementText says which management events are logged.
func managementText(c trail.Coverage) string {
	switch u := c.Unlogged; {
	case !c.SelectorsKnown:
		return "management events not known"
	case u.Reads && u.Writes:
		return "no management events"
	case u.Writes:
		return "management reads only" + butFor(u.Sources)
	case u.Reads:
		return "management writes only" + butFor(u.Sources)
	default:
		return "all management events" + butFor(u.Sources)
	}
}

func butFor(sources string) string {
	if sources == "" {
		return ""
	}
	return " but for " + strings.ReplaceAll(sources, ", ", " and ")
}

// The JSON of what a trail covers.
type (
	coverageJSON struct {
		ARN          string         `json:"arn"`
		Organization bool           `json:"organization"`
		MultiRegion  bool           `json:"multiRegion"`
		HomeRegion   string         `json:"homeRegion"`
		GlobalEvents bool           `json:"globalServiceEvents"`
		Management   managementJSON `json:"managementEvents"`
		Validation   bool           `json:"logFileValidation"`
		KMSKeyID     string         `json:"kmsKeyId"`
	}
	managementJSON struct {
		// Known is whether the event selectors could be read. The others mean nothing
		// where it is false.
		Known  bool     `json:"known"`
		Reads  bool     `json:"reads"`
		Writes bool     `json:"writes"`
		Except []string `json:"except"` // event sources
	}
)

func newCoverageJSON(t trail.Trail) coverageJSON {
	c := t.Coverage()
	out := coverageJSON{
		ARN: c.ARN, Organization: c.Organization, MultiRegion: c.MultiRegion, HomeRegion: t.HomeRegion, GlobalEvents: c.GlobalEvents,
		Validation: c.Validation, KMSKeyID: c.KMSKeyID, Management: managementJSON{Known: c.SelectorsKnown, Except: []string{}},
	}
	if c.SelectorsKnown {
		out.Management.Reads, out.Management.Writes = !c.Unlogged.Reads, !c.Unlogged.Writes
		if c.Unlogged.Sources != "" {
			out.Management.Except = strings.Split(c.Unlogged.Sources, ", ")
		}
	}
	return out
}

// mostNamed is how many trails that cover the same are named.
const mostNamed = 5

// covers is what some trails cover alike.
type covers struct {
	Trails string // those that are named, and how many more there are
	What   string
}

// coversOf returns what the trails cover, those that cover the same together.
func coversOf(o *overview) []covers {
	var texts []string
	names := map[string][]string{}
	for i := range o.Buckets {
		for _, t := range o.Buckets[i].Trails {
			text := coverageText(t)
			if names[text] == nil {
				texts = append(texts, text)
			}
			name := t.Name + ", " + t.HomeRegion
			if o.organization != nil {
				name = t.Account() + ": " + name
			}
			names[text] = append(names[text], name)
		}
	}
	var out []covers
	for _, text := range texts {
		named := names[text][:min(len(names[text]), mostNamed)]
		which := strings.Join(named, "; ")
		if more := len(names[text]) - len(named); more > 0 {
			which += fmt.Sprintf("; and %d more", more)
		}
		out = append(out, covers{which, text})
	}
	return out
}

// writeCoverage prints what the trails cover, those that cover the same in one row.
func writeCoverage(s screen, o *overview) {
	all := coversOf(o)
	if len(all) == 0 {
		return
	}
	rows := table{header: []string{"TRAIL", "COVERS"}}
	for _, c := range all {
		rows.add(cell{clean(c.Trails), plain}, cell{clean(c.What), plain})
	}
	s.printf("\n")
	rows.write(s, 0)
}
