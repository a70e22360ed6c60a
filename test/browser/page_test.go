//go:build browser

package browser

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	update   = flag.Bool("update", false, "take the pictures of the map that docs shows")
	pictures = flag.String("pictures", "", "a folder that keeps every picture, to look at")
)

// judged is what the JSON of a check, or of one bucket of an audit, says. The
// page must say it too.
type judged struct {
	Bucket  string
	Verdict string
	Trails  []struct {
		ARN, Verdict string
		Requirements []struct{ ID, Decision string }
	}
	Findings []struct {
		ID, Severity, Kind, Trail, Message, Remedy string
		Statements                                 []string
	}
	Plan *struct{ Diff string } // audit only
}

// seen is the value of testdata/inspect.js.
type seen struct {
	Text   string
	Height int // as the page comes, with its folds closed
	Map    []struct {
		Bucket node
		Trails []node // each with what it needs
	}
	Rows   [][]string // the table of buckets
	Causes []string
	Diffs  []struct{ Bucket, Diff string }

	Faint, Wide []string
}

// node is a trail or a bucket of the map.
type node struct{ Name, Verdict, Text string }

// view is a way to show a page.
type view struct {
	name   string
	width  int
	media  string
	scheme string
}

func views() []view {
	return []view{
		{"light", 1200, "screen", "light"},
		{"dark", 1200, "screen", "dark"},
		{"light on a phone", 420, "screen", "light"},
		{"dark on a phone", 420, "screen", "dark"},
		{"print", 794, "print", "light"},
		{"print of the dark page", 794, "print", "dark"},
	}
}

func TestCheckPage(t *testing.T) {
	program := build(t)
	var want judged
	decode(t, run(t, program, "json"), &want)
	verdicts := map[string]bool{}
	for _, trail := range want.Trails {
		verdicts[trail.Verdict] = true
	}
	if len(verdicts) != 3 || len(want.Findings) == 0 {
		t.Fatalf("testdata has only the verdicts %v", verdicts)
	}
	testPage(t, run(t, program, "html"), []judged{want})
}

// TestChainPage checks the map of trails with bucket, key and topic: one that delivers, one whose key
// forgets regions, and one whose topic is told nothing.
func TestChainPage(t *testing.T) {
	program := build(t)
	check := func(format string) []byte {
		return runIn(t, "testdata/chain", program, "check", "--format", format, "--bucket", "acme-org-cloudtrail-logs", "--bucket-owner", "111111111111",
			"--bucket-region", "eu-west-1", "--organization-id", "none", "--policy", "policy.json", "--trails", "trails.json", "--bucket-key", "off",
			"--key", "key.json", "--key-policy", "key-policy.json", "--key", "key-of-a-region.json", "--key-policy", "key-policy-of-a-region.json",
			"--topic", "topic.json", "--topic", "topic-of-sns.json")
	}
	var want judged
	decode(t, check("json"), &want)
	html := check("html")
	testPage(t, html, []judged{want})
	p := openTab(t)
	p.open(t, html)
	for _, v := range views() {
		p.show(t, v.width, v.media, v.scheme)
		var links []string
		p.evaluate(t, `[...document.querySelectorAll(".map:not(.heads) .lane")].map((l) => [...l.querySelectorAll(".link")].map((e) => e.innerText).join("\n"))`, &links)
		if len(links) != 3 {
			t.Fatalf("%s: %d trails", v.name, len(links))
		}
		for i, parts := range [][]string{
			{"CloudTrail can encrypt with it", "cloudtrail-alerts", "CloudTrail can tell it"},
			{"CloudTrail cannot encrypt with it", "key-encrypt implicit deny", "CloudTrail can tell it"},
			{"CloudTrail can encrypt with it", "sandbox-notifications", "CloudTrail cannot tell it; files arrive all the same"},
		} {
			shows(t, links[i], parts...)
		}
	}
}

