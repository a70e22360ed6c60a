package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/app"
)

// system is everything outside of the program that a command may touch.
type system struct {
	stdin     io.Reader
	stdout    *bufio.Writer // flushed at the end of the command
	stderr    io.Writer
	screen    screen // standard output, for people
	lookupEnv app.LookupEnv
	prompts   bool // a person can answer at stdin
	watched   bool // a person watches stderr
	now       func() time.Time
	connect   connector
}

// ask shows what was printed so far and asks a person. Only "y" and "yes" are
// a yes.
func (sys *system) ask(ctx context.Context, question string) (bool, error) {
	if err := sys.stdout.Flush(); err != nil {
		return false, fmt.Errorf("cannot write the output: %w", err)
	}
	printf(sys.stderr, "%s [y/N] ", question)
	type line struct {
		text string
		err  error
	}
	// A read cannot be interrupted, and the person must be able to.
	answers := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(sys.stdin).ReadString('\n')
		answers <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return false, errors.New("interrupted; nothing was written")
	case answer := <-answers:
		if answer.err != nil && !errors.Is(answer.err, io.EOF) {
			return false, fmt.Errorf("cannot read the answer: %w", answer.err)
		}
		yes := strings.ToLower(strings.TrimSpace(answer.text))
		return yes == "y" || yes == "yes", nil
	}
}

// progress returns what shows a person how far the work is. It shows nothing
// where no person watches.
func (sys *system) progress(what string) func(done, total int) {
	return func(done, total int) {
		switch {
		case !sys.watched:
		case done == total:
			printf(sys.stderr, "%s", "\r\x1b[K")
		default:
			printf(sys.stderr, "\r%d of %d %s", done, total, what)
		}
	}
}

// printf writes to a stream of the system. A failure is reported when the
// command ends: standard output keeps its first one, and where standard error
// cannot be written nothing is left to report it to.
func printf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}
