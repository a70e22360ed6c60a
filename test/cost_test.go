package test

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/app/live"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The figures of docs/cost.md. They are computed here, from rates and prices that AWS
// documents and from the calls that the code makes; the page has the sources.

var update = flag.Bool("update", false, "write the figures of docs/cost.md anew")

// shape is an organization, or an account that is in none.
type shape struct {
	accounts int
	own      int // trails of one account, each with a bucket of its own there
	shared   int // trails of the organization, each with a bucket in another account
	rcps     int // resource control policies: of each its text is asked, and what it is attached to
}

func shapes() []shape { return []shape{{1, 1, 0, 0}, {400, 40, 1, 10}, {10_000, 1000, 3, 10}} }

func (s shape) trails() int  { return s.own + s.shared }
func (s shape) buckets() int { return s.own + s.shared }

// organized reports whether there are other accounts.
func (s shape) organized() bool { return s.accounts > 1 }

// What is assumed.
const (
	latency = 0.35 // seconds that an account, or a bucket, takes: its role and two calls at once
	// accountsPerPage, listPace and rolePace are those of ListAccounts and AssumeRole. The pace
	// of ListAccounts is ours, below the eight a second that AWS allows.
	accountsPerPage = 20
	// describePace is that of DescribePolicy, below the two a second that AWS allows.
	describePace = 1.5
	listPace     = 6.0
	rolePace     = 600.0
	// Of an audit: how many accounts it reads at once, and how many clients it keeps, two for an
	// account. Beyond that roles are assumed again.
	auditAtOnce, clientsKept = 20, 2000
	// Of the sweep of an organization: how many accounts or buckets a part has, how many parts
	// run at once, how many accounts of a part are read at once, and what a part takes beside.
	partSize, partsAtOnce, perPart, partStart = 25, 10, 4, 0.5
	functionGB                                = 1769.0 / 1024
	hours                                     = 730.0 // of a month
	// lineBytes is a line of the log; there is one for each bucket and some for each part.
	lineBytes = 400
	// relevantCalls are the calls a day and account of which a rule tells the hub, where it is.
	relevantCalls = 10
)

// Prices in dollars, of us-east-1.
const (
	priceTransition = 0.025 / 1000
	priceGBSecond   = 0.0000133334
	priceRequest    = 0.20 / 1e6
	priceRead       = 0.125 / 1e6
	priceWrite      = 0.625 / 1e6
	priceLogGB      = 0.50
	priceAlarm      = 0.10
	priceMetric     = 0.30
	priceEvent      = 1.00 / 1e6
	priceSecondCopy = 2.00 / 100_000
)

func pages(n, size int) int { return (n + size - 1) / size }

// call is how often an operation is called.
type call struct {
	name string
	n    int
}

// auditCalls are the calls of an audit. Where every account is asked whose a bucket is, it is
// the last one that owns it: the worst case.
func (s shape) auditCalls() []call {
	calls := []call{
		{"sts:GetCallerIdentity", 1},
		{"organizations:DescribeOrganization", 1},
		{"cloudtrail:ListTrails", s.accounts},
		{"cloudtrail:DescribeTrails", s.accounts},
		{"cloudtrail:GetTrailStatus", s.trails()},
		{"s3:GetBucketPolicy", s.buckets()},
		{"s3:GetBucketRequestPayment", s.buckets()},
	}
	if s.organized() {
		roles := s.accounts - 1
		if 2*s.accounts > clientsKept { // again for the owners, and for the buckets and their trails
			roles = 2*roles + s.own + 2*s.shared
		}
		calls = append(calls,
			call{"organizations:ListAccounts", pages(s.accounts, accountsPerPage)},
			call{"organizations:ListPolicies", 1},
			call{"organizations:DescribePolicy", s.rcps},
			call{"organizations:ListTargetsForPolicy", s.rcps},
			call{"sts:AssumeRole", roles},
			call{"s3:ListBuckets", s.accounts},
			call{listFolders, s.buckets()},
		)
	}
	return calls
}

// often is how many accounts each sweep asks: those with trails of their own, with the management account, and
// the hub's. All are asked by one sweep in six.
func (s shape) often() int {
	if !s.organized() {
		return s.accounts
	}
	return s.own + 2
}

const sweepsForAll = 6

// average is the mean of something over six sweeps, given for a sweep that asks so many accounts.
func (s shape) average(of func(asked int) float64) float64 {
	return (of(s.accounts) + (sweepsForAll-1)*of(s.often())) / sweepsForAll
}

// sweepCalls are the calls of a sweep of the deployed guard that asks all accounts.
func (s shape) sweepCalls() []call { return s.sweepCallsOf(s.accounts) }

