package cli

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// TestPowerShell reads files as ">" of PowerShell writes them.
func TestPowerShell(t *testing.T) {
	t.Parallel()
	text := `{"Policy": "grün"}`
	units := utf16.Encode([]rune(text))
	little, _ := binary.Append([]byte{0xff, 0xfe}, binary.LittleEndian, units)
	big, _ := binary.Append([]byte{0xfe, 0xff}, binary.BigEndian, units)
	for name, content := range map[string][]byte{"little": little, "big": big, "mark": []byte("\ufeff" + text), "plain": []byte(text)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := (&system{}).read(path, maxPolicyFile, "a policy")
		if err != nil || string(s.text) != text {
			t.Errorf("%s: %q, %v", name, s.text, err)
		}
	}
}

// TestEndlessInput checks that no more is read than is allowed.
func TestEndlessInput(t *testing.T) {
	t.Parallel()
	sys := &system{stdin: endless{}}
	if _, err := sys.read("-", 1<<20, "a policy"); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestOtherBuckets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resources string
		want      []string
	}{
		{`"Resource":"arn:aws:s3:::logs"`, nil},
		{`"Resource":["arn:aws:s3:::logs/*"]`, nil},
		{`"Resource":"arn:aws:s3:::b/*"`, []string{"b"}},
		{`"Resource":["arn:aws-cn:s3:::b/*","arn:aws:s3:::a"]`, []string{"a", "b"}},
		{`"Resource":["arn:aws:s3:::b/*","arn:aws:s3:::logs/*"]`, nil}, // a fault, and judged as one
		{`"Resource":"arn:aws:s3:::lo*"`, nil},
		{`"Resource":"arn:aws:s3:::${aws:PrincipalTag/x}"`, nil},
		{`"Resource":"*"`, nil},
		{`"NotResource":"arn:aws:s3:::b/*"`, nil},
		{`"Resource":"arn:aws:s3:us-east-1:111111111111:accesspoint/b"`, []string{"accesspoint"}},
		{`"Resource":"arn:aws:sqs:us-east-1:111111111111:queue"`, nil},
		{`"Resource":[]`, nil},
	} {
		d, err := policy.Parse([]byte(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",` + c.resources + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, otherBuckets(d, "logs")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.resources, diff)
		}
	}
}

func TestLineOfStatement(t *testing.T) {
	t.Parallel()
	same := `{"Effect":"Deny"}`
	text := "{\n\"Id\":\"x\",\n\"Statement\":[\n" + same + ",\n\n" + same + ",{\n\"Effect\":\"Allow\"}]}"
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f := &policyFile{source: source{text: []byte(text), first: 3}, document: d, bare: true}
	for index, want := range []int{6, 8, 8} {
		if got := f.region(index).StartLine; got != want {
			t.Errorf("statement %d is on line %d, want %d", index, got, want)
		}
	}
}

// TestInterruptedQuestion checks that a question does not outlast the person's
// patience.
func TestInterruptedQuestion(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	stop()
	sys := &system{stdin: r, stdout: bufio.NewWriter(io.Discard), stderr: io.Discard}
	if ok, err := sys.ask(ctx, "Sure?"); ok || err == nil {
		t.Errorf("got %v, %v", ok, err)
	}
}
