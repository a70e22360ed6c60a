package glob

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Op is what a [Token] matches.
type Op uint8

// The kinds of tokens.
const (
	Literal Op = iota // its text
	One               // "?": one character
	Star              // "*": any number of characters
)

// Token is one element of a [Pattern].
type Token struct {
	Op   Op
	Text Text // of a Literal
	// InField ties a wildcard to its field: it does not match ":".
	InField bool
}

// Pattern describes whole texts, token by token.
//
// Wildcards that are tied to their field stand before all that are not, as
// [Pattern.InFields] leaves them: then every ":" up to the last of them is
// matched by a literal, and a text's number of ":" says in which field of the
// pattern it has arrived. Matching and the automata rely on it.
type Pattern struct {
	Tokens []Token
	// Fold makes no difference between the letters a to z and A to Z of a
	// text. The literals are in lower case then.
	Fold bool
}

// Union describes the texts that any of its patterns matches.
type Union []Pattern

// Parse reads a pattern in which "*" and "?" are wildcards.
func Parse(text string) Pattern {
	var tokens []Token
	start := 0
	literal := func(end int) {
		if end > start {
			tokens = append(tokens, Token{Op: Literal, Text: TextOf(text[start:end])})
		}
		start = end + 1
	}
	for i := range len(text) {
		switch text[i] {
		case '*':
			literal(i)
			if len(tokens) == 0 || tokens[len(tokens)-1].Op != Star {
				tokens = append(tokens, Token{Op: Star})
			}
		case '?':
			literal(i)
			tokens = append(tokens, Token{Op: One})
		}
	}
	literal(len(text))
	return Pattern{Tokens: tokens}
}

// Exact is the pattern that matches one text only.
func Exact(text string) Pattern {
	if text == "" {
		return Pattern{}
	}
	return Pattern{Tokens: []Token{{Op: Literal, Text: TextOf(text)}}}
}

// Any reports whether the pattern is a lone "*", which matches every text.
func (p Pattern) Any() bool {
	return len(p.Tokens) == 1 && p.Tokens[0].Op == Star && !p.Tokens[0].InField
}

// Literal is the only text that the pattern matches. Ok is false if there may be
// others.
func (p Pattern) Literal() (text string, ok bool) {
	switch {
	case p.Fold:
		return "", false
	case len(p.Tokens) == 0:
		return "", true
	}
	return p.Tokens[0].Text.String(), len(p.Tokens) == 1 && p.Tokens[0].Op == Literal
}

// InFields ties the wildcards in the first n fields, which end at ":", to
// their field. ok is false if the literals have fewer than n colons: then
// nothing is tied.
func (p Pattern) InFields(n int) (q Pattern, ok bool) {
	colons := 0
	tied := 0 // the tokens up to the last wildcard of the first n fields
	for i, t := range p.Tokens {
		if t.Op == Literal {
			colons += strings.Count(string(t.Text), ":")
		} else if colons < n {
			tied = i + 1
		}
	}
	if colons < n || tied == 0 {
		return p, colons >= n
	}
	tokens := slices.Clone(p.Tokens)
	for i := range tokens[:tied] {
		tokens[i].InField = tokens[i].Op != Literal
	}
	return Pattern{Tokens: tokens, Fold: p.Fold}, true
}

// Append adds a token. Literals that come to stand side by side are made one,
// so that equal patterns have equal tokens.
func Append(tokens []Token, t Token) []Token {
	last := len(tokens) - 1
	if t.Op != Literal || last < 0 || tokens[last].Op != Literal {
		return append(tokens, t)
	}
	tokens[last].Text += t.Text
	return tokens
}

// Match reports whether the pattern matches the whole of t.
//
// The first match of what precedes a star is as good as any other: the star
// takes whatever follows. So only the last star reached is ever extended, and
// the time is at most the product of both lengths. A star that is tied to its
// field cannot be extended over a ":", and then an earlier star is of no help
// either: in the same field it could only make the last one begin later, and
// from another field it leads to the same ":" however far it extends.
func (p Pattern) Match(t Text) bool {
	matches, _ := p.match(t)
	return matches
}

// MatchSteps is Match, and says what it took, in steps as [Limits] has them.
func (p Pattern) MatchSteps(t Text) (matches bool, steps int) {
	matches, places := p.match(t)
	return matches, 1 + places/8
}

func (p Pattern) match(t Text) (matches bool, places int) {
	if p.Fold {
		t = Text(LowerASCII(string(t)))
	}
	at, i := 0, 0       // the next token, the next byte
	star, from := -1, 0 // the last star reached, and how far it extends
	for {
		places++
		switch {
		case at == len(p.Tokens):
			if i == len(t) {
				return true, places
			}
		case p.Tokens[at].Op == Star:
			if at == len(p.Tokens)-1 && !p.Tokens[at].InField {
				return true, places
			}
			star, from = at, i
			at++
			continue
		default:
			if n := p.Tokens[at].take(t[i:]); n >= 0 {
				i += n
				at++
				continue
			}
		}
		if star < 0 {
			return false, places
		}
		from = extend(p.Tokens[star:], t, from)
		if from < 0 {
			return false, places
		}
		i, at = from, star+1
	}
}

// take returns how many bytes of t the token takes, or -1 if it does not fit.
func (k Token) take(t Text) int {
	if k.Op == Literal {
		if strings.HasPrefix(string(t), string(k.Text)) {
			return len(k.Text)
		}
		return -1
	}
	if t == "" || k.InField && t[0] == ':' {
		return -1
	}
	return charLen(t)
}

// extend returns the next place after from at which what follows the star
// tokens[0] may begin, or -1.
func extend(tokens []Token, t Text, from int) int {
	if from >= len(t) {
		return -1
	}
	next := from + charLen(t[from:])
	if len(tokens) > 1 && tokens[1].Op == Literal {
		skip := strings.Index(string(t[next:]), string(tokens[1].Text))
		if skip < 0 {
			return -1
		}
		next += skip
	}
	if tokens[0].InField && strings.IndexByte(string(t[from:next]), ':') >= 0 {
		return -1
	}
	return next
}

// Key is a text that equal patterns share and others do not.
func (p Pattern) Key() string {
	b := []byte{0}
	if p.Fold {
		b[0] = 1
	}
	for _, t := range p.Tokens {
		kind := byte(t.Op)
		if t.InField {
			kind |= 0x80
		}
		b = append(b, kind)
		b = binary.AppendUvarint(b, uint64(len(t.Text)))
		b = append(b, t.Text...)
	}
	return string(b)
}
