package policy

import (
	"slices"
	"strings"
)

// form is the way in which a pattern is read.
type form uint8

const (
	exactForm    form = iota // the whole text, no wildcards
	likeForm                 // wildcards over the whole text
	arnForm                  // wildcards field by field, as ArnLike does
	resourceForm             // the same, as the Resource element does
)

// pattern is a text of a policy that values are compared with.
type pattern struct {
	form   form
	fold   bool // letters of either case are the same
	tokens []token
	vars   bool // tokens holds variables
	shape  shape
}

// shape says whether a pattern that should be an ARN is one.
type shape uint8

const (
	whole     shape = iota
	malformed       // fewer than six fields, not "*"
)

// newPattern compiles a text. Variables are read as such if vars is set: in
// documents of Version 2012-10-17.
func newPattern(text string, f form, fold, vars bool) pattern {
	if fold {
		text = foldCase(text)
	}
	p := pattern{form: f, fold: fold}
	tokens := lex(text, f != exactForm, vars)
	for _, t := range tokens {
		if t.op == opVar {
			p.vars = true
		}
	}
	if p.vars {
		p.tokens = tokens
		return p
	}
	p.tokens, p.shape = shaped(tokens, f)
	return p
}

// lex splits a text into tokens.
func lex(text string, wildcards, vars bool) []token {
	var out []token
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, token{op: opText, text: units(text[start:end])})
		}
	}
	for i := 0; i < len(text); i++ {
		switch {
		case vars && strings.HasPrefix(text[i:], "${"):
			size := strings.IndexByte(text[i:], '}')
			if size < 0 {
				continue
			}
			flush(i)
			out = append(out, variable(text[i+2:i+size]))
			i += size
			start = i + 1
		case wildcards && text[i] == '*':
			flush(i)
			if len(out) == 0 || out[len(out)-1].op != opStar {
				out = append(out, token{op: opStar})
			}
			start = i + 1
		case wildcards && text[i] == '?':
			flush(i)
			out = append(out, token{op: opOne})
			start = i + 1
		}
	}
	flush(len(text))
	return out
}

// variable reads what stands between "${" and "}". The three special
// characters are written as variables of one character; a default follows the
// key as in "aws:PrincipalTag/team, 'none'". See "IAM policy elements:
// Variables and tags".
func variable(text string) token {
	if text == "*" || text == "?" || text == "$" {
		return token{op: opText, text: text}
	}
	key, rest, found := strings.Cut(text, ",")
	rest = strings.TrimSpace(rest)
	key = strings.TrimSpace(key)
	t := token{op: opVar, text: strings.ToLower(key), name: key}
	if found && len(rest) >= 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		t.fallback, t.hasFallback = rest[1:len(rest)-1], true
	}
	return t
}

// shaped joins neighbouring texts and, for ARNs, ties the wildcards of the
// first five fields to their field.
func shaped(tokens []token, f form) ([]token, shape) {
	if f == exactForm || f == likeForm {
		return joined(tokens), whole
	}
	if len(tokens) == 1 && tokens[0].op == opStar {
		return tokens, whole
	}
	out := joined(tokens)
	colons := 0
	for i := range out {
		if out[i].op == opText {
			colons += strings.Count(out[i].text, ":")
		} else if colons < 5 {
			out[i].tight = true
		}
	}
	if colons >= 5 {
		return out, whole
	}
	for i := range out {
		out[i].tight = false
	}
	return out, malformed
}

// neighbours reports whether two texts follow one another.
func neighbours(tokens []token) bool {
	for i := range tokens {
		if i > 0 && tokens[i].op == opText && tokens[i-1].op == opText {
			return true
		}
	}
	return false
}

// joined returns the tokens with neighbouring texts made one.
func joined(tokens []token) []token {
	if !neighbours(tokens) {
		return tokens
	}
	out := make([]token, 0, len(tokens))
	for _, t := range tokens {
		if last := len(out) - 1; t.op == opText && last >= 0 && out[last].op == opText {
			out[last].text += t.text
			continue
		}
		out = append(out, t)
	}
	return out
}

// expansion is a pattern with its variables replaced.
type expansion struct {
	tokens []token
	shape  shape
	// empty: a variable has no value, so the pattern matches nothing.
	empty bool
	// guess: a variable's value is not known; a star stands for it, and a
	// match only means that one is possible.
	guess bool
}

// expand replaces the variables. What comes from a value is text, never a
// wildcard. Fields of an ARN are told apart after the replacement.
func (p *pattern) expand(lookup func(key string) Value) expansion {
	if !p.vars {
		return expansion{tokens: p.tokens, shape: p.shape}
	}
	var out expansion
	tokens := make([]token, 0, len(p.tokens))
	for _, t := range p.tokens {
		if t.op != opVar {
			tokens = append(tokens, t)
			continue
		}
		text, known, exists := variableText(lookup(t.text), t)
		switch {
		case !exists:
			return expansion{empty: true}
		case !known:
			out.guess = true
			tokens = append(tokens, token{op: opStar})
		default:
			if p.fold {
				text = foldCase(text)
			}
			tokens = append(tokens, token{op: opText, text: units(text)})
		}
	}
	if out.guess {
		// The value may hold any number of ":", so that fields cannot be told
		// apart: match the text as a whole, which matches no less.
		out.tokens = joined(tokens)
		_, out.shape = shaped(slices.Clone(tokens), p.form)
		return out
	}
	out.tokens, out.shape = shaped(tokens, p.form)
	return out
}

// variableText is the text that stands for a variable. A key with several
// values has none.
func variableText(v Value, t token) (text string, known, exists bool) {
	switch {
	case v.State == Absent:
		return t.fallback, true, t.hasFallback
	case v.Multi || v.Known && len(v.Values) != 1:
		return "", true, false
	case !v.Known || v.State == Either:
		return "", false, true
	}
	return v.Values[0], true, true
}

// variables calls f for each key that the pattern names as a variable: in
// lower case, and as it is written.
func (p *pattern) variables(f func(key, name string)) {
	if !p.vars {
		return
	}
	for _, t := range p.tokens {
		if t.op == opVar {
			f(t.text, t.name)
		}
	}
}
