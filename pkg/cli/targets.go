package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// organizationCommand are the commands on the organization that a hub serves.
type organizationCommand struct {
	Targets targetsCommand `cmd:"" help:"Print in which accounts and regions events have to be forwarded, as files for the StackSet."`
	Status  statusCommand  `cmd:"" help:"Say which accounts the deployed hub covers, and which are silent."`
}

// targetsCommand prints where the forwarding rule belongs: where trails are at home and where
// their buckets, keys and topics are. In all other accounts and regions the sweep suffices.
type targetsCommand struct {
	liveFlags
	BucketOwners map[string]string `mapsep:"," placeholder:"BUCKET=ACCOUNT,…" help:"Owners of trail buckets that may not list their buckets."`
	Table        string            `placeholder:"NAME" help:"The DynamoDB table of the deployed hub: with what it knows of accounts that cannot be read just now."`
	Output       string            `short:"o" placeholder:"FOLDER" help:"Write a file for each set of regions into this folder, which is made, or empty."`
	Format       string            `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run reads the organization as audit does, and prints.
func (c *targetsCommand) Run(ctx context.Context, sys *system) error {
	if err := checkOwners(c.BucketOwners); err != nil {
		return err
	}
	if err := c.checkFolder(); err != nil {
		return err
	}
	conn, err := c.connectOrganization(ctx, sys, c.Table, guardrail.Config{Owners: c.BucketOwners})
	if err != nil {
		return err
	}
	began := sys.now().UTC()
	o, auditErr := auditOrganization(ctx, sys, conn)
	if o == nil {
		return auditErr
	}
	t := targetsOf(o)
	t.At, t.Hub = began, site{conn.account, conn.region}
	if c.Output != "" {
		if err := t.write(c.Output); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		if err := printJSON(sys.stdout, t.json()); err != nil {
			return err
		}
	} else {
		t.print(sys.screen, c.Output)
	}
	switch {
	case auditErr != nil:
		return fmt.Errorf("the targets are not complete: %w", auditErr)
	case len(t.Missing) > 0:
		return errFindings
	}
	return nil
}

// checkFolder refuses a folder with files in it: one of an earlier run would be taken for one of
// this.
func (c *targetsCommand) checkFolder() error {
	if c.Output == "" {
		return nil
	}
	entries, err := os.ReadDir(c.Output)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("--output: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("--output: folder %s is not empty; expected one without files of an earlier run", clean(c.Output))
	}
	return nil
}

// site is an account and a region.
type site struct{ account, region string }

// targets are the places from which events have to be forwarded.
type targets struct {
	At           time.Time
	Hub          site // where the hub is taken to be
	Organization string
	// Why says of each place what is there, sorted.
	Why map[site][]string
	// Management is the management account, which no StackSet reaches.
	Management string
	// Missing says what is not known, so that a place may be missing.
	Missing []string
}

// targetsOf reads them from an audit of the organization.
func targetsOf(o *overview) targets {
	organization := o.organization.Organization
	t := targets{
		Hub: site{o.Account, o.Region}, Organization: organization.ID, Management: organization.ManagementAccount, Why: map[site][]string{},
	}
	active := map[string]bool{}
	for _, a := range o.organization.Accounts {
		active[a.ID] = a.State == inventory.Active
	}
	for _, g := range o.organization.unreadAccounts() {
		t.Missing = append(t.Missing, fmt.Sprintf("The trails and buckets of %s are not known (%s): %s.",
			count(len(g.Accounts), "account", "accounts"), g.Reason, strings.Join(g.Accounts, ", ")))
	}
	add := func(account, region, what string) {
		switch p := (site{account, region}); {
		case !active[account]: // nobody forwards events of other organizations
		case !slices.Contains(t.Why[p], what):
			t.Why[p] = append(t.Why[p], what)
		}
	}
	resource := func(name, service, what string) {
		if a := arn.Split(name); a.Service == service && a.Region != "" {
			add(string(a.Account), string(a.Region), what)
		}
	}
	for i := range o.Buckets {
		b := &o.Buckets[i]
		if _, ofAccount := delivery.AccountOf(b.Bucket.Name); ofAccount {
			continue
		}
		if b.Bucket.Owner == "" || b.Bucket.Region == "" {
			t.Missing = append(t.Missing, fmt.Sprintf("It is not known whose bucket %s is, or where it is.", b.Bucket.Name))
		} else {
			add(b.Bucket.Owner, b.Bucket.Region, "bucket "+b.Bucket.Name)
		}
		for _, x := range b.Trails {
			add(x.Account(), x.HomeRegion, "trail "+x.Name)
			resource(x.KMSKeyID, "kms", "key of trail "+x.Name)
			resource(x.SNSTopic, "sns", "topic of trail "+x.Name)
		}
	}
	if home := organizationsRegion(o.Region); home != "" {
		add(t.Management, home, "calls of AWS Organizations")
	}
	for _, what := range t.Why {
		slices.Sort(what)
	}
	return t
}

// organizationsRegion is where the events of AWS Organizations are, in the partition of a region.
// Source: "AWS Organizations endpoints and quotas" in the AWS General Reference.
func organizationsRegion(region string) string {
	return map[arn.Partition]string{
		arn.Commercial: "us-east-1", arn.China: "cn-northwest-1", arn.GovCloud: "us-gov-west-1",
	}[arn.Region(region).Partition()]
}

// targetGroup are accounts in which the rule belongs into the same regions.
type targetGroup struct {
	Regions  []string `json:"regions"`
	Accounts []string `json:"accounts"`
	File     string   `json:"file"` // its name
}

// groups are the accounts that the StackSet reaches, by their sets of regions, the largest
// first. The hub has a rule of its own in its region.
func (t targets) groups() []targetGroup {
	sets := map[string][]string{} // by account
	for p := range t.Why {
		if p != t.Hub && p.account != t.Management {
			sets[p.account] = append(sets[p.account], p.region)
		}
	}
	byRegions := map[string]*targetGroup{}
	for _, account := range slices.Sorted(maps.Keys(sets)) {
		slices.Sort(sets[account])
		key := strings.Join(sets[account], "_")
		g := byRegions[key]
		if g == nil {
			g = &targetGroup{Regions: sets[account], File: fileName(key, sets[account])}
			byRegions[key] = g
		}
		g.Accounts = append(g.Accounts, account)
	}
	groups := []targetGroup{}
	for _, key := range slices.Sorted(maps.Keys(byRegions)) {
		groups = append(groups, *byRegions[key])
	}
	slices.SortStableFunc(groups, func(a, b targetGroup) int { return cmp.Compare(len(b.Accounts), len(a.Accounts)) })
	return groups
}

// longestFileName keeps file names below the 255 bytes of most file systems: the names of 34
// regions have 400.
const longestFileName = 100

func fileName(key string, regions []string) string {
	if len(key) > longestFileName {
		sum := sha256.Sum256([]byte(key))
		key = fmt.Sprintf("%s_and_%d_more_%s", regions[0], len(regions)-1, hex.EncodeToString(sum[:4]))
	}
	return key + ".txt"
}

// management are the regions in which the management account needs a stack of its own.
func (t targets) management() []string {
	var regions []string
	for p := range t.Why {
		if p.account == t.Management && p != t.Hub {
			regions = append(regions, p.region)
		}
	}
	slices.Sort(regions)
	return regions
}

// write writes a file for each group: account ids, one a line.
// Source: DeploymentTargets in the API reference of CloudFormation, AccountsUrl.
func (t targets) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	for _, g := range t.groups() {
		text := strings.Join(g.Accounts, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(folder, g.File), []byte(text), 0o600); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
	}
	return nil
}

// print prints the groups, and how to deploy them.
func (t targets) print(s screen, folder string) {
	groups := t.groups()
	pairs := 0
	for _, g := range groups {
		pairs += len(g.Regions) * len(g.Accounts)
	}
	s.indented(0, clean(fmt.Sprintf("Organization %s: events of %s are to be forwarded, from %s of account and region.",
		t.Organization, accountsOf(groups), count(pairs, "pair", "pairs"))))
	s.indented(0, clean(fmt.Sprintf("The hub is taken to be in account %s, %s; it has a rule of its own there.", t.Hub.account, t.Hub.region)))
	if len(groups) > 0 {
		s.printf("\n")
		rows := table{header: []string{"REGIONS", "ACCOUNTS", "FILE"}}
		for _, g := range groups {
			rows.add(cell{clean(strings.Join(g.Regions, ", ")), plain}, cell{clean(someAccounts(g.Accounts)), plain}, cell{clean(g.File), plain})
		}
		rows.write(s, 0)
	}
	if regions := t.management(); len(regions) > 0 {
		s.printf("\n")
		s.indented(0, clean(fmt.Sprintf("The management account %s is reached by no StackSet. It needs a stack of its own in %s.",
			t.Management, strings.Join(regions, ", "))))
	}
	switch {
	case len(groups) > 0 && folder == "":
		s.printf("\n")
		s.indented(0, "--output FOLDER writes the files.")
	case len(groups) > 0:
		s.printf("\nPut the files into a bucket of the account that administers the StackSet,\nand add the stacks of each:\n\n")
		for _, command := range t.commands(folder, groups) {
			s.printf("  %s\n", clean(command))
		}
	}
	for _, missing := range t.Missing {
		s.printf("\n%s\n", s.paint(bad, "NOT COMPLETE"))
		s.indented(2, clean(missing))
	}
}

// commands are those of the AWS CLI that deploy the groups. BUCKET is the reader's.
func (t targets) commands(folder string, groups []targetGroup) []string {
	out := []string{
		"BUCKET=name-of-your-bucket",
		"ROOT=$(aws organizations list-roots --query 'Roots[0].Id' --output text)",
		"aws s3 cp --recursive " + shellWord(folder) + ` "s3://$BUCKET/trailwarden-targets/"`,
	}
	for _, g := range groups {
		out = append(out, "aws cloudformation create-stack-instances --call-as DELEGATED_ADMIN --stack-set-name "+forwardStackSet+
			" --regions "+strings.Join(g.Regions, " ")+` --deployment-targets "OrganizationalUnitIds=$ROOT,AccountFilterType=INTERSECTION,`+
			`AccountsUrl=s3://$BUCKET/trailwarden-targets/`+g.File+`"`)
	}
	return out
}

