// Package test holds what is checked of the whole repository.
package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Words of our own that the code once had for what the field has a word for.
// They stand in no identifier and in no comment.
var givenUp = map[string]string{
	"sight":   "observation",
	"deed":    "attempt",
	"estate":  "inventory, overview",
	"amnesic": "ledger unavailable",
	"mender":  "patcher",
	"hinges":  "depends on",
}

func TestWordsThatWereGivenUp(t *testing.T) {
	words := regexp.MustCompile(`[A-Z]?[a-z]+`) // "newEstate" is "new" and "Estate"
	files := token.NewFileSet()
	check := func(at token.Pos, text string) {
		for _, word := range words.FindAllString(text, -1) {
			if better, ok := givenUp[strings.ToLower(word)]; ok {
				t.Errorf("%s: %q: write %s", files.Position(at), word, better)
			}
		}
	}
	read := 0
	for _, folder := range []string{"cmd", "functions", "pkg", "test"} {
		err := filepath.WalkDir("../"+folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || filepath.Base(path) == "words_test.go" {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			read++
			ast.Inspect(file, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok {
					check(name.Pos(), name.Name)
				}
				return true
			})
			for _, group := range file.Comments {
				check(group.Pos(), group.Text())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Errorf("%d files were read: where is the rest?", read)
	}
}
