package tfplan

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// stream reads JSON member by member, so that of a large plan only what is
// wanted is ever in memory. What is skipped is only checked for its brackets.
type stream struct {
	in    *bufio.Reader
	depth int
}

const (
	// maxElement is the size up to which one resource is read.
	maxElement = 32 << 20
	maxDepth   = 10_000
)

var errJSON = errors.New("not JSON")

func newStream(r io.Reader) *stream { return &stream{in: bufio.NewReaderSize(r, 1<<16)} }

// next is the next byte that is not white space.
func (s *stream) next() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return 0, fmt.Errorf("%w: it ends too early", errJSON)
		case err != nil:
			return 0, err
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			return c, nil
		}
	}
}

func (s *stream) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		err = fmt.Errorf("%w: %q where %q was expected", errJSON, c, want)
	}
	return err
}

// object calls f for each member of an object; f has to read the value. Null is an object
// without members.
func (s *stream) object(f func(name string) error) error {
	return s.list('{', '}', func() error {
		if err := s.expect('"'); err != nil {
			return err
		}
		if err := s.in.UnreadByte(); err != nil {
			return err
		}
		raw, err := s.raw()
		if err != nil {
			return err
		}
		var name string
		if err := json.Unmarshal(raw, &name); err != nil {
			return errJSON
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return f(name)
	})
}

// array calls f for each element of an array; f has to read it. Null is an array without
// elements.
func (s *stream) array(f func() error) error { return s.list('[', ']', f) }

func (s *stream) list(first, last byte, f func() error) error {
	c, err := s.next()
	if err != nil {
		return err
	}
	switch c {
	case first:
	case 'n':
		if err := s.in.UnreadByte(); err != nil {
			return err
		}
		return s.decode(&struct{}{})
	default:
		return fmt.Errorf("%w: %q where %q was expected", errJSON, c, first)
	}
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("%w: it is nested too deeply", errJSON)
	}
	defer func() { s.depth-- }()
	for n := 0; ; n++ {
		if c, err = s.next(); err != nil {
			return err
		}
		if c == last && n == 0 {
			return nil
		}
		if err := s.in.UnreadByte(); err != nil {
			return err
		}
		if err := f(); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		switch c {
		case last:
			return nil
		case ',':
		default:
			return fmt.Errorf("%w: %q after a value", errJSON, c)
		}
	}
}

// end is the error of what stands behind the one value that is expected.
func (s *stream) end() error {
	for {
		c, err := s.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			return fmt.Errorf("%w: more than one value", errJSON)
		}
	}
}

// skip reads over a value.
func (s *stream) skip() error { return s.value(nil) }

// raw is the text of the next value.
func (s *stream) raw() ([]byte, error) {
	text := []byte{}
	err := s.value(&text)
	return text, err
}

// value reads a value, and adds its text to the given one if there is one. Most of a plan is read
// here: by what is in the buffer, not byte by byte.
func (s *stream) value(text *[]byte) error {
	if _, err := s.next(); err != nil {
		return err
	}
	if err := s.in.UnreadByte(); err != nil {
		return err
	}
	var v valueEnd
	for {
		_, err := s.in.Peek(1) // fills the buffer if it is empty
		if errors.Is(err, io.EOF) {
			if v.ends() { // a number, true, false or null at the very end
				return nil
			}
			return fmt.Errorf("%w: it ends too early", errJSON)
		}
		if err != nil {
			return err
		}
		chunk, _ := s.in.Peek(s.in.Buffered()) // it is all there
		n, ended, err := v.find(chunk)
		if err != nil {
			return err
		}
		if text != nil {
			if *text = append(*text, chunk[:n]...); len(*text) > maxElement {
				return fmt.Errorf("one resource is larger than %d MiB", maxElement>>20)
			}
		}
		_, _ = s.in.Discard(n) // it is there
		if ended {
			return nil
		}
	}
}

// valueEnd finds the end of a value in pieces of text.
type valueEnd struct {
	depth           int
	quoted, escaped bool
	begun           bool
}

// find is how many bytes of a piece belong to the value, and whether it ends there.
func (v *valueEnd) find(chunk []byte) (n int, ended bool, err error) {
	for i, c := range chunk {
		switch {
		case v.escaped:
			v.escaped = false
			continue
		case v.quoted:
			v.escaped, v.quoted = c == '\\', c != '"'
			if !v.quoted && v.depth == 0 {
				return i + 1, true, nil
			}
			continue
		case v.ends() && isDelimiter(c):
			return i, true, nil
		}
		v.begun = true
		switch c {
		case '"':
			v.quoted = true
		case '{', '[':
			v.depth++
		case '}', ']':
			if v.depth--; v.depth < 0 {
				return 0, false, fmt.Errorf("%w: %q without its beginning", errJSON, c)
			}
			if v.depth == 0 {
				return i + 1, true, nil
			}
		}
	}
	return len(chunk), false, nil
}

// ends reports whether the value ends where a delimiter follows, or nothing: it is a number, true,
// false or null.
func (v *valueEnd) ends() bool { return v.begun && v.depth == 0 && !v.quoted && !v.escaped }

func isDelimiter(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':'
}

// decode reads the next value into v.
func (s *stream) decode(v any) error {
	raw, err := s.raw()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%w: %w", errJSON, err)
	}
	return nil
}
