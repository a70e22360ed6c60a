// Package corpus reads the corpora that tests are made of: files with a case in JSON in each
// line.
package corpus

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Line is a line of a corpus.
type Line struct {
	File   string // its name, without folders
	Number int    // from 1
	Text   []byte
}

// Decode reads the line into v, or ends the test.
func (l Line) Decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(l.Text, v); err != nil {
		t.Fatalf("line %d of %s: %v; expected a case in JSON", l.Number, l.File, err)
	}
}

// Lines returns the lines of the files of a pattern, of which there have to be as many.
func Lines(t testing.TB, pattern string, least int) []Line {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		t.Fatalf("corpus files %v, error %v; expected at least %d of %s", files, err, least, pattern)
	}
	var lines []Line
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
			lines = append(lines, Line{filepath.Base(file), i + 1, line})
		}
	}
	return lines
}

// Rows returns the cases of a file.
func Rows[T any](t testing.TB, file string) []T {
	t.Helper()
	var rows []T
	for _, line := range Lines(t, file, 1) {
		var row T
		line.Decode(t, &row)
		rows = append(rows, row)
	}
	return rows
}
