package cli

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program that the scripts run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"trailwarden": func() {
			os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
		},
	})
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			root, err := filepath.Abs("../..")
			if err != nil {
				return err
			}
			env.Setenv("ROOT", root)
			inputs, err := os.ReadDir("testdata/input")
			if err != nil {
				return err
			}
			for _, f := range inputs {
				text, err := os.ReadFile("testdata/input/" + f.Name())
				if err != nil {
					return err
				}
				if err := os.WriteFile(env.WorkDir+"/"+f.Name(), text, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "refuses": refuses, "lines": lines, "bigfile": bigFile, "width": width,
		},
	})
}

// exits runs a program and checks its exit code: exits CODE PROGRAM ARG….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// refuses runs trailwarden and checks that it does what it has to on a usage
// or input error: exit code 2, one line on standard error, nothing on standard
// output.
func refuses(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"2", "trailwarden"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output is not empty: %q", out)
	}
	if text := ts.ReadFile("stderr"); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "trailwarden: ") {
		ts.Fatalf("standard error is not one line: %q", text)
	}
}

// lines checks that a text has at most so many lines: lines MAX FILE.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := strings.Count(ts.ReadFile(args[1]), "\n")
	if (got <= most) == neg {
		ts.Fatalf("%s has %d lines, limit is %d", args[1], got, most)
	}
}

// bigFile makes a file that is large and takes no room: bigfile MIB FILE.
func bigFile(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(f.Truncate(size << 20))
	ts.Check(f.Close())
}

// width checks that no line is longer: width MAX FILE.
func width(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if n := length(strings.TrimRight(line, "\n")); n > most {
			ts.Fatalf("line of %d characters, limit is %d: %s", n, most, line)
		}
	}
}
