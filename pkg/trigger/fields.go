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

func only(s string, allowed func(c byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isNameByte(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' }

// isBucket accepts the names of today and those that us-east-1 once allowed.
// Source: AmazonS3 userguide, bucketnamingrules.html.
func isBucket(s string) bool {
	return 3 <= len(s) && len(s) <= 255 && only(s, isNameByte) && isAlphanumeric(s[0])
}

// isTrailName is the grammar of trails' names.
// Source: awscloudtrail userguide, cloudtrail-trail-naming-requirements.html.
func isTrailName(s string) bool {
	return 3 <= len(s) && len(s) <= 128 && only(s, isNameByte) && isAlphanumeric(s[0])
}

func isAccount(s string) bool { return len(s) == 12 && only(s, isDigit) }

// isRegion accepts what is spelled like a region: "us-gov-east-1".
func isRegion(s string) bool {
	lower := func(c byte) bool { return 'a' <= c && c <= 'z' || isDigit(c) || c == '-' }
	parts := strings.Split(s, "-")
	return len(s) <= 32 && only(s, lower) && len(parts) >= 3 && len(parts[0]) == 2 && !strings.Contains(s, "--") &&
		parts[len(parts)-1] != "" && only(parts[len(parts)-1], isDigit)
}

// isARN is the grammar of a trail's ARN.
func isARN(s string) bool {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "cloudtrail" {
		return false
	}
	name, ok := strings.CutPrefix(parts[5], "trail/")
	partition := parts[1] == "aws" || strings.HasPrefix(parts[1], "aws-") && len(parts[1]) <= 16 && only(parts[1], func(c byte) bool { return c == '-' || 'a' <= c && c <= 'z' })
	return ok && partition && isRegion(parts[3]) && isAccount(parts[4]) && isTrailName(name)
}