// TestAuditPage checks the pages that pkg/cli keeps of audits of accounts in
// memory. docs shows the one that has everything.
func TestAuditPage(t *testing.T) {
	var want struct{ Buckets []judged }
	decode(t, read(t, golden("overview.json")), &want)
	html := read(t, golden("overview.html"))
	testPage(t, html, want.Buckets)
	if *update {
		takePictures(t, html)
	}
}

// testPage checks a page in every view.
func testPage(t *testing.T, html []byte, want []judged) {
	t.Helper()
	inspect := string(read(t, filepath.Join("testdata", "inspect.js")))
	p := openTab(t)
	if asked := p.open(t, html); len(asked) != 1 {
		t.Errorf("the page is not all there is: Chromium asked for %q", asked)
	}
	for _, v := range views() {
		t.Run(v.name, func(t *testing.T) {
			p.show(t, v.width, v.media, v.scheme)
			var got seen
			p.evaluate(t, inspect, &got)
			compare(t, got, want)
			for _, element := range got.Faint {
				t.Errorf("hard to read: %s", element)
			}
			for _, element := range got.Wide {
				t.Errorf("wider than %d px: %s", v.width, element)
			}
			checkPicture(t, p.picture(t), v)
		})
	}
	checkPaper(t, p, 0)
}

// checkPaper prints the page, on at most so many sheets; 0: as many as it takes.
func checkPaper(t *testing.T, p *tab, most int) {
	t.Helper()
	paper := p.paper(t)
	pages := len(regexp.MustCompile(`/Type /Page\b`).FindAll(paper, -1))
	if !bytes.HasPrefix(paper, []byte("%PDF-")) || pages == 0 || most > 0 && pages > most {
		t.Errorf("%d pages are printed, %d bytes", pages, len(paper))
	}
}