// forwardStackSet is the name of the StackSet in the documents.
const forwardStackSet = "trailwarden-forward"

// shellWord is a word of a shell, quoted where it has to be.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./", r)
	}) {
		return quoted(s)
	}
	return s
}

func accountsOf(groups []targetGroup) string {
	n := 0
	for _, g := range groups {
		n += len(g.Accounts)
	}
	return count(n, "account", "accounts")
}

// The JSON of the targets.
type (
	targetsJSON struct {
		Version      int            `json:"version"`
		Tool         toolJSON       `json:"tool"`
		At           time.Time      `json:"at"`
		Organization string         `json:"organization"`
		Hub          placeJSON      `json:"hub"`
		Groups       []targetGroup  `json:"groups"`
		Management   managementSite `json:"management"`
		Places       []placeJSON    `json:"places"`
		Missing      []string       `json:"missing"` // sentences; none: it is complete
	}
	managementSite struct {
		Account string   `json:"account"`
		Regions []string `json:"regions"`
	}
	placeJSON struct {
		Account string   `json:"account"`
		Region  string   `json:"region"`
		Why     []string `json:"why,omitempty"`
	}
)

func (t targets) json() targetsJSON {
	out := targetsJSON{
		Version: formVersion, Tool: thisTool(), At: t.At, Organization: t.Organization, Hub: placeJSON{Account: t.Hub.account, Region: t.Hub.region},
		Groups: t.groups(), Management: managementSite{t.Management, orEmpty(t.management())}, Places: []placeJSON{}, Missing: orEmpty(t.Missing),
	}
	for p, why := range t.Why {
		out.Places = append(out.Places, placeJSON{p.account, p.region, why})
	}
	slices.SortFunc(out.Places, func(a, b placeJSON) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
	})
	return out
}
