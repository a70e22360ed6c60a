//go:build race

package guardrail_test

// underRace: the race detector is on, under which all takes ten times as long.
const underRace = true
