package cli

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// versionFlag is another way to ask for the version.
type versionFlag bool

// BeforeReset prints the version, also where other flags are missing.
func (versionFlag) BeforeReset(ctx *kong.Context) error {
	defer ctx.Exit(exitFine)
	return writeVersion(ctx.Stdout)
}

// versionCommand prints the version.
type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(sys *system) error { return writeVersion(sys.stdout) }

func writeVersion(w io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		_, err := fmt.Fprintln(w, "trailwarden (unknown build)")
		return err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	printf(w, "trailwarden %s\n", buildVersion())
	if revision := settings["vcs.revision"]; revision != "" {
		if settings["vcs.modified"] == "true" {
			revision += " (modified)"
		}
		printf(w, "commit %s of %s\n", revision, settings["vcs.time"])
	}
	_, err := fmt.Fprintf(w, "built with %s for %s/%s\n", info.GoVersion, settings["GOOS"], settings["GOARCH"])
	return err
}

// buildVersion is the version of the module that was built: a tag, or "devel".
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
