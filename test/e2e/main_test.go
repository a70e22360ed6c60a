// Package e2e runs the built functions against an emulator of the AWS API, the
// way Lambda would run them: moto stands for S3, CloudTrail, SNS, SQS,
// EventBridge, DynamoDB and Organizations, and AWS's own Lambda runtime
// interface emulator starts the bootstrap binaries and sends them events.
//
// The Python parts install themselves into .cache/ (test/python/install.sh).
// Nothing is skipped: what cannot be set up fails.
package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Where the stack of the tests runs. The sample events are of this account.
const (
	region  = "us-east-1"
	account = "111111111111"
)

// lab is what all tests share.
type lab struct {
	root     string          // of the repository
	python   string          // the interpreter with moto and the SAM translator
	bin      string          // the folder with guard/bootstrap, sweep/bootstrap, trailwarden and the AWS CLI
	runtime  string          // the Lambda runtime interface emulator
	template json.RawMessage // template.yaml after the SAM transform
	member   json.RawMessage // deploy/member.yaml
	restorer json.RawMessage // deploy/restorer.yaml
	aws      *emulator
}

var shared lab

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "trailwarden-e2e-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = shared.setUp(dir)
	}
	defer shared.tearDown()
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/e2e cannot be set up (`make test` does all that is needed):", err)
		return 1
	}
	return m.Run()
}

func (l *lab) setUp(dir string) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	l.root, l.bin = root, dir
	if l.python, err = l.output("sh", "test/python/install.sh", "emulator"); err != nil {
		return err
	}
	if l.runtime, err = l.runtimeEmulator(); err != nil {
		return err
	}
	if err := l.build(); err != nil {
		return err
	}
	if err := l.installAWS(); err != nil {
		return err
	}
	for file, into := range map[string]*json.RawMessage{
		"template.yaml": &l.template, "deploy/member.yaml": &l.member, "deploy/restorer.yaml": &l.restorer,
	} {
		text, err := l.output(l.python, "test/python/transform.py", file, region)
		if err != nil {
			return err
		}
		*into = json.RawMessage(text)
	}
	l.aws, err = startEmulator(l.python, dir)
	return err
}

func (l *lab) tearDown() {
	if l.aws != nil {
		l.aws.stop()
	}
}

// runtimeEmulator finds AWS's emulator, which comes with the SAM command line.
func (l *lab) runtimeEmulator() (string, error) {
	name := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if runtime.GOOS != "linux" || name == "" {
		return "", fmt.Errorf("the Lambda runtime interface emulator runs on Linux on amd64 and arm64, not on %s/%s",
			runtime.GOOS, runtime.GOARCH)
	}
	folder, err := l.output(l.python, "-c", "import os, samcli; print(os.path.join(os.path.dirname(samcli.__file__), 'local', 'rapid'))")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "aws-lambda-rie-"+name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("aws-sam-cli comes without the Lambda runtime interface emulator: %w", err)
	}
	return path, os.Chmod(path, 0o755)
}

// build builds the functions as `sam build` does, for this machine's processor,
// and the command line.
func (l *lab) build() error {
	for _, name := range []string{"Guard", "Sweep", "SecurityHub"} {
		out := filepath.Join(l.bin, strings.ToLower(name))
		if _, err := l.output("make", "-s", "build-"+name+"Function", "LAMBDA_ARCH="+runtime.GOARCH, "ARTIFACTS_DIR="+out); err != nil {
			return err
		}
	}
	_, err := l.output("go", "build", "-o", filepath.Join(l.bin, "trailwarden"), "./cmd/trailwarden")
	return err
}

// output runs a program in the root of the repository.
func (l *lab) output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = l.root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err), errors.New(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
