package awsfake

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Call is one request as it arrived.
type Call struct {
	Operation string // "s3:PutBucketPolicy"
	Region    string // for which it was signed
	Account   string // of the credentials
	Bucket    string
	Header    http.Header
	Body      []byte
}

// Fault is an answer in place of the true one.
type Fault struct {
	Status  int
	Code    string
	Message string
	Header  map[string]string
	// Drop closes the connection without an answer.
	Drop bool
	// Late lets the call take effect before the fault.
	Late bool
	// Hang waits so long before anything else.
	Hang time.Duration
}

// Server is the account. Its exported fields are set before the first call.
type Server struct {
	URL             string
	Account, Region string
	// Organization is the account's organization; nil: reading it is denied.
	Organization *trail.Organization
	// Members are the pages of the organization's accounts; nil: listing them is denied.
	Members [][]inventory.Member
	// RCPs are the organization's resource control policies; a page holds two. They may be listed
	// if the accounts may.
	RCPs []inventory.AttachedRCP
	// EnabledRegions are the regions that the account has enabled; nil: reading
	// them is denied. A page holds five.
	EnabledRegions []string
	// Name is the name of the account; empty: reading it is denied.
	Name string
	// Stacks are the pages of the stacks of each account, as CloudFormation describes them; an
	// account without an entry may not be asked.
	Stacks map[string][]string
	// Throttled says that BatchGetItem answers, and gives nothing each time.
	Throttled bool

	mu       sync.Mutex
	fail     func(Call) *Fault
	calls    []Call
	buckets  map[string]*Bucket
	trails   []*Trail
	messages []alert.Message
	items    map[itemKey]rawItem
	findings map[string]Finding
	keys     map[string]Key
	topics   map[string]trail.Topic
}

// New starts an account that ends with the test.
func New(t testing.TB, account, region string) *Server {
	t.Helper()
	s := &Server{
		Account: account, Region: region,
		Organization: &trail.Organization{Known: true},
		buckets:      make(map[string]*Bucket),
		items:        make(map[itemKey]rawItem),
		findings:     make(map[string]Finding),
		keys:         make(map[string]Key),
		topics:       make(map[string]trail.Topic),
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Config returns the configuration of an SDK client with credentials of the
// account, which does not wait long before it tries again.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: s.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: keyPrefix + s.Account, SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 10 * time.Millisecond })
		},
		BaseEndpoint: aws.String(s.URL),
	}
}

// keyPrefix and an account make an access key of the account.
const keyPrefix = "ASIA"

// Fail asks f at each call whether it is to fail; nil: it is not.
func (s *Server) Fail(f func(Call) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Calls returns the calls so far, in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Messages returns the messages that were published.
func (s *Server) Messages() []alert.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]alert.Message(nil), s.messages...)
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	call, service := read(r, body)
	s.mu.Lock()
	s.calls = append(s.calls, call)
	fail := s.fail
	s.mu.Unlock()
	var fault *Fault
	if fail != nil {
		fault = fail(call)
	}
	if fault == nil {
		s.answer(w, r, call, service)
		return
	}
	select {
	case <-time.After(fault.Hang):
	case <-r.Context().Done():
		return
	}
	if fault.Late {
		s.answer(httptest.NewRecorder(), r, call, service)
	}
	if fault.Drop {
		panic(http.ErrAbortHandler)
	}
	for name, value := range fault.Header {
		w.Header().Set(name, value)
	}
	writeError(w, r, service, fault.Status, fault.Code, fault.Message)
}

// read finds out what is called, from the signature, the target and the query.
func read(r *http.Request, body []byte) (call Call, service string) {
	call = Call{Header: r.Header.Clone(), Body: body}
	scope := regexp.MustCompile(`Credential=([^/]+)/[^/]+/([^/]+)/([^/]+)/`).FindStringSubmatch(r.Header.Get("Authorization"))
	if scope == nil {
		return call, ""
	}
	call.Account, call.Region, service = strings.TrimPrefix(scope[1], keyPrefix), scope[2], scope[3]
	switch service {
	case "s3":
		call.Bucket, _, _ = strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
		call.Operation = "s3:" + s3Operation(r, call.Bucket)
	case "account":
		call.Operation = "account:" + strings.ToUpper(r.URL.Path[1:2]) + r.URL.Path[2:]
	case "securityhub":
		call.Operation = map[string]string{
			"POST /findings/import":       "securityhub:BatchImportFindings",
			"PATCH /findings/batchupdate": "securityhub:BatchUpdateFindings",
		}[r.Method+" "+r.URL.Path]
	case "sns", "sts", "cloudformation":
		r.Body = io.NopCloser(bytes.NewReader(body))
		call.Operation = service + ":" + r.FormValue("Action")
	default:
		target := r.Header.Get("X-Amz-Target")
		call.Operation = service + ":" + target[strings.LastIndex(target, ".")+1:]
	}
	return call, service
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, call Call, service string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch service {
	case "s3":
		s.s3(w, r, call)
	case "cloudtrail":
		s.cloudtrail(w, r, call)
	case "dynamodb":
		s.dynamodb(w, r, call)
	case "organizations":
		s.organizations(w, r, call)
	case "account":
		if call.Operation == "account:GetAccountInformation" {
			s.accountInformation(w, r, call)
			return
		}
		s.listRegions(w, r, call)
	case "securityhub":
		s.securityHub(w, r, call)
	case "cloudformation":
		s.describeStacks(w, r, call)
	case "kms":
		s.kms(w, r, call)
	case "sns", "sts":
		s.query(w, r, call)
	default:
		writeError(w, r, service, http.StatusForbidden, "MissingAuthenticationToken", "the request is not signed")
	}
}
