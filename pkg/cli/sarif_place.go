package cli

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// The types of a place.
type (
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	// sarifRegion has lines and columns from 1. A column counts UTF-16 units, and
	// the last is the one behind the region.
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// mostLocations is how many places GitHub takes of one result; it shows the
// first.
const mostLocations = 10

// sarifPlaces says where findings are shown. A bucket has no place in a
// repository, and GitHub refuses a whole file for one result without a place.
type sarifPlaces struct {
	// category tells this run from others of the same commit: the command, and
	// what it judged.
	category string
	// file is where a finding is shown that is in no file of its own.
	file string
	// always says that all findings are shown there.
	always bool
}

// sarifLocationFlag is the flag of the commands that print SARIF.
type sarifLocationFlag struct {
	SARIFLocation string `name:"sarif-location" placeholder:"FILE" help:"In SARIF, show the findings at this file of the repository. Default: the policy's file, or else the --trails file."`
}

// places returns where the findings of a command are shown. Trails is the file
// that the trails were read from, empty or - if none.
func (f sarifLocationFlag) places(command, judged, trails string) sarifPlaces {
	if trails == "-" {
		trails = ""
	}
	return sarifPlaces{
		category: command + "/" + judged,
		file:     cmp.Or(f.SARIFLocation, trails, "trailwarden."+command),
		always:   f.SARIFLocation != "",
	}
}

// of returns the places of a finding: where it was judged from a file those of the
// responsible statements.
func (p sarifPlaces) of(f sarifFinding) []sarifLocation {
	logical := []sarifLogical{{FullyQualifiedName: bucketARN(f.bucket), Kind: "resource"}}
	at := func(file string, region sarifRegion) sarifLocation {
		return sarifLocation{sarifPhysical{sarifArtifact{fileURI(file)}, region}, logical}
	}
	file := f.bucket.file
	if p.always || file == nil || f.Target != "" || file.name == standardInput {
		return []sarifLocation{at(p.file, sarifRegion{1, 1, 1, 2})}
	}
	statements := []int{}
	for _, name := range f.Statements {
		if index, ok := file.statement(name); ok {
			statements = append(statements, index)
		}
	}
	if f.statement >= 0 {
		statements = []int{f.statement}
	}
	if len(statements) == 0 {
		return []sarifLocation{at(file.name, file.region(-1))}
	}
	var locations []sarifLocation
	for _, index := range statements[:min(len(statements), mostLocations)] {
		locations = append(locations, at(file.name, file.region(index)))
	}
	return locations
}

// faultyStatements returns for each fault of the report, and each that may be
// one, the statement that it is in: an index, or -1.
func (b *bucketOverview) faultyStatements() (faults, maybe []int) {
	faults, maybe = slices.Repeat([]int{-1}, len(b.Report.Faults)), slices.Repeat([]int{-1}, len(b.Report.MaybeFaults))
	if b.file == nil {
		return faults, maybe
	}
	// The report has them in words, in the same order.
	certain, doubtful := b.file.document.Validate(bucketARN(b))
	for i, f := range certain[:min(len(certain), len(faults))] {
		faults[i] = f.Statement
	}
	for i, f := range doubtful[:min(len(doubtful), len(maybe))] {
		maybe[i] = f.Statement
	}
	return faults, maybe
}

// statement finds a statement by the name that it has in findings.
func (f *policyFile) statement(name string) (int, bool) {
	for i := range f.document.Len() {
		if f.document.Label(i) == name {
			return i, true
		}
	}
	return 0, false
}

// region returns where the statement at index stands in the file: the whole
// policy's first line for -1, and where the policy is a text within the file.
func (f *policyFile) region(index int) sarifRegion {
	whole := sarifRegion{f.first, 1, f.first, 2}
	if !f.bare || index < 0 {
		return whole
	}
	at := 0
	for i := range f.document.Len() {
		text := f.document.StatementText(i)
		found := bytes.Index(f.text[at:], text)
		if found < 0 {
			return whole
		}
		at += found
		if i == index {
			var r sarifRegion
			r.StartLine, r.StartColumn = f.position(at)
			r.EndLine, r.EndColumn = f.position(at + len(text))
			return r
		}
		at += len(text)
	}
	return whole
}

// position returns the line and column in the file of an offset into its text.
func (f *policyFile) position(offset int) (line, column int) {
	before := f.text[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	column = 1 + len(utf16.Encode([]rune(string(before[start:]))))
	if start == 0 {
		column += f.indent
	}
	return f.first + bytes.Count(before, []byte("\n")), column
}

func bucketARN(b *bucketOverview) string {
	partition := arn.Commercial
	if len(b.Trails) > 0 {
		partition = cmp.Or(b.Trails[0].Partition(), partition)
	}
	if account, ok := delivery.AccountOf(b.Bucket.Name); ok {
		return "arn:" + string(arn.Region(b.Bucket.Region).Partition()) + ":iam::" + account + ":root"
	}
	return arn.Bucket(b.Bucket.Name).ARN(partition)
}

// fileURI is the URI of a file: relative to the working directory if it is in it,
// since GitHub finds files of the repository by that.
func fileURI(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return relativeURI(path)
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		return absoluteURI(abs)
	}
	if relative, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(relative) {
		return relativeURI(relative)
	}
	return absoluteURI(abs)
}

func relativeURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(path))}
	return u.String()
}

func absoluteURI(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path}
	return u.String()
}

// fingerprints counts results that nothing tells apart, so that each has a print
// of its own.
type fingerprints map[string]int

// of returns the fingerprint of a result from what it is about. It is the same from
// run to run, wherever the result stands in its file.
func (f fingerprints) of(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	id := hex.EncodeToString(sum[:16])
	f[id]++
	return fmt.Sprintf("%s:%d", id, f[id])
}
