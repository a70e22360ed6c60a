package app

import (
	"encoding/json"
	"strconv"
	"time"
)

// record is one message of a batch that Lambda took from a queue.
// Source: "Using Lambda with Amazon SQS" of the Lambda developer guide.
type record struct {
	ID         string `json:"messageId"`
	Body       string `json:"body"`
	Attributes struct {
		Received string `json:"ApproximateReceiveCount"`
		Sent     string `json:"SentTimestamp"` // milliseconds
	} `json:"attributes"`
}

// sent is when the queue took the message; zero: it is not known.
func (r record) sent() time.Time {
	ms, err := strconv.ParseInt(r.Attributes.Sent, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// readBatch returns the records of a batch, and false for anything else: other lists
// of records, such as a log file of CloudTrail, have neither ids nor bodies. A record
// that is not as it should be is one without a body.
func readBatch(payload []byte) ([]record, bool) {
	var batch struct {
		Records    *[]json.RawMessage `json:"Records"`
		DetailType json.RawMessage    `json:"detail-type"` // of an EventBridge event
	}
	if err := json.Unmarshal(payload, &batch); err != nil || batch.Records == nil || batch.DetailType != nil {
		return nil, false
	}
	records := make([]record, len(*batch.Records))
	found := len(records) == 0
	for i, raw := range *batch.Records {
		if err := json.Unmarshal(raw, &records[i]); err != nil {
			records[i] = record{ID: records[i].ID}
		}
		found = found || records[i].ID != "" || records[i].Body != ""
	}
	return records, found
}

// batchAnswer names the records that are to be tried again. Lambda deletes the
// others. An empty or unknown id would make all of them come again.
type batchAnswer struct {
	Failures []batchFailure `json:"batchItemFailures"`
}

type batchFailure struct {
	ID string `json:"itemIdentifier"`
}
