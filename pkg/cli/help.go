package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const summary = "Says whether CloudTrail can deliver a trail's files into a bucket, with the bucket's policy as it stands, " +
	"and restores the policy that it needs.\n\n" +
	"Exit status: 0 fine, 1 findings or a change is needed, 2 usage or input error."

// printHelp prints the help of the program or of one command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	options.Compact = true
	options.NoExpandSubcommands = true
	options.WrapUpperBound = 80
	// Kong lists flags that exclude each other as if both were needed.
	var text strings.Builder
	out := ctx.Stdout
	ctx.Stdout = &text
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	help := strings.Replace(text.String(), "--policy=FILE --no-policy", "(--policy=FILE | --no-policy)", 1)
	if _, err := io.WriteString(out, help); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		return nil
	}
	if text := examples(strings.Join(strings.Fields(ctx.Selected().Path()), " ")); text != "" {
		_, err := fmt.Fprintf(ctx.Stdout, "\nExamples:\n  %s\n", strings.ReplaceAll(text, "\n", "\n  "))
		return err
	}
	return nil
}

// helpCommand is another way to ask for --help.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

// Run prints the help of a command, or of the program.
func (c *helpCommand) Run(sys *system) error {
	args := []string{"--help"}
	if len(c.Command) > 0 {
		args = append(slices.Clone(c.Command), "--help")
	}
	helped := false
	parser, err := newParser(sys, func(int) { helped = true })
	if err != nil {
		return err
	}
	if _, err = parser.Parse(args); helped {
		return nil
	}
	return usageError(err)
}

// examples are the lines that the help of a command ends with.
func examples(command string) string {
	switch command {
	case "check":
		return `aws s3api get-bucket-policy --bucket logs > policy.json
aws cloudtrail describe-trails > trails.json
trailwarden check --bucket logs --policy policy.json --trails trails.json
trailwarden check --bucket logs --policy policy.json --trails trails.json \
    --organization-id o-exampleorg1 --bucket-owner 111111111111 --format sarif`
	case "explain":
		return `trailwarden explain --bucket logs --policy policy.json --trails trails.json
aws s3api get-bucket-policy --bucket logs |
    trailwarden explain --bucket logs --policy - --trails trails.json`
	case "required":
		return `aws cloudtrail describe-trails | trailwarden required --trails - --bucket logs`
	case "scan":
		return `terraform plan -out plan && terraform show -json plan > plan.json
trailwarden scan plan.json --organization-id o-exampleorg1
trailwarden scan template.yaml --account 111111111111 --region us-east-1
cdk synth && trailwarden scan cdk.out --format markdown >> "$GITHUB_STEP_SUMMARY"
aws cloudformation get-template --stack-name audit > deployed.json
trailwarden scan template.yaml --base deployed.json`
	case "plan":
		return `trailwarden plan --bucket logs --policy policy.json --trails trails.json
trailwarden plan --bucket logs --no-policy --trails trails.json --output new.json`
	case "decide":
		return `trailwarden decide cases.jsonl
echo '{"id":"1","policy":{"Version":"2012-10-17","Statement":[{"Effect":
  "Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":
  "s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]},"request":
  {"principal":{"Service":"cloudtrail.amazonaws.com"},"action":"s3:PutObject",
  "resource":"arn:aws:s3:::logs/AWSLogs/f"}}' | tr -d '\n' | trailwarden decide`
	case "replay":
		return `trailwarden replay --account account.json events/*.json
trailwarden replay --account account.json --restore logs events.jsonl`
	case "demo":
		return `trailwarden demo`
	case "audit":
		return `trailwarden audit --profile security
trailwarden audit --format html > audit.html
trailwarden audit --format json > audit.json
trailwarden audit --diff audit.json
trailwarden audit --organization --role trailwarden/reader --format html
trailwarden audit --format json | jq '.buckets[] | select(.verdict != "delivering")'`
	case "organization":
		return `trailwarden organization targets --role trailwarden/reader
trailwarden organization status --table trailwarden-hub-Table-1ABC`
	case "organization targets":
		return `trailwarden organization targets --role trailwarden/reader --output targets
trailwarden organization targets --role trailwarden/reader --format json |
    jq -r '.places[] | [.account, .region] | @csv'`
	case "organization status":
		return `trailwarden organization status --table trailwarden-hub-Table-1ABC
trailwarden organization status --table trailwarden-hub-Table-1ABC \
    --role trailwarden/reader --stack-regions us-east-1,eu-west-1
trailwarden organization status --table trailwarden-hub-Table-1ABC \
    --format json | jq '.problems[] | .message'`
	case "restore":
		return `trailwarden restore --bucket logs
trailwarden restore --bucket logs --yes --table trailwarden-ledger`
	case "undo":
		return `trailwarden undo --bucket logs --table trailwarden-ledger --list
trailwarden undo --bucket logs --table trailwarden-ledger \
    --at 2026-09-13T17:50:37Z
trailwarden undo --bucket logs --table trailwarden-ledger --release`
	case "accept":
		return `trailwarden accept --bucket logs --trail main --until 2027-06-30 \
    --reason "one account only since the split" --table trailwarden-ledger
trailwarden accept --bucket logs --list --table trailwarden-ledger
trailwarden accept --bucket logs --trail main --withdraw \
    --table trailwarden-ledger`
	case "completion":
		return `source <(trailwarden completion bash)
trailwarden completion zsh > "${fpath[1]}/_trailwarden"
trailwarden completion fish > ~/.config/fish/completions/trailwarden.fish`
	}
	return ""
}
