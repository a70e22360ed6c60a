package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
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
		"AWS_LAMBDA_FUNCTION_NAME": "trailwarden-" + name, "AWS_LAMBDA_FUNCTION_TIMEOUT": "60", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
	}
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
	client := http.Client{Timeout: 90 * time.Second}
	response, err := client.Post("http://"+f.address+"/2015-03-31/functions/function/invocations", "application/json", bytes.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("invocation: %s, %q: %v", response.Status, body, err)
	}
	return a
}
