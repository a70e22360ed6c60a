package trail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Horizon says what makes it certain, or not, that CloudTrail will make the
// requests of a set. A requirement holds for every key that CloudTrail may
// write, and what "may" means differs.
type Horizon uint8

// The horizons.
const (
	// HorizonNow: files of today and tomorrow, of accounts known to be the
	// trail's, in regions known to be enabled. What is denied here is denied.
	HorizonNow Horizon = iota
	// HorizonPerhaps: the same, of accounts that are not known to be members, of
	// regions that an account must opt in to and of which it is not known
	// whether it has, and of kinds of files that the trail's event selectors may
	// switch on and that are not known. What is denied here may be denied.
	HorizonPerhaps
	// HorizonBacklog: files of the last 30 days that CloudTrail could not deliver
	// and still tries to. What is denied here is lost if it waits.
	HorizonBacklog
	// HorizonNewRegions: files of regions that AWS has yet to open, or that the
	// account has not enabled.
	HorizonNewRegions
	// HorizonLaterDates: files of the days after tomorrow.
	HorizonLaterDates
)

// Uncertainty is what has to be so for CloudTrail to make the requests of a set
// of HorizonPerhaps.
type Uncertainty uint8

// The uncertainties.
const (
	Certain          Uncertainty = iota
	UncertainRegion              // the account has enabled the region
	UncertainMember              // the account is a member of the organization
	UncertainFeature             // the trail's event selectors ask for such files
)

// regionHorizon sorts the regions of a trail by what is known of them.
type regionHorizon struct {
	now     []string // enabled
	perhaps []string // to be opted in to; it is not known whether they are
	later   []string // known not to be enabled
}

// EnabledByDefault returns the regions of a partition that every account has,
// and cannot disable. An unknown partition has none.
// Source: "AWS Regions" in the AWS Account Management reference guide, 2026.
func EnabledByDefault(partition arn.Partition) []string {
	if partition != arn.Commercial {
		return Regions(partition)
	}
	return []string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
		"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3",
		"sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	}
}

// regionsOf sorts the regions that a trail may write files of. A trail of one
// region writes files of its home region only. An organization trail writes
// those of all members, of which the owner's regions say nothing.
func regionsOf(t Trail, s Environment) regionHorizon {
	home := t.region()
	if !t.MultiRegion {
		return regionHorizon{now: []string{home}}
	}
	enabled, known := s.EnabledRegions[""]
	if !known && !t.Organization {
		enabled, known = s.EnabledRegions[t.Account()]
	}
	// The home region comes first: it is what is shown.
	h := regionHorizon{}
	for _, r := range slices.Concat([]string{home}, EnabledByDefault(t.Partition()), enabled) {
		if r != "" && !slices.Contains(h.now, r) {
			h.now = append(h.now, r)
		}
	}
	var rest []string
	for _, r := range Regions(t.Partition()) {
		if !slices.Contains(h.now, r) {
			rest = append(rest, r)
		}
	}
	if known {
		h.later = rest
	} else {
		h.perhaps = rest
	}
	return h
}

// newRegions are the names that a region may have which AWS has yet to open.
// Its segments are numbered, see [NewRegion]. The names of open regions are
// among them.
func newRegions(partition arn.Partition) glob.KeySet {
	direction := glob.Segment{Words: []string{
		"north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest",
	}}
	number := glob.Segment{Class: "123456789", Min: 1, Max: 1}
	country := glob.Segment{Class: lowerLetters, Min: 2, Max: 2}
	set := glob.KeySet{{Class: lowerLetters + digits + "-", Min: 8, Max: 24}}
	switch partition {
	case arn.Commercial:
		set = glob.KeySet{country, fixed("-"), direction, fixed("-"), number}
	case arn.China:
		set = glob.KeySet{fixed("cn-"), direction, fixed("-"), number}
	case arn.GovCloud:
		set = glob.KeySet{fixed("us-gov-"), direction, fixed("-"), number}
	case arn.EuropeanSovereign:
		set = glob.KeySet{fixed("eusc-"), country, fixed("-"), direction, fixed("-"), number}
	default: // any name, as long as those of regions are
	}
	for i := range set {
		set[i].Name = newRegionSegment(i)
	}
	return set
}

func newRegionSegment(i int) string { return "new region " + strconv.Itoa(i) }

// NewRegion returns the region of a witness of HorizonNewRegions, if it is one
// that AWS has yet to open. Ok is false if it is open: the names of regions to
// come hold those of open ones, and the witness stands for none to come.
func NewRegion(w glob.Witness) (region string, ok bool) {
	var b strings.Builder
	for i := 0; ; i++ {
		text, ok := w.Segments[newRegionSegment(i)]
		if !ok {
			break
		}
		b.WriteString(text)
	}
	open := slices.Contains(Regions(arn.Region(b.String()).Partition()), b.String())
	return b.String(), b.Len() > 0 && !open
}

