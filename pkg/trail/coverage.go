package trail

import (
	"slices"
	"strings"
)

// Coverage is what a trail records, and how it guards what it has recorded. It
// is compared with what the same trail covered before.
type Coverage struct {
	ARN          string `json:"arn"`
	Organization bool   `json:"organization,omitempty"` // all members
	MultiRegion  bool   `json:"multiRegion,omitempty"`  // every region
	GlobalEvents bool   `json:"globalEvents,omitempty"` // of services that are in no region, such as IAM
	// SelectorsKnown says that Unlogged is known.
	SelectorsKnown bool     `json:"selectorsKnown,omitempty"`
	Unlogged       Unlogged `json:"unlogged,omitzero"` // management events
	Validation     bool     `json:"validation,omitempty"`
	KMSKeyID       string   `json:"kmsKeyId,omitempty"`
}

// Part is a part of what a trail covers.
type Part string

// The parts. The first four are events that are recorded, the other two guard
// the files that hold them.
const (
	PartMembers    Part = "members"
	PartRegions    Part = "regions"
	PartGlobal     Part = "global-events"
	PartManagement Part = "management-events"
	PartValidation Part = "validation"
	PartKey        Part = "key"
)

// Parts are all parts, in the order in which they are told.
func Parts() []Part {
	return []Part{PartMembers, PartRegions, PartGlobal, PartManagement, PartValidation, PartKey}
}

// Records reports whether without the part events are not recorded.
func (p Part) Records() bool { return p != PartValidation && p != PartKey }

// Coverage returns what the trail covers.
func (t Trail) Coverage() Coverage {
	unlogged, known := t.ManagementEvents()
	return Coverage{
		ARN: t.ARN, Organization: t.Organization, MultiRegion: t.MultiRegion,
		// A trail of every region always has them.
		// Source: UpdateTrail in the API reference of CloudTrail.
		GlobalEvents:   t.GlobalEvents || t.MultiRegion,
		SelectorsKnown: known, Unlogged: unlogged,
		Validation: t.LogFileValidation, KMSKeyID: t.KMSKeyID,
	}
}

// Less returns the parts of which c covers less than before, in the order of
// [Parts]. Another key is no loss. Management events are compared only where
// both are known.
func (c Coverage) Less(before Coverage) []Part {
	lost := map[Part]bool{
		PartMembers:    before.Organization && !c.Organization,
		PartRegions:    before.MultiRegion && !c.MultiRegion,
		PartGlobal:     before.GlobalEvents && !c.GlobalEvents,
		PartManagement: before.SelectorsKnown && c.SelectorsKnown && c.Unlogged.more(before.Unlogged),
		PartValidation: before.Validation && !c.Validation,
		PartKey:        before.KMSKeyID != "" && c.KMSKeyID == "",
	}
	return slices.DeleteFunc(Parts(), func(p Part) bool { return !lost[p] })
}

// With returns what either covers. Of two keys it is the other's.
func (c Coverage) With(other Coverage) Coverage {
	c.Organization = c.Organization || other.Organization
	c.MultiRegion = c.MultiRegion || other.MultiRegion
	c.GlobalEvents = c.GlobalEvents || other.GlobalEvents
	c.Validation = c.Validation || other.Validation
	if other.KMSKeyID != "" {
		c.KMSKeyID = other.KMSKeyID
	}
	switch {
	case !other.SelectorsKnown:
	case !c.SelectorsKnown:
		c.SelectorsKnown, c.Unlogged = true, other.Unlogged
	default:
		c.Unlogged = c.Unlogged.both(other.Unlogged)
	}
	return c
}

// Without returns what c covers but for the parts, which are as in the other.
func (c Coverage) Without(parts []Part, other Coverage) Coverage {
	for _, p := range parts {
		switch p {
		case PartMembers:
			c.Organization = other.Organization
		case PartRegions:
			c.MultiRegion = other.MultiRegion
		case PartGlobal:
			c.GlobalEvents = other.GlobalEvents
		case PartManagement:
			c.SelectorsKnown, c.Unlogged = other.SelectorsKnown, other.Unlogged
		case PartValidation:
			c.Validation = other.Validation
		case PartKey:
			c.KMSKeyID = other.KMSKeyID
		}
	}
	return c
}

// more reports whether something is not logged that was.
func (u Unlogged) more(before Unlogged) bool {
	return u.Reads && !before.Reads || u.Writes && !before.Writes || len(u.Newly(before)) > 0
}

// Newly returns the services of which events are left out that were not before.
// Where nothing is logged, or nothing was, no service is left out beside that.
func (u Unlogged) Newly(before Unlogged) []string {
	if u.Reads && u.Writes || before.Reads && before.Writes {
		return nil
	}
	return slices.DeleteFunc(u.sources(), func(s string) bool { return slices.Contains(before.sources(), s) })
}

// both is what neither logs.
func (u Unlogged) both(other Unlogged) Unlogged {
	out := Unlogged{Reads: u.Reads && other.Reads, Writes: u.Writes && other.Writes}
	switch {
	case u.Reads && u.Writes: // it logs nothing, so that it leaves out no service beside
		out.Sources = other.Sources
	case other.Reads && other.Writes:
		out.Sources = u.Sources
	default:
		theirs := other.sources()
		out.Sources = strings.Join(slices.DeleteFunc(u.sources(), func(s string) bool { return !slices.Contains(theirs, s) }), ", ")
	}
	return out
}

func (u Unlogged) sources() []string {
	if u.Sources == "" {
		return nil
	}
	return strings.Split(u.Sources, ", ")
}
