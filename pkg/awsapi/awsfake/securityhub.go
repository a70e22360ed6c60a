package awsfake

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// Finding is a finding as Security Hub keeps it.
type Finding struct {
	ID         string `json:"Id"`
	ProductARN string `json:"ProductArn"`
	AccountID  string `json:"AwsAccountId"`
	Title      string
	UpdatedAt  time.Time
	Workflow   struct{ Status string }
}

// Findings returns the findings that were imported, by id.
func (s *Server) Findings() map[string]Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.findings)
}

// securityHub answers as Security Hub does: an update that is not newer is ignored, an import
// leaves the workflow of a finding that is there, and a finding of another account is refused
// in an answer that is a success.
// Source: "BatchImportFindings for finding providers" in the Security Hub CSPM user guide.
func (s *Server) securityHub(w http.ResponseWriter, r *http.Request, call Call) {
	type failed struct {
		ID           string `json:"Id,omitempty"`
		ErrorCode    string
		ErrorMessage string
	}
	switch call.Operation {
	case "securityhub:BatchImportFindings":
		var in struct{ Findings []Finding }
		if err := json.Unmarshal(call.Body, &in); err != nil || len(in.Findings) == 0 {
			writeError(w, r, "securityhub", http.StatusBadRequest, "InvalidInputException", "Invalid request.")
			return
		}
		failures := []failed{}
		for _, f := range in.Findings {
			kept, there := s.findings[f.ID]
			switch {
			case f.AccountID != call.Account:
				failures = append(failures, failed{f.ID, "InvalidInput", "AwsAccountId is not the caller's"})
			case there && !f.UpdatedAt.After(kept.UpdatedAt):
			case there:
				f.Workflow = kept.Workflow
				s.findings[f.ID] = f
			default:
				s.findings[f.ID] = f
			}
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"FailedCount": len(failures), "SuccessCount": len(in.Findings) - len(failures), "FailedFindings": failures,
		})
	case "securityhub:BatchUpdateFindings":
		var in struct {
			FindingIdentifiers []Finding
			Workflow           struct{ Status string }
		}
		if err := json.Unmarshal(call.Body, &in); err != nil || len(in.FindingIdentifiers) == 0 {
			writeError(w, r, "securityhub", http.StatusBadRequest, "InvalidInputException", "Invalid request.")
			return
		}
		failures := []failed{}
		for _, named := range in.FindingIdentifiers {
			f, there := s.findings[named.ID]
			if !there || f.ProductARN != named.ProductARN {
				failures = append(failures, failed{ErrorCode: "FindingNotFound", ErrorMessage: "Finding Not Found"})
				continue
			}
			f.Workflow = in.Workflow
			s.findings[f.ID] = f
		}
		writeJSON(w, http.StatusOK, map[string]any{"ProcessedFindings": []any{}, "UnprocessedFindings": failures})
	default:
		writeError(w, r, "securityhub", http.StatusNotFound, "ResourceNotFoundException", call.Operation)
	}
}