// datePart is a set of dates: as folders, and as a file's name says them.
type datePart struct {
	folders glob.KeySet
	name    glob.KeySet
}

// redelivery is for how long CloudTrail tries to deliver a file.
// Source: create-s3-bucket-policy-for-cloudtrail.html.
const redelivery = 30 // days

// lastYear is the last year of which files are asked for.
const lastYear = 2099

// days are single days.
func days(first time.Time, n int) datePart {
	folder, name := glob.Segment{Name: "date"}, glob.Segment{Name: repeated("date")}
	for i := range n {
		day := first.AddDate(0, 0, i)
		folder.Words = append(folder.Words, day.Format("2006/01/02"))
		name.Words = append(name.Words, day.Format("20060102"))
	}
	return datePart{folders: glob.KeySet{fixed("/"), folder, fixed("/")}, name: glob.KeySet{name}}
}

// spans are years, months and days in every combination.
func spans(years, months, days glob.Segment) datePart {
	p := datePart{folders: glob.KeySet{fixed("/"), years, fixed("/"), months, fixed("/"), days, fixed("/")}}
	for _, segment := range []glob.Segment{years, months, days} {
		segment.Name = repeated(segment.Name)
		p.name = append(p.name, segment)
	}
	return p
}

// currentDates are those of the files that are written now: today and tomorrow.
// Where the time is not known every day may be today.
func currentDates(now time.Time) []datePart {
	if now.IsZero() {
		return []datePart{spans(numbers("year", "%d", 2020, lastYear), numbers("month", "%02d", 1, 12), numbers("day", "%02d", 1, 31))}
	}
	return []datePart{days(now.UTC(), 2)}
}

// backlogDates are those of the files that CloudTrail may still try to deliver.
func backlogDates(now time.Time) []datePart {
	if now.IsZero() {
		return nil
	}
	return []datePart{days(now.UTC().AddDate(0, 0, -redelivery), redelivery)}
}

// laterDates are those after tomorrow, the earliest first.
func laterDates(now time.Time) []datePart {
	if now.IsZero() {
		return nil
	}
	tomorrow := now.UTC().AddDate(0, 0, 1)
	year, month, day := tomorrow.Year(), int(tomorrow.Month()), tomorrow.Day()
	anyMonth, anyDay := numbers("month", "%02d", 1, 12), numbers("day", "%02d", 1, 31)
	this := numbers("year", "%d", year, year)
	var out []datePart
	if end := tomorrow.AddDate(0, 1, 1-day).AddDate(0, 0, -1).Day(); day < end {
		out = append(out, spans(this, numbers("month", "%02d", month, month), numbers("day", "%02d", day+1, end)))
	}
	if month < 12 {
		out = append(out, spans(this, numbers("month", "%02d", month+1, 12), anyDay))
	}
	if year < lastYear {
		out = append(out, spans(numbers("year", "%d", year+1, lastYear), anyMonth, anyDay))
	}
	return out
}

// numbers is a segment of the numbers from first to last.
func numbers(name, format string, first, last int) glob.Segment {
	segment := glob.Segment{Name: name}
	for n := first; n <= last; n++ {
		segment.Words = append(segment.Words, fmt.Sprintf(format, n))
	}
	return segment
}

// inFileName begins the name of a segment of a file's name that says once more
// what a segment of its folders says.
const inFileName = "file "

func repeated(name string) string {
	if name == "" {
		return ""
	}
	return inFileName + name
}

// Pin returns the set in which a segment has one value only, also where the
// file's name says it once more. A set without such a segment is returned as it
// is.
func (r RequestSet) Pin(name, value string) RequestSet {
	r.Resources = slices.Clone(r.Resources)
	for i, segment := range r.Resources {
		switch segment.Name {
		case name:
			r.Resources[i] = glob.Segment{Name: name, Words: []string{value}}
		case repeated(name):
			r.Resources[i] = glob.Segment{Name: segment.Name, Words: []string{strings.ReplaceAll(value, "/", "")}}
		}
	}
	return r
}

// PinLike returns the set in which every segment of the folders is as in a
// witness of the set, and the file's name says the same.
func (r RequestSet) PinLike(w glob.Witness) RequestSet {
	for _, segment := range r.Resources {
		if v, ok := w.Segments[segment.Name]; ok && !strings.HasPrefix(segment.Name, inFileName) {
			r = r.Pin(segment.Name, v)
		}
	}
	return r
}
