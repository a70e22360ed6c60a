package iac

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A policy of which not all is known is judged with holes: in the place of what is
// not known stands null. Package policy reads null as an element that it cannot
// read, which neither grants for certain nor spares from a Deny, whatever it turns
// out to be. So a decision on a policy with holes is the decision on it with any
// text in their places, or it is undetermined; a property test holds that.
//
// A name that is not known, but is the same in the policy and in what CloudTrail asks
// for, has a stand-in: a made-up name that both have. That decides for all names
// only if no text of the policy can tell the stand-in from another name. A text
// that might becomes a hole.

// holed is a policy with holes.
type holed struct {
	text []byte
	gaps []Gap
	// statements are the indexes of the statements that have a hole; whole says that
	// something else of the policy has.
	statements map[int]bool
	whole      bool
}

// exact reports whether the policy is as it was written.
func (h holed) exact() bool { return len(h.statements) == 0 && !h.whole }

var errNotJSON = errors.New("not JSON")

// The bounds of a policy that is read at all. S3 takes 20,480 bytes without white space, and policies are
// some ten levels deep.
const (
	maxPolicyText  = 256 << 10
	maxPolicyDepth = 100
)

// punch makes the holes of a policy. Where nothing is to be replaced, the text
// stays byte for byte as it is.
func punch(p Policy, s standIns) (holed, error) {
	if len(p.Text.Text) > maxPolicyText {
		return holed{}, errors.New("longer than S3 takes")
	}
	w := &puncher{source: []byte(p.Text.Text), standIns: s, policy: p}
	w.out.statements = map[int]bool{}
	w.decoder = json.NewDecoder(bytes.NewReader(w.source))
	w.decoder.UseNumber()
	if err := w.value(nil); err != nil {
		return holed{}, errNotJSON
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return holed{}, errNotJSON
	}
	w.out.text = append(w.out.text, w.source[w.copied:]...)
	w.out.gaps = append(w.out.gaps, p.Gaps...)
	return w.out, nil
}

// puncher walks through a policy, and copies it with what is replaced.
type puncher struct {
	standIns
	policy  Policy
	source  []byte
	decoder *json.Decoder
	copied  int64 // what of source is in out
	out     holed
}

// value walks through a value. The path holds the names of members and the indexes
// of elements that lead to it.
func (w *puncher) value(path []string) error {
	if len(path) > maxPolicyDepth {
		return errNotJSON
	}
	before := w.decoder.InputOffset()
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		for i := 0; w.decoder.More(); i++ {
			step := strconv.Itoa(i)
			if token == '{' {
				name, err := w.decoder.Token()
				if err != nil {
					return err
				}
				step, _ = name.(string)
			}
			if err := w.value(append(slices.Clip(path), step)); err != nil {
				return err
			}
		}
		_, err = w.decoder.Token()
		return err
	case string:
		text, ok := w.text(path, token)
		if ok && text == token {
			return nil
		}
		w.replace(before, text, ok)
		if !ok {
			w.hole(path)
		}
	case nil:
		w.hole(path)
	}
	return nil
}

// replace puts a text, or null, in the place of the string that was just read.
func (w *puncher) replace(before int64, text string, ok bool) {
	end := w.decoder.InputOffset()
	start := before + int64(bytes.IndexByte(w.source[before:end], '"'))
	literal := []byte("null")
	if ok {
		literal, _ = json.Marshal(text) // a string can always be written
	}
	w.out.text = append(append(w.out.text, w.source[w.copied:start]...), literal...)
	w.copied = end
}

// hole notes a hole.
func (w *puncher) hole(path []string) {
	if i, ok := statementOf(path); ok {
		w.out.statements[i] = true
		return
	}
	w.out.whole = true
}

// statementOf is the index of the statement that a path is in. A Statement element that
// is one object has no list around it.
func statementOf(path []string) (int, bool) {
	if len(path) < 2 || path[0] != "Statement" {
		return 0, false
	}
	i, err := strconv.Atoi(path[1])
	if err != nil {
		i = 0
	}
	return i, true
}

// text is what stands for a text of the policy; ok is false where it is a hole.
func (w *puncher) text(path []string, text string) (string, bool) {
	if !HasMark(text) && w.none() {
		return text, true
	}
	element, key := elementOf(path)
	if element == "" { // what does not decide: Id, Version, Sid
		plain, _ := replaceMarks(text, func(m mark) (string, bool) { return m.id, true })
		return plain, true
	}
	if w.resource != "" && text == w.resource && strings.HasSuffix(element, "Resource") {
		return w.resourceARN, true
	}
	out, ok := replaceMarks(text, w.of)
	if ok && w.indifferent(element, key, text) {
		return out, true
	}
	refers := References(text)
	if len(refers) == 0 {
		refers = w.unknown()
	}
	w.out.gaps = addGap(w.out.gaps, GapIn(w.policy.Address, w.policy.Text.Attribute, path, refers))
	return "", false
}

// elementOf is the element of a statement that a path is in, and of a condition
// its key in lower case. The element is empty for what decides nothing.
func elementOf(path []string) (element, key string) {
	if len(path) < 2 || path[0] != "Statement" {
		return "", ""
	}
	rest := path[1:]
	if _, err := strconv.Atoi(rest[0]); err == nil {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return "Statement", ""
	}
	switch rest[0] {
	case "Sid":
		return "", ""
	case "Condition":
		if len(rest) > 2 {
			return rest[0], strings.ToLower(rest[2])
		}
	}
	return rest[0], ""
}

