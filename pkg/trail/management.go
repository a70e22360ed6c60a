package trail

import (
	"maps"
	"slices"
	"strings"
)

// Unlogged are the management events that a trail does not log. The zero value
// is a trail that logs all of them, as every new trail does.
type Unlogged struct {
	Reads  bool `json:"reads,omitempty"`
	Writes bool `json:"writes,omitempty"`
	// Sources are the services of whose events it leaves out some, by event
	// source, sorted and separated by ", ": "kms.amazonaws.com".
	Sources string `json:"sources,omitempty"`
}

// ManagementEvents returns which management events the trail does not log. It is
// not known of a trail that has event selectors of its own and whose selectors
// could not be read.
func (t Trail) ManagementEvents() (u Unlogged, known bool) {
	if t.CustomSelectors && !t.SelectorsKnown {
		return Unlogged{}, false
	}
	return t.Unlogged, true
}

// Selectors are a trail's event selectors, in the spelling of GetEventSelectors
// and PutEventSelectors, or in that of the events of these calls: JSON's member
// names are read in any letter case. A trail has one of the two kinds.
type Selectors struct {
	Basic    []BasicSelector    `json:"EventSelectors"`
	Advanced []AdvancedSelector `json:"AdvancedEventSelectors"`
}

// BasicSelector is what a basic event selector says of management events.
// Source: EventSelector in the API reference of CloudTrail. ReadWriteType is All,
// ReadOnly or WriteOnly, and All where it is not given; management events are
// included where nothing is said of them.
type BasicSelector struct {
	ReadWriteType                 string
	IncludeManagementEvents       *bool
	ExcludeManagementEventSources []string
}

// AdvancedSelector is an advanced event selector: an event is logged if all of
// its fields match one of the selectors.
type AdvancedSelector struct{ FieldSelectors []FieldSelector }

// FieldSelector is a statement on one field of an event. All operators that are
// given have to hold.
// Source: AdvancedFieldSelector in the API reference of CloudTrail. Of management
// events a trail may select by eventCategory, readOnly and eventSource only, and
// by eventSource only kms.amazonaws.com and rdsdata.amazonaws.com, to leave them
// out. What is read here may be newer than that, so all operators are known.
type FieldSelector struct {
	Field         string
	Equals        []string
	NotEquals     []string
	StartsWith    []string
	NotStartsWith []string
	EndsWith      []string
	NotEndsWith   []string
}

// NetworkActivity reports whether network activity events are selected.
func (s Selectors) NetworkActivity() bool {
	return slices.ContainsFunc(s.Advanced, func(a AdvancedSelector) bool {
		return slices.ContainsFunc(a.FieldSelectors, func(f FieldSelector) bool {
			return f.Field == "eventCategory" && slices.Contains(f.Equals, "NetworkActivity")
		})
	})
}

// Unlogged returns which management events a trail with these selectors does not
// log. What only a part of the events can match is not counted as logged: a
// trail that selects the calls of one name does not record an account.
//
// None at all are those of a trail that nobody has put any to: "trails created without
// specific event selectors are configured to log all read and write management
// events". Source: PutEventSelectors in the API reference of CloudTrail.
func (s Selectors) Unlogged() Unlogged {
	if len(s.Basic)+len(s.Advanced) == 0 {
		return Unlogged{}
	}
	u := Unlogged{Reads: !s.logs(readEvent), Writes: !s.logs(writeEvent)}
	var out []string
	for _, source := range s.sources() {
		if !u.Reads && !s.admits(readEvent, source) || !u.Writes && !s.admits(writeEvent, source) {
			out = append(out, source)
		}
	}
	u.Sources = strings.Join(out, ", ")
	return u
}

// The values that the field readOnly has.
const (
	readEvent  = "true"
	writeEvent = "false"
)

// telling are the services by which it is told whether management events are
// logged at all: every account has calls of them, and no trail may leave
// them out.
func telling() []string {
	return []string{"cloudtrail.amazonaws.com", "ec2.amazonaws.com", "iam.amazonaws.com", "s3.amazonaws.com"}
}

// logs reports whether events of that kind are logged, but for some services.
func (s Selectors) logs(readOnly string) bool {
	return slices.ContainsFunc(telling(), func(source string) bool { return s.admits(readOnly, source) })
}

// sources are the services that may be left out, sorted.
func (s Selectors) sources() []string {
	all := map[string]bool{}
	add := func(sources []string) {
		for _, source := range sources {
			all[source] = true
		}
	}
	add(telling())
	for _, b := range s.Basic {
		add(b.ExcludeManagementEventSources)
	}
	for _, a := range s.Advanced {
		for _, f := range a.FieldSelectors {
			if f.Field == "eventSource" {
				add(f.NotEquals)
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// admits reports whether the management events of a service are logged.
func (s Selectors) admits(readOnly, source string) bool {
	return slices.ContainsFunc(s.Basic, func(b BasicSelector) bool { return b.admits(readOnly, source) }) ||
		slices.ContainsFunc(s.Advanced, func(a AdvancedSelector) bool { return a.admits(readOnly, source) })
}

func (b BasicSelector) admits(readOnly, source string) bool {
	if b.IncludeManagementEvents != nil && !*b.IncludeManagementEvents || slices.Contains(b.ExcludeManagementEventSources, source) {
		return false
	}
	switch b.ReadWriteType {
	case "", "All":
		return true
	case "ReadOnly":
		return readOnly == readEvent
	case "WriteOnly":
		return readOnly == writeEvent
	}
	return false
}

func (a AdvancedSelector) admits(readOnly, source string) bool {
	ofManagement := false
	for _, f := range a.FieldSelectors {
		switch f.Field {
		case "eventCategory":
			ofManagement = f.matches("Management")
			if !ofManagement {
				return false
			}
		case "readOnly":
			if !f.matches(readOnly) {
				return false
			}
		case "eventSource":
			if !f.matches(source) {
				return false
			}
		default:
			if f.narrows() {
				return false
			}
		}
	}
	return ofManagement
}

func (f FieldSelector) matches(value string) bool {
	is := func(other string) bool { return other == value }
	starts := func(prefix string) bool { return strings.HasPrefix(value, prefix) }
	ends := func(suffix string) bool { return strings.HasSuffix(value, suffix) }
	some := func(list []string, match func(string) bool) bool {
		return len(list) == 0 || slices.ContainsFunc(list, match)
	}
	none := func(list []string, match func(string) bool) bool { return !slices.ContainsFunc(list, match) }
	return some(f.Equals, is) && some(f.StartsWith, starts) && some(f.EndsWith, ends) &&
		none(f.NotEquals, is) && none(f.NotStartsWith, starts) && none(f.NotEndsWith, ends)
}

// narrows reports whether the field has to have a value that most events do not
// have.
func (f FieldSelector) narrows() bool { return len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) > 0 }

// LeavesOut reports whether events of a service are not logged, by its event source, though those of
// others are.
func (u Unlogged) LeavesOut(source string) bool { return slices.Contains(u.sources(), source) }
