// Package start measures what it costs to start a function.
package start

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// flags are those that the Makefile builds the functions with.
func flags(t testing.TB) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-s", "-C", "../..", "lambda-flags")
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("make lambda-flags: %q, %v", out, err)
	}
	return strings.Fields(string(out))
}

func build(t testing.TB, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build", "-o", program}, flags(t), []string{"."})...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", folder, err, out)
	}
	return program
}

// cost is what a start took: CPU time, and memory in MiB.
type cost struct {
	cpu    time.Duration
	memory float64
}

// environment is that of a function, with the runtime's address, and with the settings of
// Go's runtime that the template has.
func environment(runtime string) []string {
	return []string{
		"GOGC=400", "GOMEMLIMIT=1400MiB", "AWS_LAMBDA_RUNTIME_API=" + runtime, "AWS_REGION=" + region, "AWS_LAMBDA_FUNCTION_NAME=guard",
		"AWS_ACCESS_KEY_ID=ASIA" + account, "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"TRAILWARDEN_ACCOUNT=" + account, "TRAILWARDEN_TABLE=trailwarden-Table-1J8XK2M4N6P8Q", "TRAILWARDEN_ROLE=TrailwardenReader",
		"TRAILWARDEN_TOPIC_ARN=arn:aws:sns:us-east-1:111111111111:trailwarden-Topic-1J8XK2M4N6P8Q",
		"TRAILWARDEN_RESTORE_BUCKETS=" + bucket,
	}
}

// start runs a function until it asks for its first event.
func start(t testing.TB, program string) cost {
	t.Helper()
	asked := make(chan struct{}, 1)
	runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer runtime.Close()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = environment(strings.TrimPrefix(runtime.URL, "http://"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatalf("%s does not ask for an event", program)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("no resource usage")
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), float64(used.Maxrss) / 1024}
}

// BenchmarkStart measures CPU and memory from the start to the first poll, as a ratio
// to a function that does nothing. The two take turns, so that both meet the same
// machine.
func BenchmarkStart(b *testing.B) {
	bare := build(b, "bare")
	for _, name := range []string{"guard", "sweep"} {
		function := build(b, "../../functions/"+name)
		b.Run(name, func(b *testing.B) {
			var ours, theirs []cost
			for b.Loop() {
				theirs, ours = append(theirs, start(b, bare)), append(ours, start(b, function))
			}
			b.ReportMetric(float64(median(ours).cpu)/float64(median(theirs).cpu), "x-bare")
			b.ReportMetric(float64(median(ours).cpu.Microseconds())/1000, "cpu-ms")
			b.ReportMetric(median(ours).memory, "MiB")
		})
	}
}

func median(list []cost) cost {
	slices.SortFunc(list, func(a, b cost) int { return cmp.Compare(a.cpu, b.cpu) })
	return list[len(list)/2]
}
