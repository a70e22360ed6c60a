//go:build !race

package delivery_test

// underRace: the race detector is on, under which all takes ten times as long.
const underRace = false
