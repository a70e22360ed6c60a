// Package guardrail keeps the buckets of trails able to receive them. It knows
// no SDK: it defines the ports that it needs (ports.go), and adapters
// implement them.
//
// # One reconciliation
//
// [Guard.Reconcile] takes the identity of what an event may have changed.
// [Guard.Sweep] takes every bucket of the account. Both bring one [Target]
// after the other to rest, in rounds (reconcile.go):
//
//	             ┌───────────────── overtaken: start over ─────────────────┐
//	             v                                                         │
//	load ──> assess ──> may it be repaired? ──> repair ──> remember ──> notify ──> at rest
//	observe.go  assess.go    assess.go          apply.go   notify.go    notify.go
//
// Which trails there are is found out before (batch.go, survey.go): the requests of
// an invocation share one read of the inventory (inventory.go), and no account is
// asked for its trails more than once. A sweep asks all accounts (discover.go). That of an
// organization has steps, each of which may run in a process of its own (steps.go). It asks most
// accounts only now and then (cadence.go), reads which resource control policies they are under
// (rcp.go), seeks the owners of buckets (owner.go) and looks for folders and trails of accounts
// outside (folder.go, outsider.go). Of accounts that cannot be read, or of which no event comes
// any more (forwarding.go), it tells together (wholeorganization.go).
//
// With a bucket the keys and topics of its trails are read (chain.go). By which calls files must have
// arrived is known from earlier sweeps (evidence.go).
//
// Audits judge as a sweep does, and write and tell nothing (audit.go, auditorganization.go).
// A person repairs by manual.go, and sees by status.go how well an organization is covered.
//
// What passes from step to step are values: the [Target], the record of what
// is remembered of it, the observation of what it is now, the outcome of
// assessing it, and the attempt to repair it, if one was made. Assessing is
// pure.
//
// # Invariants
//
//   - Events carry identity only. What is judged is read fresh.
//   - What could not be read is never taken as fine, and never as empty.
//   - What is acted on is read after the record. So whatever somebody else
//     stores in between is a conflict, and the round starts over.
//   - A repair is stored before it is made, and what is to be told is stored
//     with the change of state that it tells of. A process that ends anywhere
//     leaves both to whoever reconciles the target next.
//   - Nothing is written to a bucket that was not opted in, is held, or has
//     spent its budget, except by a person who was asked.
//   - Without memory, everything that is wrong is told every time.
//   - What is only wanted stops nothing, memory that fails keeps nobody from being
//     told, and the end of an invocation is for telling (deadline.go).
//
// # Two processes at one target
//
// Stores are conditional on the version that was read, so one of two wins. A
// repair under way is a lease on the target (lease.go): another process that
// has something to do or to tell waits for its end, or for its time to be up. An
// alert is claimed while it is published (publish.go).
package guardrail
