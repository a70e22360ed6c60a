package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// command is one line to be pasted into a shell. It may end in a JSON document, such as a
// policy, which a mail shows on lines of its own.
type command struct {
	words    string // quoted for a shell
	document string // compact JSON in ASCII; empty: there is none
}

// maxWord is the longest value that a command is built with, in bytes: the ARN
// of a trail has at most 200.
const maxWord = 300

// line is the command on one line.
func (c command) line() string {
	if c.document == "" {
		return c.words
	}
	return c.words + " " + quote(c.document)
}

// lines are the command with its document indented. White space between the members of a
// document means nothing to AWS, so that both forms do the same.
func (c command) lines() []string {
	if c.document == "" {
		return []string{c.words}
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(c.document), "", "  ") != nil {
		return []string{c.line()}
	}
	return strings.Split(c.words+" "+quote(b.String()), "\n")
}

// expand fills the names in braces of a template with values, quoted for a shell where they
// need it. What stands in square brackets is left out where a value of it is missing. Ok is
// false where any other is missing. A value that cannot be a name that AWS gave out, because
// it is too long, not printable ASCII, or would pass for an option, is missing: no command
// is better than a wrong one.
func expand(template string, values map[string]string) (words string, ok bool) {
	var b strings.Builder
	for template != "" {
		before, optional, found := strings.Cut(template, "[")
		if !fill(&b, before, values) {
			return "", false
		}
		if !found {
			break
		}
		var part strings.Builder
		optional, template, _ = strings.Cut(optional, "]")
		if fill(&part, optional, values) {
			b.WriteString(part.String())
		}
	}
	return b.String(), true
}

// fill writes a part of a template. It reports whether all values were there.
func fill(b *strings.Builder, part string, values map[string]string) bool {
	for {
		before, after, found := strings.Cut(part, "{")
		b.WriteString(before)
		if !found {
			return true
		}
		name, rest, _ := strings.Cut(after, "}")
		value := values[name]
		if value == "" || value[0] == '-' || len(value) > maxWord || !isPlain(value) {
			return false
		}
		b.WriteString(quote(value))
		part = rest
	}
}

func quote(word string) string {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') &&
			!strings.ContainsRune("_-./:@=+,", r)
	}
	if !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// asciiJSON returns a JSON document without white space between its members, and with
// everything in its strings that is not printable ASCII as an escape of JSON: it says the same,
// and nothing in it can hide, turn the line around or be changed by a mail program. Ok is
// false for what is no JSON.
func asciiJSON(text []byte) (document string, ok bool) {
	var compacted bytes.Buffer
	if json.Compact(&compacted, text) != nil {
		return "", false
	}
	var b strings.Builder
	for _, r := range compacted.String() {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String(), true
}
