package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// function is a bootstrap binary under AWS's Lambda runtime interface emulator.
// Like one Lambda environment it handles one invocation at a time.
type function struct {
	address string
	process *process
}

// startFunction starts a function with the given environment.
func startFunction(t *testing.T, name string, env map[string]string) *function {
	t.Helper()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	api, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
		"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ENDPOINT_URL": shared.aws.proxy.URL,
		"AWS_LAMBDA_FUNCTION_NAME": "trailwarden-" + name,
	}
	logical := map[string]string{"guard": "GuardFunction", "sweep": "SweepFunction", "securityhub": "SecurityHubFunction"}
	deployed := newStack(t, everything()).properties(logical[name])
	all["AWS_LAMBDA_FUNCTION_TIMEOUT"] = fmt.Sprint(deployed["Timeout"])
	all["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = fmt.Sprint(deployed["MemorySize"])
	maps.Copy(all, env)
	var list []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, key+"="+all[key])
	}
	p, err := startProcess(filepath.Join(t.TempDir(), name+".log"), address, list, shared.runtime,
		"--runtime-interface-emulator-address", address, "--runtime-api-address", api,
		filepath.Join(shared.bin, name, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.output())
		}
	})
	return &function{address: address, process: p}
}

// answer is what a function came to.
type answer struct {
	Skipped string `json:"skipped"`
	Buckets []struct {
		Bucket  string   `json:"bucket"`
		InUse   bool     `json:"inUse"`
		Verdict string   `json:"verdict"`
		Wrote   bool     `json:"wrote"`
		Told    []string `json:"told"`
	} `json:"buckets"`
	// Of a failed invocation:
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// invoke sends the function an event and returns its answer, or its failure.
func (f *function) invoke(t *testing.T, event []byte) answer {
	t.Helper()
	body, err := f.post(event)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	decode(t, body, &a)
	return a
}

// post hands the function a payload and returns what comes back.
func (f *function) post(payload []byte) ([]byte, error) {
	client := http.Client{Timeout: 90 * time.Second}
	address := "http://" + f.address + "/2015-03-31/functions/function/invocations"
	response, err := client.Post(address, "application/json", bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// kill ends the function's process as it is, as a machine that is lost would.
// With the next invocation the emulator starts another.
func (f *function) kill() error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", f.process.cmd.Process.Pid))
	if err != nil {
		return err
	}
	for _, thread := range threads {
		children, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return err
			}
		}
	}
	return nil
}
