// Package cli is the command line: the engine of the functions, on files or on
// the account of the caller's own credentials.
//
// # Contract
//
// A command exits with 0 if all is fine, with 1 if there are findings or a change
// is needed, and with 2 if it was called wrongly or its input cannot be read. An
// error is one line on standard error that begins with "trailwarden: ". Standard
// output is then empty, unless a part of the work was done: an audit that could
// judge some of the buckets, lines of decide, events of replay.
//
// Only restore and undo write to a bucket, after they have shown the change and a
// person has agreed, or with --yes. All other commands write nothing.
//
// Text from files and from AWS is shown with [alert.Clean], so that it can neither
// steer a terminal nor pass for a line of ours. Files have limits of size (input.go)
// and are refused above them; "-" reads standard input.
//
// Text output is for people and may change. JSON is for programs: members are
// added, never renamed, and a list is never null. SARIF is version 2.1.0.
//
// # Files
//
// One file for each command (check.go, explain.go, required.go, scan.go, plan.go, decide.go,
// replay.go, demo.go, audit.go, restore.go, undo.go, accept.go, completion.go, version.go,
// help.go; targets.go and status.go below organization) has its flags, its Run method and its
// text. What scan prints and reads is in files of its own: scaninput.go, scansource.go,
// scantext.go, scanjson.go, scansarif.go, annotation.go and markdown.go. What they share:
//
//	cli.go         Main, the grammar of all commands, dispatch, errors of usage
//	system.go      what a command may touch: streams, clock, variables, AWS
//	offline.go     flags of the commands on files, and what they come to
//	live.go        flags of the commands on an account, and the connection to it
//	input.go       files and standard input, with limits and encodings
//	case.go        a line of decide: a policy and a request
//	policyfile.go  a bucket policy in any of the forms that the AWS CLI prints
//	chain.go       keys and topics of trails, from files
//	rcpfile.go     a resource control policy in any of these forms
//	overview.go    how buckets fare: what check and audit print, and the exit code
//	auditorganization.go  how the accounts of an organization fare
//	coverage.go    what a trail covers, in a line
//	cause.go       findings that one change would end, told once
//	accepted.go    weaknesses that somebody has accepted, for a time
//	difference.go  what changed since an earlier audit
//	glossary.go    what names on the page mean
//	simulation.go  the guard on an account in memory, for replay and demo
//	screen.go      text that is wrapped to the width of a terminal; tone.go, table.go
//	json.go        all JSON output; sarif….go, and html….go with page.html, the others
package cli
