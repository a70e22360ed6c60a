package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
)

// writeError writes a failure in the service's own form.
func writeError(w http.ResponseWriter, r *http.Request, service string, status int, code, message string) {
	switch service {
	case "s3":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, escaped(message))
		}
	case "sns", "sts", "cloudformation":
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>",
			code, escaped(message))
	default:
		w.Header().Set("X-Amzn-ErrorType", code)
		writeJSON(w, status, map[string]any{"__type": code, "message": message})
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func writeXML(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(v)
}

func escaped(s string) string {
	text, err := xml.Marshal(s)
	if err != nil {
		return ""
	}
	// Marshal wraps the text in an element.
	return string(text[len("<string>") : len(text)-len("</string>")])
}
