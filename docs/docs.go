// Package docs holds the documents that the command line shows parts of: the
// page on the findings is the help of the rules in SARIF. There is no second
// text that could say something else.
package docs

import _ "embed" // for the page

// Findings is findings.md, in Markdown.
//
//go:embed findings.md
var Findings string
