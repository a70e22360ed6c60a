package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxPolicySize is S3's limit for a bucket policy, in bytes.
const maxPolicySize = 20480

// Bucket is a bucket of any account.
type Bucket struct {
	Name, Owner, Region string
	Policy              string // empty: none
	Payer               string // empty: BucketOwner
	BucketKeys          string // "on" or "off"; empty: there is no default encryption
	// Denied says that the bucket's policy lets nobody read or write it.
	Denied bool
	// Objects are the objects by key.
	Objects map[string]string
}

// PutBucket makes a bucket, or makes it anew. Owner and region default to the
// account's.
func (s *Server) PutBucket(b Bucket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Owner == "" {
		b.Owner = s.Account
	}
	if b.Region == "" {
		b.Region = s.Region
	}
	if b.Payer == "" {
		b.Payer = "BucketOwner"
	}
	s.buckets[b.Name] = &b
}

// Bucket returns a bucket as it is.
func (s *Server) Bucket(name string) Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		return *b
	}
	return Bucket{}
}

func s3Operation(r *http.Request, bucket string) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodHead:
		return "HeadBucket"
	case bucket == "":
		return "ListBuckets"
	case query.Has("requestPayment"):
		return verb(r.Method) + "BucketRequestPayment"
	case query.Has("encryption"):
		return verb(r.Method) + "BucketEncryption"
	case query.Has("policy"):
		return verb(r.Method) + "BucketPolicy"
	case query.Get("list-type") == "2":
		return "ListObjectsV2"
	case r.Method == http.MethodGet && strings.Count(strings.Trim(r.URL.Path, "/"), "/") > 0:
		return "GetObject"
	}
	return r.Method
}

func verb(method string) string {
	return method[:1] + strings.ToLower(method[1:])
}

func (s *Server) s3(w http.ResponseWriter, r *http.Request, call Call) {
	if call.Operation == "s3:ListBuckets" {
		s.listBuckets(w, r, call)
		return
	}
	b := s.buckets[call.Bucket]
	switch {
	case b == nil:
		writeError(w, r, "s3", http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	case b.Region != call.Region:
		w.Header().Set("X-Amz-Bucket-Region", b.Region)
		writeError(w, r, "s3", http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket you are attempting to access must be addressed using the specified endpoint.")
		return
	}
	w.Header().Set("X-Amz-Bucket-Region", b.Region)
	expected := r.Header.Get("X-Amz-Expected-Bucket-Owner")
	switch {
	case b.Denied, expected != "" && expected != b.Owner:
		writeError(w, r, "s3", http.StatusForbidden, "AccessDenied", "Access Denied")
	case call.Account != b.Owner:
		status, code := http.StatusMethodNotAllowed, "MethodNotAllowed"
		if call.Operation == "s3:HeadBucket" {
			status, code = http.StatusForbidden, "AccessDenied"
		}
		writeError(w, r, "s3", status, code, "The specified method is not allowed against this resource.")
	default:
		bucketCall(w, r, call, b)
	}
}

func bucketCall(w http.ResponseWriter, r *http.Request, call Call, b *Bucket) {
	switch call.Operation {
	case "s3:HeadBucket":
	case "s3:GetObject":
		_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		text, ok := b.Objects[key]
		if !ok {
			writeError(w, r, "s3", http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			return
		}
		_, _ = w.Write([]byte(text))
	case "s3:ListObjectsV2":
		listFolders(w, r, b)
	case "s3:GetBucketPolicy":
		if b.Policy == "" {
			writeError(w, r, "s3", http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
			return
		}
		_, _ = w.Write([]byte(b.Policy))
	case "s3:PutBucketPolicy":
		if reason := malformed(call.Body); reason != "" {
			writeError(w, r, "s3", http.StatusBadRequest, "MalformedPolicy", reason)
			return
		}
		b.Policy = string(call.Body)
		w.WriteHeader(http.StatusNoContent)
	case "s3:DeleteBucketPolicy":
		b.Policy = ""
		w.WriteHeader(http.StatusNoContent)
	case "s3:GetBucketEncryption":
		if b.BucketKeys == "" {
			writeError(w, r, "s3", http.StatusNotFound, "ServerSideEncryptionConfigurationNotFoundError",
				"The server side encryption configuration was not found")
			return
		}
		writeXML(w, encryption{Enabled: b.BucketKeys == "on"})
	case "s3:GetBucketRequestPayment":
		writeXML(w, payment{Payer: b.Payer})
	case "s3:PutBucketRequestPayment":
		var p payment
		if err := xml.Unmarshal(call.Body, &p); err != nil {
			writeError(w, r, "s3", http.StatusBadRequest, "MalformedXML", err.Error())
			return
		}
		b.Payer = p.Payer
	default:
		writeError(w, r, "s3", http.StatusNotImplemented, "NotImplemented", call.Operation)
	}
}

type folderList struct {
	XMLName   xml.Name `xml:"ListBucketResult"`
	Truncated bool     `xml:"IsTruncated"`
	Next      string   `xml:"NextContinuationToken,omitempty"`
	Folders   []folder `xml:"CommonPrefixes"`
}

type folder struct {
	Prefix string `xml:"Prefix"`
}

// listFolders lists the folders under a prefix, of the objects' keys. The token is the last name of the page
// before.
func listFolders(w http.ResponseWriter, r *http.Request, b *Bucket) {
	query := r.URL.Query()
	size, err := strconv.Atoi(query.Get("max-keys"))
	if err != nil || query.Get("delimiter") != "/" {
		writeError(w, r, "s3", http.StatusNotImplemented, "NotImplemented", "only folders are listed")
		return
	}
	found := map[string]bool{}
	for key := range b.Objects {
		rest, under := strings.CutPrefix(key, query.Get("prefix"))
		if name, _, inFolder := strings.Cut(rest, "/"); under && inFolder {
			found[query.Get("prefix")+name+"/"] = true
		}
	}
	var list folderList
	for _, prefix := range slices.Sorted(maps.Keys(found)) {
		if prefix <= query.Get("continuation-token") {
			continue
		}
		if len(list.Folders) == size {
			list.Truncated, list.Next = true, list.Folders[size-1].Prefix
			break
		}
		list.Folders = append(list.Folders, folder{prefix})
	}
	writeXML(w, list)
}

type encryption struct {
	XMLName xml.Name `xml:"ServerSideEncryptionConfiguration"`
	Enabled bool     `xml:"Rule>BucketKeyEnabled"`
}

type payment struct {
	XMLName xml.Name `xml:"RequestPaymentConfiguration"`
	Payer   string   `xml:"Payer"`
}

// malformed says what S3 would refuse, as far as the tests need it.
func malformed(text []byte) string {
	if len(text) > maxPolicySize {
		return "Policy exceeds the maximum allowed document size."
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(text, &document); err != nil {
		return "Policies must be valid JSON and the first byte must be '{'"
	}
	if _, ok := document["Statement"]; !ok {
		return "Missing required field Statement"
	}
	return ""
}

type bucketList struct {
	XMLName xml.Name      `xml:"ListAllMyBucketsResult"`
	Buckets []bucketEntry `xml:"Buckets>Bucket"`
}

type bucketEntry struct {
	Name string `xml:"Name"`
}

func (s *Server) listBuckets(w http.ResponseWriter, r *http.Request, call Call) {
	var list bucketList
	for name, b := range s.buckets {
		if b.Owner == call.Account && strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
			list.Buckets = append(list.Buckets, bucketEntry{name})
		}
	}
	writeXML(w, list)
}
