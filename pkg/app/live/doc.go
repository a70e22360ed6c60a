// Package live reaches an account with the credentials of the person at the
// command line, and returns a guard that works with them.
//
// It is apart from package app because what finds such credentials (profiles,
// single sign-on, machines) has no place in the functions: it would lengthen each
// cold start.
package live