// indifferent reports whether a text of the policy, with its marks, matches the same
// requests whatever the names are that have stand-ins.
//
// The bucket's name is in resources only, the name of a trail in aws:SourceArn only, and
// the account in resources and in the keys of source and owner. Where a name is not, its
// mark would be compared with what is known, as if it were the stand-in: that is a hole.
func (w *puncher) indifferent(element, key, text string) bool {
	has := func(kind MarkKind) bool { return strings.Contains(text, string(markStart)+string(kind)+":") }
	account := w.account == "" || indifferentToAccount(text)
	switch {
	case element == "Resource", element == "NotResource":
		return w.resourceIndifferentToAccount(text) && (w.name == "" || indifferentToBucket(text)) && !has(TrailMark)
	case element == "Principal", element == "NotPrincipal":
		// The account is a customer's, and no caller that is decided on.
		return !has(TrailMark) && !has(BucketMark)
	case key == "aws:sourcearn", key == "kms:encryptioncontext:aws:cloudtrail:arn", key == "kms:encryptioncontext:aws:sns:sourcearn":
		// The ARN of a bucket is that of no trail.
		if has(BucketMark) || thatBucket.MatchString(text) {
			return thatBucket.MatchString(text) && w.sourceIndifferentToAccount(text)
		}
		return w.sourceIndifferentToAccount(text) && (len(w.trails) == 0 || indifferentToTrail(text))
	case key == "aws:sourceaccount", key == "aws:resourceaccount", key == "s3:resourceaccount", key == "kms:encryptioncontext:aws:sns:sourceaccount":
		return account && !has(TrailMark) && !has(BucketMark)
	case key == "aws:principalaccount", key == "aws:principalarn", key == "aws:sourceowner", key == "kms:calleraccount":
		// The same: CloudTrail's principal is AWS's own, and the last two it has not, or of them it is not known
		// what they are.
		return !has(TrailMark) && !has(BucketMark)
	}
	return !HasMark(text)
}

// anyMark is a mark as it stands in a text.
const anyMark = `\x{e000}[^\x{e001}]*\x{e001}`

var (
	accountMark = regexp.MustCompile(`(^|[^0-9*?}$])\x{e000}account:\x{e001}($|[^0-9*?}$])`)
	digits      = regexp.MustCompile(`[0-9]+`)
	marks       = regexp.MustCompile(anyMark)
	anyBucket   = regexp.MustCompile(`^arn:[^:/*?]*:s3:::\*$|^arn:[^:/*?]*:s3:::\*/|^\*$`)
	thatBucket  = regexp.MustCompile(`^arn:[^:/*?]*:s3:::\x{e000}bucket:[^\x{e001}]*\x{e001}($|/)`)
	thatTrail   = regexp.MustCompile(`:trail/\x{e000}trail:[^\x{e001}]*\x{e001}$`)
)

// indifferentToAccount: in what CloudTrail asks for, the account is a run of twelve digits
// with other characters around it. A text tells accounts apart only if digits of it
// can lie on that run: it has a run of twelve itself, or one that a wildcard
// continues.
func indifferentToAccount(text string) bool {
	// Twice, since two marks may share the character between them.
	for range 2 {
		text = accountMark.ReplaceAllString(text, "$1|$2")
	}
	if strings.Contains(text, string(markStart)+"account:") {
		return false
	}
	text = marks.ReplaceAllString(text, "|")
	for _, run := range digits.FindAllStringIndex(text, -1) {
		start, end := run[0], run[1]
		if end-start >= 12 || start > 0 && isWildcard(text[start-1]) || end < len(text) && isWildcard(text[end]) {
			return false
		}
	}
	return true
}

// resourceIndifferentToAccount: a name may hold twelve digits that are not the account, and
// would be taken for it. The bucket's name is so only where the text spells it.
func (s standIns) resourceIndifferentToAccount(text string) bool {
	if s.account == "" {
		return true
	}
	if slices.ContainsFunc(s.prefixes, holdsAccount) {
		return false
	}
	if s.bucketName == "" || !holdsAccount(s.bucketName) {
		return indifferentToAccount(text)
	}
	_, after, found := strings.Cut(text, ":s3:::"+s.bucketName)
	return found && strings.HasPrefix(text, "arn:") && (after == "" || after[0] == '/') && indifferentToAccount(after)
}

// sourceIndifferentToAccount is the same for the names of trails in their ARNs.
func (s standIns) sourceIndifferentToAccount(text string) bool {
	if s.account == "" {
		return true
	}
	if !slices.ContainsFunc(s.trailNames, holdsAccount) {
		return indifferentToAccount(text)
	}
	head, name, found := strings.Cut(text, ":trail/")
	return found && slices.Contains(s.trailNames, name) && indifferentToAccount(head)
}

// holdsAccount reports whether a name has a run of twelve digits or more, beside marks.
func holdsAccount(name string) bool {
	return slices.ContainsFunc(digits.FindAllString(marks.ReplaceAllString(name, "|"), -1), func(run string) bool { return len(run) >= 12 })
}

// isWildcard also takes the end of a policy variable, whose value is not known here.
func isWildcard(c byte) bool { return c == '*' || c == '?' || c == '}' || c == '$' }

// indifferentToBucket: the bucket's name lies between ":::" and "/", or the end. A text
// takes any bucket there, or the one that is judged.
func indifferentToBucket(text string) bool {
	return anyBucket.MatchString(text) || thatBucket.MatchString(text)
}

// indifferentToTrail: the name of a trail is the end of its ARN, and has no ":" and no
// "/". A text takes any name there, or that of the trail.
func indifferentToTrail(text string) bool {
	if text == "*" || thatTrail.MatchString(text) {
		return true
	}
	head, ok := strings.CutSuffix(text, "*")
	return ok && (strings.HasSuffix(head, "/") || strings.HasSuffix(head, ":"))
}
