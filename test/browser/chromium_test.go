//go:build browser

// Package browser checks the HTML pages of trailwarden in a real browser.
// It needs Chromium, and so hides behind a build tag: run it with make browser.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tab is one tab of a headless Chromium, driven over the DevTools protocol on
// a pair of pipes: messages are JSON that ends with a zero byte.
// https://chromedevtools.github.io/devtools-protocol/
type tab struct {
	to      *os.File
	from    *bufio.Reader
	session string // empty: the browser itself
	last    int    // number of the last message sent
	events  []event
}

// event is what Chromium sends without being asked.
type event struct {
	Method string
	Params json.RawMessage
}

// openTab starts Chromium, which ends with the test.
func openTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Minute)
	cmd := exec.CommandContext(ctx, chromium(t),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	// Chromium reads from file 3 and writes to file 4.
	theirIn, to := pipe(t)
	from, theirOut := pipe(t)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Its end is seen only once nobody else holds its files.
	if err := errors.Join(theirIn.Close(), theirOut.Close()); err != nil {
		t.Fatal(err)
	}
	p := &tab{to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		p.session = ""
		if err := p.send("Browser.close", nil); err != nil {
			cancel()
		}
		err := cmd.Wait()
		cancel()
		if err != nil {
			t.Errorf("chromium: %v", err)
		}
	})

	var target struct{ TargetID string }
	p.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.call(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	p.call(t, "Page.enable", nil, nil)
	p.call(t, "Network.enable", nil, nil)
	// The page must be readable without scripts.
	p.call(t, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	return p
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium on PATH: make browser installs it")
	return ""
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range []*os.File{r, w} {
			if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		}
	})
	return r, w
}

func (p *tab) send(method string, params any) error {
	p.last++
	message := map[string]any{"id": p.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if p.session != "" {
		message["sessionId"] = p.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = p.to.Write(append(text, 0))
	return err
}

// call sends a message, and reads its answer into result unless that is nil.
func (p *tab) call(t *testing.T, method string, params, result any) {
	t.Helper()
	err := p.send(method, params)
	var answer json.RawMessage
	if err == nil {
		answer, err = p.answer()
	}
	if err == nil && result != nil {
		err = json.Unmarshal(answer, result)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// answer reads up to the answer to the last message.
func (p *tab) answer() (json.RawMessage, error) {
	for {
		text, err := p.from.ReadBytes(0)
		if err != nil {
			return nil, fmt.Errorf("chromium is gone: %w", err)
		}
		var message struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
			event
		}
		if err := json.Unmarshal(text[:len(text)-1], &message); err != nil {
			return nil, err
		}
		switch {
		case message.ID == 0:
			p.events = append(p.events, message.event)
		case message.ID != p.last: // of a message that nobody waited for
		case message.Error != nil:
			return nil, fmt.Errorf("chromium refuses: %s", message.Error.Message)
		default:
			return message.Result, nil
		}
	}
}

// open shows a page and returns the addresses that Chromium asked for.
func (p *tab) open(t *testing.T, html []byte) (asked []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		t.Fatal(err)
	}
	p.events = nil
	var answer struct{ ErrorText string }
	p.call(t, "Page.navigate", map[string]any{"url": "file://" + file}, &answer)
	if answer.ErrorText != "" {
		t.Fatal(answer.ErrorText)
	}
	for loaded := false; !loaded; {
		p.call(t, "Page.getLayoutMetrics", nil, nil)
		for _, e := range p.events {
			loaded = loaded || e.Method == "Page.loadEventFired"
		}
	}
	for _, e := range p.events {
		if e.Method != "Network.requestWillBeSent" {
			continue
		}
		var sent struct{ Request struct{ URL string } }
		if err := json.Unmarshal(e.Params, &sent); err != nil {
			t.Fatal(err)
		}
		asked = append(asked, sent.Request.URL)
	}
	return asked
}

// show sets how the page is shown: media is screen or print, scheme
// is light or dark.
func (p *tab) show(t *testing.T, width int, media, scheme string) {
	t.Helper()
	p.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
	p.call(t, "Emulation.setEmulatedMedia", map[string]any{
		"media":    media,
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// evaluate reads the value of a JavaScript expression. The page's own scripts
// stay off.
func (p *tab) evaluate(t *testing.T, expression string, value any) {
	t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	p.call(t, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		t.Fatalf("%s", answer.ExceptionDetails)
	}
	if err := json.Unmarshal(answer.Result.Value, value); err != nil {
		t.Fatal(err)
	}
}

// picture takes a picture of all of the page.
func (p *tab) picture(t *testing.T) []byte {
	t.Helper()
	var size struct {
		CSSContentSize struct{ Height float64 }
	}
	p.call(t, "Page.getLayoutMetrics", nil, &size)
	return p.part(t, 0, size.CSSContentSize.Height)
}

// part takes a picture of the page between two heights, as wide as it is.
func (p *tab) part(t *testing.T, top, bottom float64) []byte {
	t.Helper()
	var size struct {
		CSSContentSize struct{ Width float64 }
	}
	p.call(t, "Page.getLayoutMetrics", nil, &size)
	var shot struct{ Data []byte }
	p.call(t, "Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": top, "width": size.CSSContentSize.Width, "height": bottom - top, "scale": 1},
	}, &shot)
	return shot.Data
}

// paper prints the page.
func (p *tab) paper(t *testing.T) []byte {
	t.Helper()
	var printed struct{ Data []byte }
	p.call(t, "Page.printToPDF", map[string]any{"printBackground": false}, &printed)
	return printed.Data
}
