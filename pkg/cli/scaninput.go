package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

const (
	expectScan = `a plan or state as "terraform show -json" prints it, a CloudFormation template or change set, or a cdk.out folder`
	// maxPlanFile is far above plans of some 100 MB, which are read piece by piece.
	maxPlanFile = 4 << 30
	// maxTemplateFile is far above the 1 MB that CloudFormation takes.
	maxTemplateFile = 16 << 20
)

// read recognizes what a path is, and reads it. A template is judged against the one from before, if
// that was given.
func (c *scanCommand) read(sys *system, path string) (iac.Input, error) {
	in, terraform, err := c.readOne(sys, path)
	switch {
	case err != nil || c.Base == "":
		return in, err
	case terraform || !in.OnlyAfter:
		return in, errors.New("--base is for templates: a plan or change set tells what was before")
	}
	base, terraform, err := c.readOne(sys, c.Base)
	switch {
	case err != nil:
		return in, err
	case terraform || !base.OnlyAfter:
		return in, fmt.Errorf("--base: %s: expected a CloudFormation template or a cdk.out folder", c.Base)
	}
	return cfn.Between(base, in), nil
}

// readOne reads one source, and says whether it is Terraform's.
func (c *scanCommand) readOne(sys *system, path string) (in iac.Input, terraform bool, err error) {
	s := source{name: path}
	parameters, err := sys.readParameters(c.Parameters)
	if err != nil {
		return in, false, err
	}
	o := cfn.Options{Account: c.Account, Region: c.Region, Parameters: parameters, File: path}
	r := sys.stdin
	if path == "-" {
		s.name, o.File = standardInput, ""
	} else {
		f, err := os.Open(path)
		if err != nil {
			return in, false, s.readError(err, expectScan)
		}
		defer f.Close() //nolint:errcheck // it was only read
		if info, err := f.Stat(); err == nil && info.IsDir() {
			in, err = readAssembly(s, o)
			return in, false, err
		}
		r = f
	}
	text := bufio.NewReaderSize(decoded(io.LimitReader(r, maxPlanFile)), 1<<16)
	begin, err := text.Peek(1 << 16)
	switch {
	case bytes.HasPrefix(begin, []byte("PK\x03\x04")):
		return in, false, s.errorf("a plan in Terraform's own form; run: terraform show -json %s > plan.json, and scan plan.json", path)
	case bytes.HasPrefix(begin, []byte(`{"@level"`)):
		return in, false, s.errorf("the log of \"terraform plan -json\"; run: terraform plan -out=tfplan, " +
			"and terraform show -json tfplan > plan.json")
	case err != nil && !errors.Is(err, io.EOF):
		return in, false, s.readError(err, expectScan)
	case len(bytes.TrimSpace(begin)) == 0:
		return in, false, s.errorf("empty; expected %s", expectScan)
	}
	if terraform = isTerraform(begin); terraform {
		in, err = tfplan.Read(text, tfplan.Options{Account: c.Account, Region: c.Region})
	} else {
		var template []byte
		if template, err = readAtMost(text, maxTemplateFile); err == nil {
			if path != "-" {
				beside, err := os.OpenRoot(filepath.Dir(path))
				if err != nil {
					return in, false, s.readError(err, expectScan)
				}
				defer beside.Close() //nolint:errcheck // it was only read
				o.Folder = beside.FS()
			}
			in, err = cfn.Read(template, o)
		}
	}
	if err != nil {
		return in, terraform, s.errorf("%w; expected %s", err, expectScan)
	}
	return in, terraform, nil
}

// isTerraform reports whether a text begins like a plan or state of Terraform, and not like a
// template: with a member that only these have.
func isTerraform(begin []byte) bool {
	if begin = bytes.TrimSpace(begin); begin[0] != '{' {
		return false
	}
	first := len(begin)
	terraform := false
	for _, name := range []string{
		"format_version", "terraform_version", "planned_values", "resource_changes", "prior_state", "lineage", "applyable", "errored",
	} {
		if i := bytes.Index(begin, []byte(`"`+name+`"`)); i >= 0 && i < first {
			first, terraform = i, true
		}
	}
	for _, name := range []string{"AWSTemplateFormatVersion", "Resources", "Parameters", "Transform", "Mappings", "Conditions", "Outputs"} {
		if i := bytes.Index(begin, []byte(`"`+name+`"`)); i >= 0 && i < first {
			return false
		}
	}
	return terraform
}

// readAssembly reads a cdk.out folder.
func readAssembly(s source, o cfn.Options) (iac.Input, error) {
	root, err := os.OpenRoot(s.name)
	if err != nil {
		return iac.Input{}, s.readError(err, expectScan)
	}
	defer root.Close() //nolint:errcheck // it was only read
	program, err := os.Getwd()
	if err != nil {
		program = ""
	}
	in, err := cfn.ReadAssembly(root.FS(), filepath.ToSlash(program), o)
	if err != nil {
		return iac.Input{}, s.errorf("%w; expected %s", err, expectScan)
	}
	return in, nil
}

// readParameters reads the values of a template's parameters, in one of the forms that tools of AWS
// take: a list of ParameterKey and ParameterValue, or an object of names and values, which may
// stand in a member Parameters.
func (sys *system) readParameters(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	const what = `values of parameters, as "aws cloudformation deploy --parameter-overrides file://…" takes them`
	s, err := sys.read(path, maxTrailsFile, what)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	var list []struct{ ParameterKey, ParameterValue string }
	if json.Unmarshal(s.text, &list) == nil {
		for _, p := range list {
			out[p.ParameterKey] = p.ParameterValue
		}
		return out, nil
	}
	var object map[string]any
	if err := json.Unmarshal(s.text, &object); err != nil {
		return nil, s.errorf("not JSON; expected %s", what)
	}
	if inner, ok := object["Parameters"].(map[string]any); ok {
		object = inner
	}
	for name, v := range object {
		switch v := v.(type) {
		case string:
			out[name] = v
		case bool, float64:
			out[name] = fmt.Sprint(v)
		default:
			return nil, s.errorf("the value of %s is no text; expected %s", name, what)
		}
	}
	return out, nil
}

// decoded is the text of a stream that may be UTF-16, or UTF-8 with a mark, as PowerShell's ">"
// writes it.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	begin, _ := in.Peek(3)
	switch {
	case bytes.HasPrefix(begin, []byte{0xff, 0xfe}):
		return &utf16Reader{in: in, order: binary.LittleEndian}
	case bytes.HasPrefix(begin, []byte{0xfe, 0xff}):
		return &utf16Reader{in: in, order: binary.BigEndian}
	case bytes.HasPrefix(begin, []byte("\ufeff")):
		_, _ = in.Discard(3) // they were just seen
	}
	return in
}

// utf16Reader reads UTF-16 as UTF-8. It leaves out the mark at the beginning.
type utf16Reader struct {
	in    *bufio.Reader
	order binary.ByteOrder
	out   []byte
	high  rune // the first half of a pair
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		var unit [2]byte
		if _, err := io.ReadFull(u.in, unit[:]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("half a character of UTF-16 at the end")
			}
			return 0, err
		}
		switch r := rune(u.order.Uint16(unit[:])); {
		case u.high != 0:
			u.out = utf8.AppendRune(u.out, utf16.DecodeRune(u.high, r))
			u.high = 0
		case utf16.IsSurrogate(r):
			u.high = r
		case r != 0xfeff:
			u.out = utf8.AppendRune(u.out, r)
		}
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}
