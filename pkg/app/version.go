package app

// Version is the version of the functions, without a v. The functions are built without what
// Go knows of the repository, so that the same source gives the same bytes; so they are told.
// It is that of the stack's template and of the newest release in CHANGELOG.md; a test compares
// them.
const Version = "0.1.0"
