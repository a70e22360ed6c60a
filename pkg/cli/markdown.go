package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/repair"
)

// maxMarkdown bounds a summary: GitHub takes 1 MiB of a step, and shows nothing of more.
const maxMarkdown = 900 << 10

// writeMarkdown prints a summary of a job: a table of the buckets, and of each that changes what
// is wrong, with the smallest edit in a fold.
func (c *scanCommand) writeMarkdown(out io.Writer, all []scanned) {
	var b strings.Builder
	for _, s := range all {
		printf(&b, "### CloudTrail: %s\n\n", markdown(s.name()))
		if s.partial != "" {
			printf(&b, "**It is not complete:** %s.\n\n", markdown(s.partial))
		}
		if len(s.buckets) == 0 {
			printf(&b, "Here %s.\n\n", s.nothing())
			continue
		}
		printf(&b, "| Bucket | Change | Before | After | Where |\n|---|---|---|---|---|\n")
		for _, bucket := range s.buckets {
			printf(&b, "| %s | **%s** | %s | %s | %s |\n", markdown(bucket.Label), bucket.Change, bucket.Before, bucket.After,
				markdown(bucket.Address+place(bucket.Origin)))
		}
		printf(&b, "\n")
		for _, bucket := range s.buckets {
			if !c.shows(bucket) {
				continue
			}
			if part := bucketMarkdown(bucket); b.Len()+len(part) < maxMarkdown {
				b.WriteString(part)
			} else {
				printf(&b, "The summary is too long for bucket %s: see the text of the job.\n\n", markdown(bucket.Label))
			}
		}
	}
	printf(out, "%s", b.String())
}

// bucketMarkdown is what is wrong with a bucket, each cause once.
func bucketMarkdown(bucket scannedBucket) string {
	if len(bucket.all()) == 0 {
		return ""
	}
	var b strings.Builder
	printf(&b, "#### %s: %s\n\n", markdown(bucket.Label), bucket.Change)
	writeCausesMarkdown(&b, causesOf(withFaults([]bucketOverview{*bucket.overview()})), false)
	if bucket.plan != nil {
		printf(&b, "%s", planMarkdown(*bucket.plan))
	}
	for _, p := range bucket.proposals {
		var text bytes.Buffer
		if json.Indent(&text, p.Statement, "", "  ") == nil {
			printf(&b, "%s\n", fold("The statement that the policy of "+p.ARN+" lacks", "json", text.String()))
		}
	}
	return b.String()
}

// writeOverviewMarkdown prints a summary of buckets as they are: a table, what is wrong, each cause once,
// and what would mend it in folds.
func writeOverviewMarkdown(out io.Writer, o *overview) {
	var b strings.Builder
	title := "trail buckets"
	if o.Account != "" {
		title = lowerFirst(o.subject())
	}
	printf(&b, "### CloudTrail: %s\n\n", markdown(title))
	printf(&b, "| Bucket | Verdict | Trails |\n|---|---|---|\n")
	for i := range o.Buckets {
		bucket := &o.Buckets[i]
		var trails []string
		for _, t := range bucket.Trails {
			trails = append(trails, trailName(t.ARN))
		}
		printf(&b, "| %s | **%s** | %s |\n", markdown(bucket.Bucket.Name), bucket.verdict(), markdown(strings.Join(trails, ", ")))
	}
	printf(&b, "\n")
	if all := coversOf(o); o.Account != "" && len(all) > 0 {
		printf(&b, "| Trails | Cover |\n|---|---|\n")
		for _, c := range all {
			printf(&b, "| %s | %s |\n", markdown(c.Trails), markdown(c.What))
		}
		printf(&b, "\n")
	}
	writeCausesMarkdown(&b, causesOf(withFaults(o.Buckets)), len(o.Buckets) > 1)
	for i := range o.Buckets {
		if bucket := &o.Buckets[i]; bucket.Plan.Diff != "" {
			printf(&b, "%s:\n%s", markdown(bucket.Bucket.Name), planMarkdown(bucket.Plan))
		}
	}
	text := b.String()
	if len(text) > maxMarkdown {
		text = strings.ToValidUTF8(text[:maxMarkdown], "") + "\n\nThe summary is cut off here.\n"
	}
	printf(out, "%s", text)
}

// writeCausesMarkdown prints a list of causes. Several says that the buckets are to be named.
func writeCausesMarkdown(b *strings.Builder, causes []cause, several bool) {
	for _, c := range causes {
		var ids, places []string
		for _, id := range c.ids() {
			ids = append(ids, fmt.Sprintf("[%s](%s)", markdown(id), ruleHelp(id)))
		}
		for _, p := range c.Places[:min(len(c.Places), mostPlaces)] {
			places = append(places, markdown(p.String()))
		}
		printf(b, "- **%s** %s", c.Severity, strings.Join(ids, ", "))
		if several {
			printf(b, ": %s", strings.Join(places, ", "))
		}
		printf(b, "<br>%s<br>%s\n", markdown(c.Message), markdown(c.Remedy))
		if c.Edit != "" {
			printf(b, "%s", fold("The statement as it would have to read", "json", c.Edit))
		}
	}
	printf(b, "\n")
}

func planMarkdown(p repair.Plan) string {
	if p.Diff == "" {
		return ""
	}
	return fold("The smallest change of the policy that mends it; make it where the policy is written", "diff", p.Diff) + "\n"
}

// fold is a text of several lines that is shown when it is opened.
func fold(title, language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%s%s\n%s\n%s\n\n</details>\n", markdown(title), fence, language,
		strings.TrimRight(cleanLines(text), "\n"), fence)
}

// markdown is a text on one line that is shown as it is: neither Markdown nor HTML.
func markdown(text string) string {
	text = html.EscapeString(oneLine(text))
	for _, special := range []string{`\`, "`", "*", "_", "[", "]", "|", "~", "#"} { // the first before it is used
		text = strings.ReplaceAll(text, special, `\`+special)
	}
	return strings.ReplaceAll(text, "@", "&#64;") // nobody is called
}
