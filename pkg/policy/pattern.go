package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// form is the way in which a pattern is read.
type form uint8

const (
	exactForm form = iota // the whole text, no wildcards
	likeForm              // wildcards over the whole text
	arnForm               // wildcards field by field, as ArnLike and the Resource element read them
)

// arnFields is the number of fields of an ARN that wildcards do not leave. The
// sixth, the resource, may itself hold ":".
const arnFields = 5

// pattern is a text of a policy that values are compared with.
type pattern struct {
	form form
	fold bool // letters of either case are the same
	// compiled is the pattern if it holds no variable, else pieces are.
	compiled compiledPattern
	pieces   []piece
}

// compiledPattern is a pattern without variables.
type compiledPattern struct {
	glob.Pattern

	// notARN: it should be an ARN, but has fewer than six fields and is not "*".
	notARN bool
}

// piece is a part of a pattern that holds variables: a token, or a variable.
type piece struct {
	token    glob.Token
	variable *variable
}

// variable is a policy variable, as in "${aws:PrincipalTag/team, 'none'}".
type variable struct {
	key         string // lower case
	name        string // the key as written
	fallback    string
	hasFallback bool
}

// newPattern compiles a text. Variables are read as such if variables is set: in
// documents of Version 2012-10-17.
func newPattern(text string, f form, fold, variables bool) pattern {
	if fold {
		text = foldCase(text)
	}
	p := pattern{form: f, fold: fold}
	if !variables || !strings.Contains(text, "${") {
		p.compiled = p.compile(f.parse(text).Tokens)
		return p
	}
	pieces := lex(text, f)
	if slices.ContainsFunc(pieces, func(x piece) bool { return x.variable != nil }) {
		p.pieces = pieces
		return p
	}
	var tokens []glob.Token
	for _, x := range pieces {
		tokens = glob.Append(tokens, x.token)
	}
	p.compiled = p.compile(tokens)
	return p
}

// parse reads a text without variables.
func (f form) parse(text string) glob.Pattern {
	if f == exactForm {
		return glob.Exact(text)
	}
	return glob.Parse(text)
}

// lex splits a text at its variables.
func lex(text string, f form) []piece {
	var out []piece
	plain := func(part string) {
		for _, t := range f.parse(part).Tokens {
			out = append(out, piece{token: t})
		}
	}
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			break
		}
		size := strings.IndexByte(text[start:], '}')
		if size < 0 {
			break
		}
		plain(text[:start])
		out = append(out, readVariable(text[start+2:start+size]))
		text = text[start+size+1:]
	}
	plain(text)
	return out
}

// readVariable reads what stands between "${" and "}". The three special
// characters are written as variables of one character; a default follows the
// key as in "aws:PrincipalTag/team, 'none'". See "IAM policy elements:
// Variables and tags".
func readVariable(text string) piece {
	if text == "*" || text == "?" || text == "$" {
		return piece{token: literal(text)}
	}
	key, rest, found := strings.Cut(text, ",")
	rest = strings.TrimSpace(rest)
	key = strings.TrimSpace(key)
	v := &variable{key: strings.ToLower(key), name: key}
	if found && len(rest) >= 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		v.fallback, v.hasFallback = rest[1:len(rest)-1], true
	}
	return piece{variable: v}
}

func literal(text string) glob.Token {
	return glob.Token{Op: glob.Literal, Text: glob.TextOf(text)}
}

// compile makes a pattern of its tokens. The wildcards of an ARN are tied to
// their fields.
func (p *pattern) compile(tokens []glob.Token) compiledPattern {
	g := glob.Pattern{Tokens: tokens, Fold: p.fold}
	if p.form == exactForm || p.form == likeForm || g.Any() {
		return compiledPattern{Pattern: g}
	}
	g, ok := g.InFields(arnFields)
	return compiledPattern{g, !ok}
}

// expansion is a pattern with its variables replaced.
type expansion struct {
	compiledPattern

	// matchesNothing: a variable has no value.
	matchesNothing bool
	// approximate: a variable's value is not known; a star stands for it, and a
	// match only means that one is possible.
	approximate bool
}

// expand replaces the variables. What comes from a value is text, never a
// wildcard. Fields of an ARN are told apart after the replacement.
func (p *pattern) expand(lookup func(key string) Value) expansion {
	if p.pieces == nil {
		return expansion{compiledPattern: p.compiled}
	}
	approximate := false
	tokens := make([]glob.Token, 0, len(p.pieces))
	for _, x := range p.pieces {
		if x.variable == nil {
			tokens = glob.Append(tokens, x.token)
			continue
		}
		text, known, exists := x.variable.value(lookup(x.variable.key))
		switch {
		case !exists:
			return expansion{matchesNothing: true}
		case !known:
			approximate = true
			tokens = append(tokens, glob.Token{Op: glob.Star})
		default:
			if p.fold {
				text = foldCase(text)
			}
			tokens = glob.Append(tokens, literal(text))
		}
	}
	out := expansion{compiledPattern: p.compile(tokens), approximate: approximate}
	if approximate {
		// The value may hold any number of ":", so that fields cannot be told
		// apart: match the text as a whole, which matches no less.
		out.Tokens = tokens
	}
	return out
}

// value is the text that stands for the variable, of which key is what is known
// of its key. A key with several values has none.
func (x *variable) value(key Value) (text string, known, exists bool) {
	switch {
	case key.State == Absent:
		return x.fallback, true, x.hasFallback
	case key.Multi || key.Known && len(key.Values) != 1:
		return "", true, false
	case !key.Known || key.State == Either:
		return "", false, true
	}
	return key.Values[0], true, true
}

// variables calls f for each key that the pattern names as a variable: in
// lower case, and as it is written.
func (p *pattern) variables(f func(key, name string)) {
	for _, x := range p.pieces {
		if x.variable != nil {
			f(x.variable.key, x.variable.name)
		}
	}
}

// foldCase lower-cases letters, but never turns one beyond ASCII into ASCII
// as the Kelvin sign would be.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, s)
}