// compare checks that all that was judged is to be seen, and where it belongs.
func compare(t *testing.T, got seen, want []judged) {
	t.Helper()
	if len(got.Map) != len(want) {
		t.Fatalf("the map shows %d buckets, want %d", len(got.Map), len(want))
	}
	if len(got.Rows) != len(want) || len(got.Diffs) != len(want) {
		t.Fatalf("the table has %d buckets, and %d have a part of their own, want %d", len(got.Rows), len(got.Diffs), len(want))
	}
	counts := map[string]int{"blocked": 0, "undetermined": 0, "delivering": 0}
	for _, w := range want {
		counts[w.Verdict]++
		at := -1
		for i, m := range got.Map {
			if m.Bucket.Name == w.Bucket && m.Bucket.Verdict == w.Verdict {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("the map does not show bucket %s as %s", w.Bucket, w.Verdict)
			continue
		}
		compareTrails(t, got.Map[at].Trails, w)
		compareRow(t, got.Rows, w)
		if len(w.Findings) > 0 {
			shows(t, got.Map[at].Bucket.Text, fmt.Sprintf("%d finding", len(w.Findings)))
			compareCauses(t, got.Causes, w)
		}
		if w.Plan != nil { // a check has none
			compareDiff(t, got, w)
		}
	}
	for verdict, n := range counts {
		shows(t, got.Text, fmt.Sprintf("%d %s", n, verdict))
	}
}

func compareTrails(t *testing.T, trails []node, want judged) {
	t.Helper()
	if len(trails) != len(want.Trails) {
		t.Errorf("bucket %s has %d trails, want %d", want.Bucket, len(trails), len(want.Trails))
		return
	}
	for _, w := range want.Trails {
		name := w.ARN[strings.LastIndex(w.ARN, "/")+1:]
		at := -1
		for i, g := range trails {
			if g.Name == name && g.Verdict == w.Verdict {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("the map does not show trail %s as %s", w.ARN, w.Verdict)
			continue
		}
		shows(t, trails[at].Text, w.ARN)
		for _, r := range w.Requirements {
			shows(t, trails[at].Text, r.ID+" "+strings.ReplaceAll(r.Decision, "_", " "))
		}
	}
}

// compareRow checks the line of a bucket in the table.
func compareRow(t *testing.T, rows [][]string, want judged) {
	t.Helper()
	for _, row := range rows {
		if row[0] != want.Bucket {
			continue
		}
		found := "none"
		if len(want.Findings) > 0 {
			found = want.Findings[0].Severity
		}
		shows(t, strings.Join(row, " "), want.Verdict, found)
		for _, trail := range want.Trails {
			shows(t, row[3], trail.ARN[strings.LastIndex(trail.ARN, "/")+1:])
		}
		return
	}
	t.Errorf("the table does not show %s", want.Bucket)
}

// compareCauses checks that each finding is told with its remedy and its statements, at
// its bucket. The message is that of the worst finding of a cause.
func compareCauses(t *testing.T, causes []string, want judged) {
	t.Helper()
	for _, f := range want.Findings {
		told := false
		for _, cause := range causes {
			cause = oneLine(cause)
			whole := true
			parts := append([]string{f.Severity + " " + f.ID, f.Kind, f.Remedy, want.Bucket}, f.Statements...)
			for _, part := range parts {
				whole = whole && strings.Contains(cause, oneLine(part))
			}
			told = told || whole
		}
		if !told {
			t.Errorf("no cause tells %s %s of %s with its remedy %q", f.Severity, f.ID, want.Bucket, f.Remedy)
		}
	}
	worst := want.Findings[0]
	shows(t, strings.Join(causes, "\n"), worst.Message)
}

func compareDiff(t *testing.T, got seen, want judged) {
	t.Helper()
	for _, d := range got.Diffs {
		if d.Bucket != want.Bucket {
			continue
		}
		if want.Plan.Diff == "" && d.Diff != "" {
			t.Errorf("bucket %s shows a change: %s", want.Bucket, d.Diff)
		}
		shows(t, d.Diff, strings.Split(want.Plan.Diff, "\n")...)
		return
	}
	t.Errorf("bucket %s has no part of its own", want.Bucket)
}

// shows checks that a text has the parts, however it is broken into lines.
func shows(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(oneLine(text), oneLine(part)) {
			t.Errorf("no %q in %q", part, text)
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// checkPicture checks that a picture shows something, in the colours asked for.
func checkPicture(t *testing.T, shot []byte, v view) {
	t.Helper()
	if *pictures != "" {
		write(t, filepath.Join(*pictures, strings.ReplaceAll(t.Name(), "/", "_")+".png"), shot)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	if got := picture.Bounds().Dx(); got != v.width {
		t.Errorf("the picture is %d px wide, want %d", got, v.width)
	}
	colours, mean := survey(picture)
	if colours < 50 {
		t.Errorf("the picture has %d colours: it is blank", colours)
	}
	if dark := v.media == "screen" && v.scheme == "dark"; dark != (mean < 0.3) || !dark && mean < 0.7 {
		t.Errorf("the picture's mean brightness is %.2f", mean)
	}
}

// survey counts the colours of a picture, and takes the mean of its brightness:
// 0 is black, 1 is white.
func survey(picture image.Image) (colours int, mean float64) {
	area := picture.Bounds()
	all := map[color.Color]bool{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := picture.At(x, y)
			all[c] = true
			mean += float64(color.GrayModel.Convert(c).(color.Gray).Y)
		}
	}
	return len(all), mean / 255 / float64(area.Dx()*area.Dy())
}

// build builds the command line.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "trailwarden")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/trailwarden").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// run checks the bucket of testdata.
func run(t *testing.T, program, format string) []byte {
	t.Helper()
	return runIn(t, ".", program, "check", "--format", format, "--bucket", "acme-audit-logs", "--bucket-owner", "111111111111",
		"--organization-id", "none", "--policy", "testdata/policy.json", "--trails", "testdata/trails.json")
}

// runIn runs a check that finds something, in a folder.
func runIn(t *testing.T, folder, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	out, err := cmd.Output()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Fatalf("%v: %v, want exit code 1", args, err)
	}
	return out
}

func golden(name string) string {
	return filepath.Join("..", "..", "pkg", "cli", "testdata", "golden", name)
}

func decode(t *testing.T, text []byte, value any) {
	t.Helper()
	if err := json.Unmarshal(text, value); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
