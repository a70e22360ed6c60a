package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// sourceFinder finds the lines of Terraform's sources, which a plan does not tell.
type sourceFinder struct {
	path    string   // the plan, for what is not found
	folders []string // where the root module may be
	files   map[string][]sourceFile
}

type sourceFile struct {
	path string
	text []byte
}

// maxSourceFile is the size up to which a source is looked through.
const maxSourceFile = 4 << 20

func newSourceFinder(folder, path string) *sourceFinder {
	f := &sourceFinder{path: path, folders: []string{folder}, files: map[string][]sourceFile{}}
	if folder == "" {
		f.folders = []string{filepath.Dir(path), "."}
	}
	return f
}

// locate adds file and line to an origin: those of its block, or the first line of the plan.
func (f *sourceFinder) locate(o iac.Origin) iac.Origin {
	if o.File != "" {
		return o
	}
	for _, folder := range f.folders {
		if o.Block == "" {
			break
		}
		for _, file := range f.read(filepath.Join(folder, filepath.FromSlash(o.Folder))) {
			if line := lineOfBlock(file.text, o.Block); line > 0 {
				o.File, o.Line = file.path, line
				return o
			}
		}
	}
	if f.path != "-" {
		o.File, o.Line = f.path, 1
	}
	return o
}

// statement is the place of the statement with a Sid, if one place in the folder of the origin has it.
func (f *sourceFinder) statement(o iac.Origin, sid string) (found iac.Origin, ok bool) {
	if o.Block == "" || sid == "" || strings.HasPrefix(sid, "#") {
		return o, false
	}
	written := regexp.MustCompile(`(?i)\bsid"?[ \t]*[=:][ \t]*"` + regexp.QuoteMeta(sid) + `"`)
	for _, folder := range f.folders {
		for _, file := range f.read(filepath.Join(folder, filepath.FromSlash(o.Folder))) {
			for _, at := range written.FindAllIndex(file.text, -1) {
				if ok {
					return o, false // which of them it is cannot be told
				}
				found, ok = o, true
				found.File, found.Line = file.path, 1+bytes.Count(file.text[:at[0]], []byte("\n"))
			}
		}
		if ok {
			return found, true
		}
	}
	return o, false
}

// read reads the sources in a folder.
func (f *sourceFinder) read(folder string) []sourceFile {
	if files, ok := f.files[folder]; ok {
		return files
	}
	var out []sourceFile
	paths, _ := filepath.Glob(filepath.Join(folder, "*.tf"))
	more, _ := filepath.Glob(filepath.Join(folder, "*.tofu"))
	for _, path := range slices.Concat(paths, more) {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceFile {
			continue
		}
		if text, err := os.ReadFile(path); err == nil {
			out = append(out, sourceFile{path, text})
		}
	}
	f.files[folder] = out
	return out
}

// lineOfBlock is the line on which a block begins, from 1, or 0. Comments and the texts of heredocs
// are left out only as far as they have no line that looks like a block.
func lineOfBlock(text []byte, block string) int {
	words := strings.Fields(block)
	for i, word := range words {
		words[i] = `"?` + regexp.QuoteMeta(strings.Trim(word, `"`)) + `"?`
	}
	begin := regexp.MustCompile(`(?m)^[ \t]*` + strings.Join(words, `[ \t]+`) + `[ \t]*(\{|$)`)
	at := begin.FindIndex(withoutComments(text))
	if at == nil {
		return 0
	}
	return 1 + bytes.Count(text[:at[0]], []byte("\n"))
}

// withoutComments is the text with block comments blanked, line by line.
func withoutComments(text []byte) []byte {
	out := bytes.Clone(text)
	for from := 0; ; {
		start := bytes.Index(out[from:], []byte("/*"))
		if start < 0 {
			return out
		}
		start += from
		line := out[bytes.LastIndexByte(out[:start], '\n')+1 : start]
		if len(bytes.TrimSpace(line)) > 0 { // within a line: "arn:aws:s3:::logs/*"
			from = start + 2
			continue
		}
		end := bytes.Index(out[start:], []byte("*/"))
		if end < 0 {
			end = len(out) - start - 2
		}
		from = start + end + 2
		for i := start; i < min(from, len(out)); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
}
