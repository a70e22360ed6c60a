package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// decideCommand decides requests by policies.
type decideCommand struct {
	File string `arg:"" optional:"" default:"-" help:"JSON lines, each with a policy and a request; default: standard input."`
}

const expectCases = "JSON lines, each with a policy and a request"

// decided is the answer to one line.
type decided struct {
	ID         string         `json:"id"`
	Decision   policy.Outcome `json:"decision"`
	Statements []string       `json:"statements"`
	Why        string         `json:"why"`
	// MaybeFaults are what S3 may refuse about the policy, in words.
	MaybeFaults []string `json:"maybeFaults,omitempty"`
}

// undecided is the answer to a bad line.
type undecided struct {
	ID    json.RawMessage `json:"id"` // as it was given; null: not readable
	Error string          `json:"error"`
}

// Run decides line by line. Bad lines do not stop it, but make it end with 2.
func (c *decideCommand) Run(sys *system) error {
	in, s := sys.stdin, source{name: standardInput}
	if c.File != "-" {
		s.name = c.File
		f, err := os.Open(c.File)
		if err != nil {
			return s.readError(err, expectCases)
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	lines, bad := 0, 0
	out := json.NewEncoder(sys.stdout)
	out.SetEscapeHTML(false)
	for r := bufio.NewReaderSize(in, 64<<10); ; {
		line, err := readLine(r, maxDecideLine)
		if err != nil && !errors.Is(err, errTooLarge) && !errors.Is(err, io.EOF) {
			return s.readError(err, expectCases)
		}
		if text := bytes.TrimSpace(asUTF8(line)); len(text) > 0 {
			lines++
			answer, ok := decideLine(text, errors.Is(err, errTooLarge))
			if !ok {
				bad++
			}
			if err := out.Encode(answer); err != nil {
				return fmt.Errorf("cannot write the output: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	switch {
	case lines == 0:
		return s.errorf("empty; expected %s", expectCases)
	case bad > 0:
		return s.errorf("%d of %d lines could not be decided; see their error", bad, lines)
	}
	return nil
}

// decideLine answers one line, and says whether it could be read.
func decideLine(line []byte, cut bool) (any, bool) {
	if cut {
		return undecided{readID(line), "longer than " + size(maxDecideLine)}, false
	}
	c, err := parseCase(line)
	if err != nil {
		return undecided{readID(line), oneLine(err.Error())}, false
	}
	if caller := &c.request.Caller; caller.Type == policy.Service && caller.Value == trail.ServicePrincipal {
		// Old policies name CloudTrail by its accounts.
		partition := cmp.Or(arn.Split(c.request.Resource).Partition, arn.Commercial)
		alias := trail.Caller(partition, "")
		caller.PossiblePrincipals = slices.Concat(caller.PossiblePrincipals, alias.Aliases, alias.PossiblePrincipals)
	}
	return c.decide(), true
}

// readID finds the id at the top level of a line that is broken elsewhere.
func readID(line []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return json.RawMessage("null")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if key == "id" {
			return value
		}
	}
	return json.RawMessage("null")
}

// readLine reads one line. Of a line that is longer than limit it returns the
// start, with errTooLarge. At the end of the input it returns the rest, with
// io.EOF.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	tooLarge := false
	for {
		part, err := r.ReadSlice('\n')
		if room := limit - len(line); len(part) > room {
			part, tooLarge = part[:room], true
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			// The next call reports the end.
			if tooLarge {
				return line, errTooLarge
			}
			return line, err
		case tooLarge:
			return line, errTooLarge
		default:
			return line, nil
		}
	}
}