// sweepCallsOf are the calls of a sweep of the deployed guard that asks so many accounts. Each part has
// roles of its own; whose the buckets are it remembers.
func (s shape) sweepCallsOf(asked int) []call {
	calls := []call{
		{"organizations:DescribeOrganization", 1},
		{"cloudtrail:ListTrails", asked},
		{"cloudtrail:DescribeTrails", asked},
		{"cloudtrail:GetTrailStatus", s.trails()},
		{"s3:GetBucketPolicy", s.buckets()},
		{"s3:GetBucketRequestPayment", s.buckets()},
	}
	if s.organized() {
		calls = append(calls,
			call{"organizations:ListAccounts", pages(s.accounts, accountsPerPage)},
			call{"organizations:ListPolicies", 1},
			call{"organizations:DescribePolicy", s.rcps},
			call{"organizations:ListTargetsForPolicy", s.rcps},
			call{"sts:AssumeRole", asked - 1 + s.own + 2*s.shared},
			call{listFolders, pages(s.buckets(), 24)}, // once a day
		)
	}
	return calls
}

// listFolders lists whose folders a bucket has.
const listFolders = "s3:ListObjectsV2"

func sum(calls []call) int {
	total := 0
	for _, c := range calls {
		total += c.n
	}
	return total
}

// recorded are the calls that CloudTrail records as management events. AssumeRole is recorded on
// both sides.
func recorded(calls []call) int {
	total := sum(calls)
	for _, c := range calls {
		switch c.name {
		case "sts:AssumeRole":
			total += c.n
		case listFolders: // it is a data event
			total -= c.n
		}
	}
	return total
}

// auditTime is how long an audit takes: the list of the accounts, then the accounts for their
// trails and for their buckets, then the buckets. It is never faster than roles are given out.
func (s shape) auditTime() time.Duration {
	if !s.organized() {
		return seconds(2 * latency)
	}
	list := float64(pages(s.accounts, accountsPerPage)) / listPace
	accounts := max(2*float64(s.accounts)*latency/auditAtOnce, float64(s.accounts)/rolePace)
	return seconds(list + accounts + float64(s.buckets())*latency/auditAtOnce)
}

// parts are the parts of a sweep that asks so many accounts: of these, and of the buckets.
func (s shape) parts(asked int) (accounts, buckets int) {
	return pages(asked, partSize), pages(s.buckets(), partSize)
}

// partTime is how long a part with so many accounts or buckets takes.
func partTime(n int) float64 {
	return partStart + math.Ceil(float64(min(n, partSize))/perPart)*latency
}

func (s shape) sweepTime(asked int) time.Duration {
	if !s.organized() {
		return seconds(2 * latency)
	}
	accounts, buckets := s.parts(asked)
	list := float64(pages(s.accounts, accountsPerPage))/listPace + float64(s.rcps)/describePace
	return seconds(list + float64(pages(accounts, partsAtOnce))*partTime(asked) + float64(pages(buckets, partsAtOnce))*partTime(s.buckets()) + 3*partStart)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// invocations are those of a sweep that asks so many accounts, and the seconds that they take in all.
func (s shape) invocations(asked int) (n int, total float64) {
	if !s.organized() {
		return 1, s.sweepTime(asked).Seconds()
	}
	accounts, buckets := s.parts(asked)
	plan := float64(pages(s.accounts, accountsPerPage))/listPace + float64(s.rcps)/describePace
	return accounts + buckets + 3, float64(accounts)*partTime(asked) + float64(buckets)*partTime(s.buckets()) + plan + 3*partStart
}

// line is a line of the table of costs.
type line struct {
	what    string
	dollars func(shape) float64
}

// perMonth is the price of something that each sweep does.
func perMonth(perSweep float64) float64 { return perSweep * hours }

func costs(alarms, metrics int) []line {
	return []line{
		{"Step Functions, state transitions", func(s shape) float64 {
			if !s.organized() {
				return 0
			}
			return perMonth(s.average(func(asked int) float64 {
				accounts, buckets := s.parts(asked)
				return float64(7 + 2*(accounts+buckets))
			}) * priceTransition)
		}},
		{"Lambda, 1,769 MB, arm64", func(s shape) float64 {
			return perMonth(s.average(func(asked int) float64 {
				n, total := s.invocations(asked)
				return float64(n)*priceRequest + total*functionGB*priceGBSecond
			}))
		}},
		{"DynamoDB, on demand", func(s shape) float64 {
			// Each account is read for the plan, in its part and at the end. Of those that each sweep asks half
			// are stored, of the others all that are asked; of a bucket its trails, its owner's account and its record
			// are read.
			stored := float64(s.often())/2 + float64(s.accounts-s.often())/sweepsForAll
			return perMonth(float64(3*s.accounts+4*s.buckets())*priceRead + stored*priceWrite)
		}},
		{"CloudWatch logs", func(s shape) float64 {
			return perMonth(s.average(func(asked int) float64 {
				n, _ := s.invocations(asked)
				return float64(s.buckets() + 4*n)
			}) * lineBytes / 1e9 * priceLogGB)
		}},
		{"CloudWatch alarms and metrics", func(shape) float64 { return float64(alarms)*priceAlarm + float64(metrics)*priceMetric }},
		{"EventBridge, paid by the accounts that forward", func(s shape) float64 {
			if !s.organized() {
				return 0
			}
			return float64(s.own+2*s.shared) * relevantCalls * hours / 24 * priceEvent
		}},
	}
}

// secondCopies are the costs of the events that the sweep causes, for who pays for them.
func (s shape) secondCopies() float64 {
	return perMonth(s.average(func(asked int) float64 { return float64(recorded(s.sweepCallsOf(asked))) }) * priceSecondCopy)
}

func dollars(d float64) string {
	switch {
	case d == 0:
		return "0"
	case d < 0.1:
		return "< 0.10"
	case d < 10:
		return fmt.Sprintf("%.2f", d)
	}
	return thousands(int(math.Round(d)))
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return "< 1 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}

// row is a row of Markdown.
func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func head(first string) string {
	out, rule := []string{first}, "|---"
	for _, s := range shapes() {
		out, rule = append(out, thousands(s.accounts)), rule+"|--:"
	}
	return row(out...) + rule + "|\n"
}

// of is a row with a cell for each shape.
func of(first string, cell func(shape) string) string {
	cells := []string{first}
	for _, s := range shapes() {
		cells = append(cells, cell(s))
	}
	return row(cells...)
}

// callTable is a table of calls, the most frequent of the largest organization first.
func callTable(calls func(shape) []call) string {
	byName := map[string]map[int]int{}
	for _, s := range shapes() {
		for _, c := range calls(s) {
			if byName[c.name] == nil {
				byName[c.name] = map[int]int{}
			}
			byName[c.name][s.accounts] = c.n
		}
	}
	var names []string
	for name := range byName {
		names = append(names, name)
	}
	largest := shapes()[len(shapes())-1].accounts
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(byName[b][largest]-byName[a][largest], strings.Compare(a, b))
	})
	text := head("calls")
	for _, name := range names {
		text += of("`"+name+"`", func(s shape) string { return thousands(byName[name][s.accounts]) })
	}
	return text + of("**in all**", func(s shape) string { return "**" + thousands(sum(calls(s))) + "**" })
}

