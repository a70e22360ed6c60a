package trigger

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// How long texts of events may be, in bytes.
const (
	maxID   = 64
	maxName = 128
	maxText = 512
	// maxPolicy is the size up to which S3 accepts a policy.
	maxPolicy = 20480
)

// fields is a JSON object whose members may be of any type. A member that is
// not what was expected is as good as none.
type fields map[string]json.RawMessage

func object(raw []byte) (fields, bool) {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil || f == nil {
		return nil, false
	}
	return f, true
}

func (f fields) object(name string) fields {
	o, _ := object(f[name])
	return o
}

// text returns a string, or the first string of a list: records of old have
// lists of one.
func (f fields) text(name string) string {
	if s, ok := decodeText(f[name]); ok {
		return s
	}
	for _, raw := range elements(f[name]) {
		s, _ := decodeText(raw)
		return s
	}
	return ""
}

// flag returns a truth value. Records have it as a string, and some as a
// boolean.
func (f fields) flag(name string) bool {
	return strings.EqualFold(f.text(name), "true") || string(f[name]) == "true"
}

func decodeText(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

func compact(raw []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}

// clip cuts a text to n bytes, at a character's end.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// clipName cuts a text to n bytes so that its end stays: a user's name stands at the end
// of an ARN, after a path of up to 512 characters.
func clipName(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	const mark = "..."
	start := clip(s, n/2-len(mark))
	end := s[len(s)-n/2:]
	for end != "" && !utf8.RuneStart(end[0]) {
		end = end[1:]
	}
	return start + mark + end
}
