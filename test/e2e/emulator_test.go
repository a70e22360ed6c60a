package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// emulator is moto with a proxy in front. The functions talk to the proxy and
// the tests to moto itself, so that the proxy sees the functions' calls alone.
// It counts them, lets some fail, and answers what moto does not have.
type emulator struct {
	direct  string // the address of moto
	moto    *process
	forward http.Handler
	proxy   *httptest.Server
	queues  sync.Mutex // moto loses its way when several take from a queue at once

	mu     sync.Mutex
	calls  []apiCall
	gaveUp []apiCall         // calls whose answer the function did not wait for
	payers map[string]string // request payer by bucket
	status object            // what GetTrailStatus answers, of every trail; nil: moto does
	fault  func(apiCall) *failure
	hub    *hubEmulation // of an organization; nil: there is none
}

// accountHeader says to moto whose account a request is of.
const accountHeader = "X-Moto-Account-Id"

// apiCall is one request of a function.
type apiCall struct {
	Op     string // "s3:PutBucketPolicy"
	Bucket string // of S3 calls
	Body   []byte // of calls of SNS and Security Hub
	Role   string // that is assumed, or with whose session the call is made; empty: none
}

// failure is what a call is answered with in place of moto's answer.
type failure struct {
	Status int
	Code   string
}

func startEmulator(python, dir string) (*emulator, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	e := &emulator{direct: "http://" + address, payers: map[string]string{}}
	e.proxy = httptest.NewUnstartedServer(e)
	// moto's state machines call other services through the proxy.
	_, proxyPort, _ := strings.Cut(e.proxy.Listener.Addr().String(), ":")
	env := append(os.Environ(), "PYTHONWARNINGS=ignore", "MOTO_PORT="+proxyPort)
	moto, err := startProcess(filepath.Join(dir, "moto.log"), address, env,
		python, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", port)
	if err != nil {
		return nil, err
	}
	e.moto = moto
	target, err := url.Parse(e.direct)
	if err != nil {
		return nil, err
	}
	e.forward = httputil.NewSingleHostReverseProxy(target)
	e.proxy.Start()
	return e, nil
}

// front is a proxy for one function alone. It asks of each call when it comes and,
// by what it is given then, when the call was made and the answer is to go back.
// Where there is nothing, or false, the function hears no answer.
func (e *emulator) front(comes func() (made func() bool)) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made := comes()
		if made == nil {
			panic(http.ErrAbortHandler)
		}
		answer := httptest.NewRecorder()
		// What was sent is done, whoever waits for it.
		e.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
		if !made() {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
}

func (e *emulator) stop() {
	e.proxy.Close()
	e.moto.stop()
}

// reset forgets everything, in moto and in the proxy.
func (e *emulator) reset() error {
	response, err := http.Post(e.direct+"/moto-api/reset", "", nil)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls, e.gaveUp, e.fault, e.status, e.hub, e.payers = nil, nil, nil, nil, nil, map[string]string{}
	return nil
}

// ServeHTTP answers a call of a function.
func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := identify(r, body)
	if strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXAMPLE/") {
		r.Header.Set(accountHeader, account) // of a role that was assumed moto knows whose it is
	}
	defer e.noteGivenUp(r.Context(), c)
	e.mu.Lock()
	hub := e.hub
	e.mu.Unlock()
	if hub != nil && hub.serve(e, w, r, &c, body) {
		return
	}
	e.mu.Lock()
	e.calls = append(e.calls, c)
	var fail *failure
	if e.fault != nil {
		fail = e.fault(c)
	}
	status := e.status
	e.mu.Unlock()
	switch {
	case fail != nil:
		refuse(w, r, *fail)
	case strings.HasSuffix(c.Op, "BucketRequestPayment"):
		e.servePayer(w, c, body)
	case c.Op == "cloudtrail:GetTrailStatus" && status != nil:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(status)
	case c.Op == "cloudtrail:DescribeTrails":
		e.serveTrails(w, r)
	case c.Op == "securityhub:BatchUpdateFindings": // the test sees what it says
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ProcessedFindings":[],"UnprocessedFindings":[]}`)
	case c.Op == "account:GetAccountInformation":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"AccountId":"`+account+`","AccountName":"acme-logging"}`)
	case c.Op == "account:ListRegions":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(describedRegions())
	case c.Op == "cloudtrail:GetEventConfiguration":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"MaxEventSize":"Standard"}`)
	default:
		e.forward.ServeHTTP(w, r)
	}
}

