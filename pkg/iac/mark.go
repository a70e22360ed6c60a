package iac

import "strings"

// A mark stands in a known text for a name that is not known and of which it is
// known what it names: the account of the stack, a bucket or trail of the template.
// So "arn:aws:s3:::" and the mark of bucket Logs is the ARN of that bucket, whatever
// its name will be. The characters that delimit marks are of Unicode's private use
// area, which no name in AWS has; a text from outside that has them is not known.
const (
	markStart = '\ue000'
	markEnd   = '\ue001'
)

// MarkKind is what a mark names.
type MarkKind string

// The kinds.
const (
	AccountMark MarkKind = "account" // the account of the stack
	BucketMark  MarkKind = "bucket"  // the bucket at an address
	TrailMark   MarkKind = "trail"   // the name of the trail at an address
	TopicMark   MarkKind = "topic"   // the name of the topic at an address
	OtherMark   MarkKind = "other"   // anything else: the id is what it refers to
)

// Mark is a text that stands for what is not known. The id tells marks of a
// kind apart.
func Mark(kind MarkKind, id string) string {
	return string(markStart) + string(kind) + ":" + unmarked(id) + string(markEnd)
}

// HasMark reports whether a text holds a mark, or a character of one.
func HasMark(text string) bool { return strings.ContainsAny(text, string(markStart)+string(markEnd)) }

// unmarked is a text without the characters that delimit marks.
func unmarked(text string) string {
	return strings.Map(func(r rune) rune {
		if r == markStart || r == markEnd {
			return -1
		}
		return r
	}, text)
}

// mark is a mark that was taken apart.
type mark struct {
	kind MarkKind
	id   string
}

// replaceMarks returns the text with each mark replaced by what the function gives
// for it. Ok is false if the text has a mark for which it gives nothing.
func replaceMarks(text string, with func(mark) (string, bool)) (out string, ok bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, string(markStart))
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		inner, after, closed := strings.Cut(rest, string(markEnd))
		kind, id, _ := strings.Cut(inner, ":")
		named, known := with(mark{MarkKind(kind), id})
		if !closed || !known {
			return "", false
		}
		b.WriteString(named)
		text = after
	}
}

// References are what the marks of a text name.
func References(text string) []string {
	var out []string
	_, _ = replaceMarks(text, func(m mark) (string, bool) {
		switch m.kind {
		case AccountMark:
			out = append(out, "AWS::AccountId")
		case BucketMark, TrailMark, TopicMark, OtherMark:
			out = append(out, m.id)
		}
		return "", true
	})
	return out
}

// HasOtherMark reports whether a text holds a mark of [OtherMark].
func HasOtherMark(text string) bool {
	_, ok := replaceMarks(text, func(m mark) (string, bool) { return "", m.kind != OtherMark })
	return !ok
}

// IsName reports whether a text names something for certain: it holds no mark, or only marks of
// the account with other characters than digits around them. What is longer than all names in AWS is none.
func IsName(text string) bool {
	const longest = 4096
	if len(text) > longest {
		return false
	}
	for range 2 {
		text = accountMark.ReplaceAllString(text, "$1|$2")
	}
	return !HasMark(text)
}

// BucketOfMark is the address of the bucket that a text is the mark of, empty if it is none.
func BucketOfMark(text string) string {
	address := ""
	_, _ = replaceMarks(text, func(m mark) (string, bool) {
		if m.kind == BucketMark && text == Mark(m.kind, m.id) {
			address = m.id
		}
		return "", true
	})
	return address
}
