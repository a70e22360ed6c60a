package policy

import (
	"slices"
	"strings"

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
	// malformed: it is not spelled as AWS documents it, and may stand for anything.
	malformed bool
}

// newPattern compiles a text. Variables are read as such in documents of Version
// 2012-10-17.
func (r statementReader) newPattern(text string, f form, fold bool) pattern {
	p := pattern{form: f, fold: fold}
	if !r.variables || !strings.Contains(text, "${") {
		if fold {
			text = foldCase(text)
		}
		p.compiled = p.compile(f.parse(text).Tokens)
		return p
	}
	pieces := r.lex(text, f)
	if slices.ContainsFunc(pieces, func(x piece) bool { return x.variable != nil }) {
		p.pieces = pieces
		return p
	}
	p.compiled = p.compile(p.join(pieces))
	return p
}

// join puts the pieces of a pattern together, of which none is a variable.
func (p *pattern) join(pieces []piece) []glob.Token {
	var tokens []glob.Token
	for _, x := range pieces {
		tokens = glob.Append(tokens, x.token)
	}
	return p.inOneCase(tokens)
}

// inOneCase lower-cases the literals, if letter case is to be ignored. That is done
// last, since the letters around a sigma say which of its two forms it has.
func (p *pattern) inOneCase(tokens []glob.Token) []glob.Token {
	if !p.fold {
		return tokens
	}
	out := slices.Clone(tokens)
	for i, t := range out {
		if t.Op == glob.Literal {
			out[i] = literal(foldCase(t.Text.String()))
		}
	}
	return out
}

// parse reads a text without variables.
func (f form) parse(text string) glob.Pattern {
	if f == exactForm {
		return glob.Exact(text)
	}
	return glob.Parse(text)
}

// lex splits a text at its variables. One that is not closed takes the rest.
func (r statementReader) lex(text string, f form) []piece {
	var out []piece
	plain := func(part string) {
		for _, t := range f.parse(part).Tokens {
			out = append(out, piece{token: t})
		}
	}
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			plain(text)
			return out
		}
		plain(text[:start])
		size := strings.IndexByte(text[start:], '}')
		if size < 0 {
			return append(out, piece{variable: &variable{malformed: true}})
		}
		out = append(out, r.readVariable(text[start+2:start+size]))
		text = text[start+size+1:]
	}
}

// readVariable reads what stands between "${" and "}". The three special
// characters are written as variables of one character; a default follows the
// key as in "aws:PrincipalTag/team, 'none'". See "IAM policy elements:
// Variables and tags". What is not spelled so Access Analyzer calls an error: a
// space in the name, no name, a key that there is not, a default without its space
// or its quotes.
func (r statementReader) readVariable(text string) piece {
	if text == "*" || text == "?" || text == "$" {
		return piece{token: literal(text)}
	}
	v := &variable{name: text}
	if key, rest, found := strings.Cut(text, ","); found {
		rest, opened := strings.CutPrefix(rest, " '")
		rest, closed := strings.CutSuffix(rest, "'")
		v.name, v.fallback, v.hasFallback = key, rest, true
		v.malformed = !opened || !closed || strings.Contains(rest, "'")
	}
	prefix, name, _ := strings.Cut(v.name, ":")
	v.key = strings.ToLower(v.name)
	v.malformed = v.malformed || prefix == "" || name == "" || strings.ContainsAny(v.name, " \t\r\n\"'${") || r.dialect.lookUpKey(v.key) == keyUnknown
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
	// malformed: a variable is, so that it is approximate too.
	malformed bool
}

// expand replaces the variables. What comes from a value is text, never a
// wildcard. Fields of an ARN are told apart after the replacement.
func (p *pattern) expand(lookup func(key string) Value) expansion {
	if p.pieces == nil {
		return expansion{compiledPattern: p.compiled}
	}
	var out expansion
	tokens := make([]glob.Token, 0, len(p.pieces))
	for _, x := range p.pieces {
		if x.variable == nil {
			tokens = glob.Append(tokens, x.token)
			continue
		}
		out.malformed = out.malformed || x.variable.malformed
		text, known, exists := x.variable.value(lookup(x.variable.key))
		switch {
		case !exists:
			return expansion{matchesNothing: true, malformed: p.misspelt()}
		case !known:
			out.approximate = true
			tokens = append(tokens, glob.Token{Op: glob.Star})
		default:
			tokens = glob.Append(tokens, literal(text))
		}
	}
	tokens = p.inOneCase(tokens)
	out.compiledPattern = p.compile(tokens)
	if out.approximate {
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
	case x.malformed:
		return "", false, true
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
		if x.variable != nil && !x.variable.malformed {
			f(x.variable.key, x.variable.name)
		}
	}
}

// misspelt reports whether one of the pattern's variables is malformed.
func (p *pattern) misspelt() bool {
	return slices.ContainsFunc(p.pieces, func(x piece) bool { return x.variable != nil && x.variable.malformed })
}
