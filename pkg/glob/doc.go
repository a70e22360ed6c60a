// Package glob answers questions about patterns with "*" and "?": whether one
// matches a text, and how several of them tell the strings of a large set
// apart. It knows nothing of what the texts mean.
//
// # Patterns and texts
//
// A [Pattern] describes whole texts: literal text, "?" for one character, "*"
// for any number of them. A character is one UTF-16 code unit, because that is
// what "?" counts in the texts that this is for; [Text] is a string spelled
// that way. A wildcard may be tied to its field: then it does not match ":".
//
// # Key sets and witnesses
//
// A [KeySet] is a language: a sequence of segments, each a list of words or a
// number of characters of a class. It may hold more strings than can be tried:
// every key below "AWSLogs/111122223333/" is a small one. But patterns tell few
// of them apart. Two strings are alike if each pattern matches both or neither;
// whatever is decided by the matches alone is decided alike for both. So the
// strings fall into equivalence classes, at most 2^n for n patterns and usually
// about n. [Machine.Classes] finds each class that has a string in the key set, with
// one string of it, the [Witness]. What holds of all witnesses holds of every
// string of the set, and a witness that fails is an example to show.
//
// # How they are found
//
// Each pattern, or union of patterns, is made an automaton, by the subset construction: its states
// are the sets of positions in the pattern that a text may have led to.
//
//	pattern "a*b"   positions  0 before a   1 at *   2 before b   3 at the end
//
//	          a              b
//	  {0} ────────> {1,2} ────────> {1,2,3}    at the end: it matches
//	   │             ⟲ other         ⟲ b
//	   │ other          <──────────────
//	   v                      other
//	  dead
//
// The automata of all patterns read the same string side by side: a state of
// their product is one state of each. The walk takes the key set segment by
// segment, from the state before it to all states that are reachable after it:
//
//	                segment "us-" | "eu-"      segment 0-9, 1 to 2 times
//	[s0 t0] ─┬─ us- ─> [s3 t0] ────── 0 ─────> [s4 t0], [s4 t1]
//	         └─ eu- ─> [s0 t3] ────── 0 ─────> ...
//
// Four things keep the walk small, and none of them loses a class.
//
//   - Of the texts that lead to the same state at the same place of the key
//     set, one goes on. The states and what is still to be read say
//     everything about what can follow, so the other texts can reach nothing
//     new: cut off the part read so far, put the kept text in its place, and
//     the string found is in the key set and matched by the same patterns.
//   - Characters that no literal names are alike to every pattern. One of
//     them stands for all.
//   - Within a segment that may go on without end, the count of characters
//     matters up to the segment's minimum only.
//   - A state is settled once nothing that follows can change any pattern's
//     answer: dead, or past a last "*". Then the string is completed in the
//     simplest way and the walk ends there.
//
// # When there are too many classes
//
// The classes of "*a*", "*b*", "*c*" and so on are 2^n. Mostly less is wanted: a string
// that these patterns match and those do not. [Machine.Find] walks the same product, and
// follows at each place only the states that no other is as good as: to match, one
// position of a pattern is enough, and to avoid, fewer positions are better
// (cover.go). Then one state is left for each place of the patterns above.
//
// # Bounds
//
// Some patterns have exponentially many states all the same. Behind a star that "?"
// follow, "*a????", the state knows which of the last characters were an "a". Whether
// some string avoids all of several patterns is PSPACE-hard in general. So the work is
// bounded by [Limits], in states and steps that are counted and never in time, so
// that equal questions have equal answers. When a bound is met the answer says
// that it is not complete: each witness found is right, but there may be classes
// without one. A caller must not take "all witnesses pass" for "all strings pass"
// then.
package glob
