package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitFine     = 0
	exitFindings = 1
	exitUsage    = 2
)

// errFindings ends a command that did its work and found something. What it
// found was printed already.
var errFindings = errors.New("findings")

// Main runs one command. It returns the exit code: 0 fine, 1 findings or a
// change is needed, 2 usage or input error.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, lookupEnv func(string) (string, bool)) int {
	out := bufio.NewWriter(stdout)
	return run(ctx, args, &system{
		stdin:     stdin,
		stdout:    out,
		stderr:    stderr,
		screen:    newScreen(out, stdout, lookupEnv),
		lookupEnv: lookupEnv,
		prompts:   isTerminal(stdin),
		watched:   isTerminal(stderr),
		now:       time.Now,
		connect:   connectLive,
	})
}

// commands is the grammar of the command line.
type commands struct {
	Check    checkCommand    `cmd:"" group:"files" help:"Judge whether CloudTrail can deliver into a bucket, from files."`
	Explain  explainCommand  `cmd:"" group:"files" help:"Show how each statement of a policy relates to each thing CloudTrail needs."`
	Required requiredCommand `cmd:"" group:"files" help:"Print the bucket policy that AWS documents for trails."`
	Scan     scanCommand     `cmd:"" group:"files" help:"Judge what a Terraform plan, a CloudFormation template or cdk.out would do, before it is deployed."`
	Plan     planCommand     `cmd:"" group:"files" help:"Print the smallest change that lets CloudTrail deliver, or why there is none."`
	Decide   decideCommand   `cmd:"" group:"files" help:"Decide requests by policies: JSON lines in, JSON lines out."`
	Replay   replayCommand   `cmd:"" group:"files" help:"Run the guard on events against an account described in a file."`
	Demo     demoCommand     `cmd:"" group:"files" help:"Watch the guard at work on an account in memory."`

	Audit   auditCommand   `cmd:"" group:"account" help:"Judge every trail bucket of the account, or of an organization."`
	Restore restoreCommand `cmd:"" group:"account" help:"Repair the policy of one bucket, after showing the change."`
	Undo    undoCommand    `cmd:"" group:"account" help:"Put back a policy that a repair replaced."`
	Accept  acceptCommand  `cmd:"" group:"account" help:"Accept until a day that a trail covers less than before."`

	Organization organizationCommand `cmd:"" group:"account" help:"What a hub for all accounts needs, and how well it covers them."`

	Completion completionCommand `cmd:"" group:"more" help:"Print a completion script for bash, zsh or fish."`
	Version    versionCommand    `cmd:"" group:"more" help:"Print the version and how it was built."`
	Help       helpCommand       `cmd:"" group:"more" help:"Show the help of a command."`

	ShowVersion versionFlag `name:"version" help:"Print the version and how it was built."`
}

// run parses the arguments and runs the command that they name.
func run(ctx context.Context, args []string, sys *system) int {
	err := dispatch(ctx, args, sys)
	if flushErr := sys.stdout.Flush(); flushErr != nil && (err == nil || errors.Is(err, errFindings)) {
		err = fmt.Errorf("cannot write the output: %w", flushErr)
	}
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		printf(sys.stderr, "trailwarden: %s\n", oneLine(err.Error()))
		return exitUsage
	}
}

func dispatch(ctx context.Context, args []string, sys *system) error {
	done := false
	parser, err := newParser(sys, func(int) { done = true })
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errors.New(`no command given; "trailwarden help" lists them`)
	}
	parsed, err := parser.Parse(args)
	if done {
		return nil
	}
	if err != nil {
		return usageError(err)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(sys)
}

// newParser builds the parser. It calls exit after it printed the help or the
// version that a flag asked for.
func newParser(sys *system, exit func(int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("trailwarden"),
		kong.Description(summary),
		kong.Writers(sys.stdout, sys.stderr),
		kong.Exit(exit),
		kong.Help(printHelp),
		kong.ExplicitGroups([]kong.Group{
			{Key: "files", Title: "On files, without an AWS account:"},
			{Key: "account", Title: "On the AWS account of your credentials:"},
			{Key: "more", Title: "More:"},
		}),
	)
}

// usageError adds to the parser's error where help is to be found.
func usageError(err error) error {
	command := "trailwarden"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Command() != "" {
		command += " " + strings.Fields(p.Context.Command())[0]
	}
	return fmt.Errorf("%w (see %q)", err, command+" --help")
}
