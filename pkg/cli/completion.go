package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints a completion script. It is written from the grammar,
// so that it knows every command and flag.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c *completionCommand) Run(sys *system) error {
	parser, err := newParser(sys, func(int) {})
	if err != nil {
		return err
	}
	switch c.Shell {
	case "bash":
		bashCompletion(sys.stdout, parser.Model)
	case "zsh":
		zshCompletion(sys.stdout, parser.Model)
	case "fish":
		fishCompletion(sys.stdout, parser.Model)
	}
	return nil
}

// choices returns what a flag or argument accepts, if that is a fixed choice.
func choices(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

// firstArgument returns the fixed choice of a command's first argument.
func firstArgument(command *kong.Node, app *kong.Application) []string {
	switch {
	case command.Name == "help":
		return commandNames(app.Node)
	case len(command.Children) > 0:
		return commandNames(command)
	case len(command.Positional) > 0:
		return choices(command.Positional[0])
	default:
		return nil
	}
}

func commandNames(node *kong.Node) []string {
	var names []string
	for _, c := range node.Children {
		names = append(names, c.Name)
	}
	return names
}

// flags returns the flags of a command, with those of every command, and of the commands
// below it, each once.
func flags(command *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	for _, group := range command.AllFlags(true) {
		for _, f := range group {
			if f.Name != "version" {
				all = append(all, f)
			}
		}
	}
	for _, below := range command.Children {
		for _, f := range flags(below) {
			if !slices.ContainsFunc(all, func(known *kong.Flag) bool { return known.Name == f.Name }) {
				all = append(all, f)
			}
		}
	}
	return all
}

func flagNames(command *kong.Node) []string {
	var names []string
	for _, f := range flags(command) {
		names = append(names, "--"+f.Name)
	}
	return names
}

func bashCompletion(w io.Writer, app *kong.Application) {
	printf(w, "%s", `_trailwarden() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
`)
	printf(w, "        words=%q\n", strings.Join(append(commandNames(app.Node), "--help", "--version"), " "))
	printf(w, "%s", "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n        return\n    fi\n")
	printf(w, "%s", "    case ${COMP_WORDS[1]}$before in\n")
	for _, c := range app.Children {
		for _, f := range flags(c) {
			switch choice := choices(f.Value); {
			case f.IsBool():
			case choice != nil:
				printf(w, "    %s--%s) COMPREPLY=($(compgen -W %q -- \"$word\")); return ;;\n", c.Name, f.Name, strings.Join(choice, " "))
			default:
				printf(w, "    %s--%s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", c.Name, f.Name)
			}
		}
	}
	printf(w, "%s", "    esac\n    case ${COMP_WORDS[1]} in\n")
	for _, c := range app.Children {
		choice := append(flagNames(c), firstArgument(c, app)...)
		printf(w, "    %s) words=%q ;;\n", c.Name, strings.Join(choice, " "))
	}
	printf(w, "%s", `    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ $word == -* || ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _trailwarden trailwarden
`)
}

func zshCompletion(w io.Writer, app *kong.Application) {
	printf(w, "%s", "#compdef trailwarden\n\n_trailwarden() {\n    local -a commands\n    commands=(\n")
	for _, c := range app.Children {
		printf(w, "        %s\n", quoted(c.Name+":"+strings.ReplaceAll(c.Help, ":", `\:`)))
	}
	printf(w, "%s", `    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
`)
	for _, c := range app.Children {
		printf(w, "    %s)\n        _arguments", c.Name)
		for _, f := range flags(c) {
			printf(w, " \\\n            %s", quoted(zshFlag(f)))
		}
		rest := "*:file:_files"
		if choice := firstArgument(c, app); choice != nil {
			rest = "1:" + argumentName(c) + ":(" + strings.Join(choice, " ") + ")"
		}
		printf(w, " \\\n            %s ;;\n", quoted(rest))
	}
	printf(w, "%s", `    esac
}

if [ "$funcstack[1]" = _trailwarden ]; then
    _trailwarden "$@"
else
    compdef _trailwarden trailwarden
fi
`)
}

// argumentName is what the first argument of a command is called.
func argumentName(c *kong.Node) string {
	if len(c.Positional) > 0 {
		return c.Positional[0].Name
	}
	return "command"
}

func zshFlag(f *kong.Flag) string {
	help := strings.NewReplacer("[", "(", "]", ")", ":", `\:`).Replace(f.Help)
	spec := "--" + f.Name + "[" + help + "]"
	switch choice := choices(f.Value); {
	case f.IsBool():
		return spec
	case choice != nil:
		return spec + ":" + f.Name + ":(" + strings.Join(choice, " ") + ")"
	default:
		return spec + ":" + f.Name + ":_files"
	}
}

func fishCompletion(w io.Writer, app *kong.Application) {
	printf(w, "complete -c trailwarden -n __fish_use_subcommand -f -l version -d 'Print the version.'\n")
	for _, c := range app.Children {
		printf(w, "complete -c trailwarden -n __fish_use_subcommand -f -a %s -d %s\n", c.Name, quoted(c.Help))
		on := quoted("__fish_seen_subcommand_from " + c.Name)
		for _, f := range flags(c) {
			printf(w, "complete -c trailwarden -n %s -l %s -d %s", on, f.Name, quoted(f.Help))
			if choice := choices(f.Value); choice != nil {
				printf(w, " -x -a %s", quoted(strings.Join(choice, " ")))
			} else if !f.IsBool() {
				printf(w, "%s", " -r")
			}
			printf(w, "\n")
		}
		if choice := firstArgument(c, app); choice != nil {
			printf(w, "complete -c trailwarden -n %s -f -a %s\n", on, quoted(strings.Join(choice, " ")))
		}
	}
}

// quoted puts a word into single quotes for a shell.
func quoted(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
