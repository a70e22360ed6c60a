// Package alert writes what a person reads when something happens to the
// delivery of an audit trail: subject, text, JSON and chat message.
//
// [Compose] takes a [Notice], which is everything that an alert tells, and makes a
// view of it: every text clean and cut, every list short and with the worst
// first, the next steps worked out. Each form is written from the view:
//
//	subject.go   one line of ASCII: severity, verdict, bucket, who
//	actor.go     who did it, in the few words of a subject
//	text.go      the e-mail; facts.go its labelled lines, wrap.go its columns
//	problem.go   the findings by what causes them
//	loss.go      what is lost, what waits, when the next delivery is due
//	json.go      the JSON form, as docs/alert.schema.json describes it
//	chat.go      the notification for chat applications
//	rule.go      the table of next steps; step.go applies it, command.go fills in and quotes,
//	             remake.go makes a deleted trail again
//	state.go     what a report comes to
//	link.go      addresses in the console
//
// What holds of every message:
//
//   - Texts that come from events and policies are data and cannot forge a line of
//     an alert: they are cleaned, and they never start in the first column.
//   - A message keeps the limits of SNS for any notice. What is too long is cut,
//     and the message says so.
//   - Every finding of the catalogue has a next step, beside to check again.
//   - A command is given only where every name in it is known and one that AWS may
//     have given out, and quoted for a shell. Nothing is left to be filled in, and a
//     policy in it is whole.
//
// Everything here is pure: data in, data out.
package alert