// enabledRegions are those of an account that has opted in to none.
func enabledRegions() []string {
	return strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 " +
		"ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2")
}

// describedRegions is how ListRegions, which moto does not have, tells of them.
func describedRegions() object {
	var regions []object
	for _, name := range enabledRegions() {
		regions = append(regions, object{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"})
	}
	return object{"Regions": regions}
}

// noteGivenUp notes a call whose answer nobody waits for any more.
func (e *emulator) noteGivenUp(ctx context.Context, c apiCall) {
	if ctx.Err() != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.gaveUp = append(e.gaveUp, c)
	}
}

// serveTrails answers with moto's trails, and says which of them have event selectors of
// their own: moto keeps the selectors and does not say it.
func (e *emulator) serveTrails(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	e.forward.ServeHTTP(answer, r)
	var trails struct {
		List []map[string]any `json:"trailList"`
	}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &trails) != nil {
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return
	}
	for _, t := range trails.List {
		var selectors struct{ EventSelectors, AdvancedEventSelectors []any }
		home := regexp.MustCompile(`cloudtrail:([^:]+):`).FindStringSubmatch(fmt.Sprint(t["TrailARN"]))
		out, err := callIn(r.Context(), home[1], "cloudtrail", "GetEventSelectors", object{"TrailName": t["TrailARN"]})
		if err == nil && json.Unmarshal(out, &selectors) == nil {
			t["HasCustomEventSelectors"] = len(selectors.EventSelectors)+len(selectors.AdvancedEventSelectors) > 0
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"trailList": trails.List})
}

// servePayer answers for Requester Pays, which moto does not have.
func (e *emulator) servePayer(w http.ResponseWriter, c apiCall, body []byte) {
	type configuration struct {
		XMLName xml.Name `xml:"RequestPaymentConfiguration"`
		Payer   string   `xml:"Payer"`
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.Op == "s3:PutBucketRequestPayment" {
		var in configuration
		if err := xml.Unmarshal(body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e.payers[c.Bucket] = in.Payer
		return
	}
	payer := e.payers[c.Bucket]
	if payer == "" {
		payer = "BucketOwner"
	}
	_ = xml.NewEncoder(w).Encode(configuration{Payer: payer})
}

// refuse answers with an error in the words of the service's protocol.
func refuse(w http.ResponseWriter, r *http.Request, f failure) {
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(f.Status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"injected by the test"}`, f.Code)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.Status)
	form := "<Error><Code>%s</Code><Message>injected by the test</Message></Error>"
	if serviceOf(r) != "s3" {
		form = "<ErrorResponse>" + form + "<RequestId>1</RequestId></ErrorResponse>"
	}
	_, _ = fmt.Fprintf(w, form, f.Code)
}

// serviceOf reads the service from the credential scope of the signature.
func serviceOf(r *http.Request) string {
	match := regexp.MustCompile(`Credential=[^/]+/[^/]+/[^/]+/([^/]+)/`).FindStringSubmatch(r.Header.Get("Authorization"))
	if match == nil {
		return ""
	}
	return match[1]
}

// identify says which operation a request is.
func identify(r *http.Request, body []byte) apiCall {
	service := serviceOf(r)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return apiCall{Op: service + ":" + target[strings.LastIndex(target, ".")+1:]}
	}
	if _, operation, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return apiCall{Op: service + ":" + operation}
	}
	switch r.URL.Path {
	case "/getAccountInformation":
		return apiCall{Op: service + ":GetAccountInformation"}
	case "/listRegions":
		return apiCall{Op: service + ":ListRegions"}
	case "/findings/import":
		return apiCall{Op: service + ":BatchImportFindings", Body: body}
	case "/findings/batchupdate":
		return apiCall{Op: service + ":BatchUpdateFindings", Body: body}
	}
	if service != "s3" {
		form, _ := url.ParseQuery(string(body))
		return apiCall{Op: service + ":" + form.Get("Action"), Body: body}
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	verb := map[string]string{"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head"}[r.Method]
	switch {
	case r.URL.Query().Has("policy"):
		verb += "BucketPolicy"
	case r.URL.Query().Has("encryption"):
		verb += "BucketEncryption"
	case r.URL.Query().Has("requestPayment"):
		verb += "BucketRequestPayment"
	case bucket == "":
		verb = "ListBuckets"
	default:
		verb += "Bucket"
	}
	return apiCall{Op: "s3:" + verb, Bucket: bucket}
}
