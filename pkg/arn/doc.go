// Package arn reads and writes the names that AWS gives to things: ARNs,
// partitions, regions, accounts, buckets and trails. It is the one place that
// knows how they are spelled.
//
// There are two ways to read. The Parse functions check: what they return is
// spelled as AWS spells it, and their errors say what was expected, not what
// was given. [Split] checks nothing: policies hold patterns, and texts that
// nobody has checked, and what S3 has stored must be read.
//
// [Account], [Region], [Partition], [Bucket] and [TrailName] are strings, so
// that JSON and constants need no conversion. A conversion does not check;
// Valid does.
//
// The grammars ask for no more than AWS does, and for less where AWS was
// once laxer. A name that is refused here is a trail or a bucket that is not
// watched, and one that does not exist does no harm. Only names that could be
// taken for something else, such as a path or a wildcard, are never valid.
//
// Everything here is pure: data in, data out.
package arn