// figures are the tables of the page, by the names of their places.
func figures(alarms, metrics int) map[string]string {
	monthly := head("dollars a month")
	for _, l := range costs(alarms, metrics) {
		monthly += of(l.what, func(s shape) string { return dollars(l.dollars(s)) })
	}
	monthly += of("**in all**", func(s shape) string {
		total := 0.0
		for _, l := range costs(alarms, metrics) {
			total += l.dollars(s)
		}
		return "**" + dollars(total) + "**"
	})
	return map[string]string{
		"shapes": head("accounts") + of("trails of one account", func(s shape) string { return thousands(s.own) }) +
			of("trails of the organization", func(s shape) string { return thousands(s.shared) }) +
			of("buckets", func(s shape) string { return thousands(s.buckets()) }) +
			of("resource control policies", func(s shape) string { return thousands(s.rcps) }),
		"audit": callTable(shape.auditCalls) + of("time", func(s shape) string { return duration(s.auditTime()) }),
		"sweep": callTable(shape.sweepCalls) + of("time", func(s shape) string { return duration(s.sweepTime(s.accounts)) }) +
			of("calls of AssumeRole a second, of 600", func(s shape) string {
				if !s.organized() {
					return "0"
				}
				return fmt.Sprintf("%.0f", partsAtOnce*math.Min(partSize, float64(s.accounts))/partTime(s.accounts))
			}) +
			of("invocations of functions", func(s shape) string { n, _ := s.invocations(s.accounts); return thousands(n) }) +
			of("of the five others: accounts that are asked", func(s shape) string { return thousands(s.often()) }) +
			of("calls in all", func(s shape) string { return thousands(sum(s.sweepCallsOf(s.often()))) }) +
			of("time", func(s shape) string { return duration(s.sweepTime(s.often())) }) +
			of("invocations of functions", func(s shape) string { n, _ := s.invocations(s.often()); return thousands(n) }),
		"monthly": monthly,
		"copies": head("dollars a month") + of("second copies of the sweep's own management events", func(s shape) string { return dollars(s.secondCopies()) }) +
			of("the same, if each sweep asked all accounts", func(s shape) string {
				return dollars(perMonth(float64(recorded(s.sweepCalls())) * priceSecondCopy))
			}),
	}
}

