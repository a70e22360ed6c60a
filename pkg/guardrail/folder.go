package guardrail

import (
	"context"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Nobody lists the trails of accounts outside of the organization. But CloudTrail writes into folders
// that are called after accounts, so that the bucket itself shows who has delivered. That is a hint: a
// folder stays when its trail is gone, and whoever may write into the bucket can make any. So it makes
// nothing an outage, no role is assumed for it, and the lists are bounded. It keeps a hardening from
// cutting somebody off, and is said.

const (
	// foldersEvery is how often it is looked into a bucket.
	foldersEvery = 24 * time.Hour
	// maxPrefixes is how many prefixes of trails are looked under.
	maxPrefixes = 2
)

// withFolders returns the survey with the accounts outside of the organization whose folders are in the
// buckets, and stores them. It takes a quarter of the time at most. That it cannot be read is no
// failure.
func (g *Guard) withFolders(ctx context.Context, v survey, names []string) (survey, []error) {
	if g.ports.Members == nil || g.ports.Folders == nil || len(v.known.Organization.Members) == 0 {
		return v, nil
	}
	at := g.now().UTC()
	due := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		readable := slices.Contains(v.known.Organization.Members, g.ref(v, name).Account)
		return len(v.into(name)) == 0 || !readable || !g.ownerKnown(v, name) || at.Sub(v.known.Buckets[name].FoldersAt) < foldersEvery
	})
	if deadline, ok := ctx.Deadline(); ok {
		quarter, cancel := context.WithTimeout(ctx, deadline.Sub(g.now())/4)
		defer cancel()
		ctx = quarter
	}
	found, errs := make([]inventory.Bucket, len(due)), make([]error, len(due))
	g.each(len(due), func(i int) {
		seen, looked := g.outsideFolders(ctx, v, due[i])
		if !looked {
			return
		}
		b := v.known.Buckets[due[i]]
		b.Name = due[i]
		found[i] = b.SeenIn(seen, at)
		errs[i] = g.learnFolders(ctx, due[i], seen, at)
	})
	more := inventory.Part{Buckets: map[string]inventory.Bucket{}}
	for _, b := range found {
		if b.Name != "" {
			more.Buckets[b.Name] = b
		}
	}
	v.known = v.known.And(more)
	return v, errs
}

// learnFolders stores whose folders a bucket has.
func (g *Guard) learnFolders(ctx context.Context, name string, accounts []string, at time.Time) error {
	return g.change(ctx, nil, func(inventory.Part) []string { return []string{name} }, func(p inventory.Part) inventory.Part {
		b := p.Buckets[name]
		b.Name = name
		return p.And(inventory.Part{Buckets: map[string]inventory.Bucket{name: b.SeenIn(accounts, at).Aged(at)}})
	})
}

// outsideFolders are the accounts outside of the organization whose folders are in a bucket, without
// those whose trails into it are known; looked is false if that could not be read.
func (g *Guard) outsideFolders(ctx context.Context, v survey, name string) (accounts []string, looked bool) {
	trails := v.into(name)
	known := map[string]bool{}
	for _, id := range v.known.Organization.Members {
		known[id] = true
	}
	for _, t := range trails {
		known[t.Account()] = true
	}
	prefixes := []string{""}
	for _, prefix := range distinct(trails, func(t trail.Trail) string { return t.Prefix }) {
		prefixes = append(prefixes, prefix+"/")
	}
	_, err := g.patient(ctx, wantedTime, func(ctx context.Context) error {
		for _, prefix := range prefixes[:min(len(prefixes), maxPrefixes)] {
			folders, err := g.ports.Folders.Folders(ctx, g.ref(v, name), prefix+"AWSLogs/")
			if err != nil {
				return err
			}
			accounts = union(accounts, folders)
		}
		return nil
	})
	if err != nil {
		g.run.Log.InfoContext(ctx, "whose folders are in a bucket could not be read", "bucket", name, "error", err)
		return nil, false
	}
	accounts = slices.DeleteFunc(accounts, func(id string) bool { return !arn.Account(id).Valid() || known[id] })
	return accounts[:min(len(accounts), inventory.MaxExpected)], true
}

// folders say whose files are in the bucket of the trails, though no trail of theirs is known.
func (v survey) folders(trails []trail.Trail) []string {
	if len(trails) == 0 {
		return nil
	}
	accounts := v.known.Buckets[trails[0].Bucket].SeenAccounts()
	if len(accounts) == 0 {
		return nil
	}
	return []string{"The bucket has folders of accounts outside of the organization of which no trail is known: " + firstOutsiders(accounts) +
		". If their trails deliver here, declare them, so that they are watched."}
}
