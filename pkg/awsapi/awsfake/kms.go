package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Key is a KMS key.
type Key struct {
	trail.Key

	Policy string
	Alias  string // "alias/…"; empty: none
}

// PutKey makes a key, or makes it anew.
func (s *Server) PutKey(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ARN] = k
}

// PutTopic makes a topic, or makes it anew.
func (s *Server) PutTopic(t trail.Topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[t.ARN] = t
}

// kms answers for keys of the region: by their ARN, and to DescribeKey by an alias too. The
// policy of a key is read in its own account only.
func (s *Server) kms(w http.ResponseWriter, r *http.Request, call Call) {
	var in struct {
		Key        string `json:"KeyId"`
		PolicyName string
	}
	if err := json.Unmarshal(call.Body, &in); err != nil {
		writeError(w, r, "kms", http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	for _, k := range s.keys {
		a := arn.Split(k.ARN)
		if string(a.Region) != call.Region || in.Key != k.ARN && (k.Alias == "" || in.Key != k.Alias) {
			continue
		}
		switch {
		case call.Operation == "kms:DescribeKey":
			writeJSON(w, http.StatusOK, map[string]any{"KeyMetadata": map[string]any{
				"Arn": k.ARN, "KeyState": k.State, "KeySpec": k.Spec, "KeyUsage": k.Usage, "KeyManager": k.Manager,
				"Origin": k.Origin, "MultiRegion": k.MultiRegion == "true",
			}})
		case in.PolicyName == "default" && strings.HasPrefix(in.Key, "arn:") && string(a.Account) == call.Account:
			writeJSON(w, http.StatusOK, map[string]any{"Policy": k.Policy, "PolicyName": "default"})
		default:
			writeError(w, r, "kms", http.StatusBadRequest, "AccessDeniedException", "not authorized to perform: "+call.Operation)
		}
		return
	}
	writeError(w, r, "kms", http.StatusBadRequest, "NotFoundException", "Key '"+in.Key+"' does not exist")
}

type topicAttributes struct {
	XMLName xml.Name         `xml:"GetTopicAttributesResponse"`
	Entries []topicAttribute `xml:"GetTopicAttributesResult>Attributes>entry"`
}

type topicAttribute struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (s *Server) topicAttributes(w http.ResponseWriter, r *http.Request, call Call) {
	t, ok := s.topics[r.FormValue("TopicArn")]
	if !ok || string(arn.Split(t.ARN).Region) != call.Region {
		writeError(w, r, "sns", http.StatusNotFound, "NotFound", "Topic does not exist")
		return
	}
	out := topicAttributes{Entries: []topicAttribute{{"TopicArn", t.ARN}, {"Policy", t.Policy}}}
	if t.KMSKeyID != "" {
		out.Entries = append(out.Entries, topicAttribute{"KmsMasterKeyId", t.KMSKeyID})
	}
	writeXML(w, out)
}
