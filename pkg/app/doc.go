// Package app reads the configuration and wires the guard to AWS. It is the only
// reader of the environment: main passes os.LookupEnv to it.
//
// [ReadConfig] reads every variable and names all that are missing or wrong in one
// error. [NewFunctions] builds the clients once for each execution environment;
// [Functions.Guard] and [Functions.Sweep] are the handlers of the two Lambda
// functions, and [SecurityHub.Import] that of the one for Security Hub. They return an error
// only for what must be tried again, and are safe for several invocations at once.
//
// The command line uses package live, which finds a person's credentials. It is
// apart so that the functions do not carry its code.
//
// # Files
//
//	config.go    the variables and what each may be
//	declared.go  declared trails and owners in objects
//	app.go       ports and clock of a real run
//	function.go  the functions, the sweep, answers and logs
//	step.go      one step of the sweep of an organization
//	guard.go     the guard: a batch of events, or one
//	batch.go     the form of a batch, and of the answer to it
//	version.go   the version of the functions
//	group.go     which requests are about the same, and their order
//	handle.go    groups side by side, each in its share of the time
//	calm.go      ports whose panics are errors
//	securityhub.go  the function for Security Hub
//	metric.go    metrics, as lines of CloudWatch's embedded metric format
package app