// TestCostPage: the figures of docs/cost.md are those that are computed here.
func TestCostPage(t *testing.T) {
	template, metric := read(t, "template.yaml"), read(t, "pkg/app/metric.go")
	alarms := len(regexp.MustCompile(`(?m)^    Type: AWS::CloudWatch::Alarm$`).FindAllString(template, -1))
	metrics := len(regexp.MustCompile(`(?m)^\tMetric\w+ += `).FindAllString(metric, -1))
	if alarms < 10 || metrics < 10 || !strings.Contains(template, "MemorySize: 1769") {
		t.Fatalf("%d alarms, %d metrics, or another memory of the functions", alarms, metrics)
	}
	page := read(t, "docs/cost.md")
	want := page
	for name, table := range figures(alarms, metrics) {
		place := regexp.MustCompile(`(?s)(<!-- computed: ` + name + ` -->\n)(.*?)(<!-- end -->\n)`)
		if len(place.FindAllString(page, -1)) != 1 {
			t.Fatalf("docs/cost.md has not one place for %s", name)
		}
		want = place.ReplaceAllString(want, "${1}"+strings.ReplaceAll(table, "$", "$$")+"${3}")
	}
	if *update {
		if err := os.WriteFile("../docs/cost.md", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != want {
		t.Errorf("docs/cost.md is not what is computed; go test ./test -run Cost -update writes it:\n%s", want)
	}
	for name, used := range map[string]float64{
		"ListAccounts": listPace, "DescribePolicy": describePace, "AssumeRole": rolePace, "an account takes": latency, "parts at once": partsAtOnce, "accounts a part": partSize, "accounts at once": auditAtOnce,
	} {
		if !strings.Contains(page, fmt.Sprintf("%g", used)) {
			t.Errorf("the page does not say that %s is %g", name, used)
		}
	}
}

// TestCallsOfAnAudit: an audit makes the calls that are computed, of an organization that the
// test can afford.
func TestCallsOfAnAudit(t *testing.T) {
	const security, management, archive, home = "111122223333", "222222222222", "999999999999", "eu-west-1"
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIA" + security, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "credentials"),
	} {
		t.Setenv(name, value)
	}
	s := shape{accounts: 43, own: 4, shared: 2, rcps: 1}
	fake := awsfake.New(t, security, home)
	fake.Organization = &trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: management}
	fake.RCPs = []inventory.AttachedRCP{{ID: "p-examplercp1", Name: "Perimeter", Targets: []string{"r-root"}, Content: `{"Version":"2012-10-17",` +
		`"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"*"}]}`}}
	put := func(account, owner, name string, shared bool) {
		arn := "arn:aws:cloudtrail:" + home + ":" + account + ":trail/" + name
		x := trail.Trail{Name: name, ARN: arn, HomeRegion: home, Bucket: "logs-" + name, MultiRegion: true, Organization: shared}
		fake.PutTrail(awsfake.Trail{Trail: x, Status: trail.Status{Logging: true}})
		fake.PutBucket(awsfake.Bucket{Name: x.Bucket, Owner: owner})
	}
	ids := []string{security, management, archive}
	for i := range s.accounts - len(ids) {
		id := fmt.Sprintf("%012d", 400_000_000_000+i)
		if ids = append(ids, id); i < s.own {
			put(id, id, fmt.Sprintf("own-%d", i), false)
		}
	}
	for i := range s.shared {
		put(management, archive, fmt.Sprintf("all-%d", i), true)
	}
	for at := 0; at < len(ids); at += accountsPerPage {
		var page []inventory.Member
		for _, id := range ids[at:min(at+accountsPerPage, len(ids))] {
			page = append(page, inventory.Member{ID: id, State: inventory.Active})
		}
		fake.Members = append(fake.Members, page)
	}
	session := app.Session{Region: home, Endpoint: fake.URL, Role: "trailwarden/reader", Organization: true}
	guard, who, err := live.NewGuard(t.Context(), session, guardrail.Config{Parallel: auditAtOnce}, func(string) (string, bool) { return "", false }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a, err := guard.AuditOrganization(t.Context(), who.Account, who.Region, nil)
	if err != nil || len(a.Buckets) != s.buckets() {
		t.Fatalf("%d buckets, %v", len(a.Buckets), err)
	}
	made := map[string]int{}
	for _, c := range fake.Calls() {
		made[c.Operation]++
	}
	// The fake gives one trail a page, where AWS gives all of an account: each account sees those
	// of the organization, and some one of their own.
	made["cloudtrail:ListTrails"] -= s.accounts*(s.shared-1) + s.own
	for _, c := range s.auditCalls() {
		least := c.n
		if c.name == "s3:ListBuckets" { // until the owner is found
			least = s.own + 1
		}
		if n := made[c.name]; n < least || n > c.n {
			t.Errorf("%s: %d calls, computed %d", c.name, n, c.n)
		}
		delete(made, c.name)
	}
	if len(made) > 0 {
		t.Errorf("calls that are not computed: %v", made)
	}
}
