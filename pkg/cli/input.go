package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf16"
)

// The sizes up to which files are read. A bucket policy has at most 20 KB, a
// trail about 1 KB, and an account description holds some of both.
const (
	maxPolicyFile   = 1 << 20
	maxTrailsFile   = 10 << 20
	maxAccountFile  = 10 << 20
	maxEventsFile   = 50 << 20
	maxDecideLine   = 1 << 20
	maxAcceptedFile = 1 << 20
	// An audit has some 4 KB for each bucket.
	maxAuditFile = 100 << 20
)

// source is a text and where it came from.
type source struct {
	name  string // the file's path as it was given, or "standard input"
	text  []byte // without white space around it
	first int    // the line of the file on which text starts, counted from 1
	// indent is how many characters of white space stand before it on that line.
	indent int
}

// standardInput is the name of the source that is no file.
const standardInput = "standard input"

// errorf is an error about the source.
func (s source) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", s.name, fmt.Errorf(format, args...))
}

// readError is the error of a source that could not be opened or read.
func (s source) readError(err error, what string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return s.errorf("no such file; expected %s", what)
	}
	// The path is said already.
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return s.errorf("%w; expected %s", err, what)
}

// read reads a file, or standard input for "-". What says in words what the
// file should hold. Files over the limit are refused unread.
func (sys *system) read(path string, limit int64, what string) (source, error) {
	if path == "" {
		return source{}, fmt.Errorf("no file name given; expected %s", what)
	}
	s := source{name: path}
	var err error
	if path == "-" {
		s.name = standardInput
		s.text, err = readAtMost(sys.stdin, limit)
	} else {
		s.text, err = readFile(path, limit)
	}
	switch {
	case errors.Is(err, errTooLarge):
		return s, s.errorf("larger than %s; expected %s", size(limit), what)
	case err != nil:
		return s, s.readError(err, what)
	}
	s.text = asUTF8(s.text)
	blank := len(s.text) - len(bytes.TrimLeft(s.text, " \t\r\n"))
	s.first = 1 + bytes.Count(s.text[:blank], []byte("\n"))
	s.indent = blank - 1 - bytes.LastIndexByte(s.text[:blank], '\n')
	s.text = bytes.TrimSpace(s.text)
	if len(s.text) == 0 {
		return s, s.errorf("empty; expected %s", what)
	}
	return s, nil
}

var errTooLarge = errors.New("too large")

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a folder")
	case info.Size() > limit:
		return nil, errTooLarge
	}
	return readAtMost(f, limit)
}

// readAtMost reads what has no size of its own: a pipe or a device.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errTooLarge
	}
	return text, err
}

// asUTF8 decodes what PowerShell's ">" writes: UTF-16, or UTF-8 with a mark.
func asUTF8(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	units := make([]uint16, 0, len(text)/2)
	for rest := text[2:]; len(rest) > 1; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return []byte(string(utf16.Decode(units)))
}

func size(bytes int64) string {
	return fmt.Sprintf("%d MiB", bytes>>20)
}
