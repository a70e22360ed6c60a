package awsfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// queryPage is how many items a query gives at once: pages are to be followed.
const queryPage = 2

const (
	// batchLimit is how many keys BatchGetItem takes, and batchPage how many items it
	// gives at once here.
	batchLimit = 100
	batchPage  = 60
	// itemLimit is how many bytes an item may have.
	itemLimit = 400 << 10
)

type itemKey struct{ pk, sk string }

// attribute is a value of an item, as it is on the wire.
type attribute struct {
	S *string `json:"S,omitempty"`
	N *string `json:"N,omitempty"`
	B []byte  `json:"B,omitempty"`
}

type rawItem map[string]json.RawMessage

func (it rawItem) text(name string) string {
	var a attribute
	if json.Unmarshal(it[name], &a) != nil {
		return ""
	}
	switch {
	case a.S != nil:
		return *a.S
	case a.N != nil:
		return *a.N
	}
	return ""
}

// size is how many bytes an item has: its names and values, as they are and not as JSON spells
// them. Source: "DynamoDB item sizes and formats" in the DynamoDB developer guide.
func (it rawItem) size() int {
	n := 0
	for name, value := range it {
		var a attribute
		if json.Unmarshal(value, &a) == nil {
			n += len(name) + len(it.text(name)) + len(a.B)
		}
	}
	return n
}

func (it rawItem) key() itemKey { return itemKey{it.text("pk"), it.text("sk")} }

type itemInput struct {
	Key, Item, ExpressionAttributeValues, ExclusiveStartKey rawItem
	ConditionExpression, KeyConditionExpression             string
	ScanIndexForward                                        bool
	RequestItems                                            map[string]batchKeys
}

type batchKeys struct {
	Keys           []rawItem
	ConsistentRead bool
}

func (s *Server) dynamodb(w http.ResponseWriter, r *http.Request, call Call) {
	var in itemInput
	if err := json.Unmarshal(call.Body, &in); err != nil {
		writeError(w, r, "dynamodb", http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	switch call.Operation {
	case "dynamodb:GetItem":
		out := map[string]any{}
		if it, ok := s.items[in.Key.key()]; ok {
			out["Item"] = it
		}
		writeJSON(w, http.StatusOK, out)
	case "dynamodb:BatchGetItem":
		s.batchGetItems(w, r, in)
	case "dynamodb:PutItem":
		if in.Item.size() > itemLimit {
			writeError(w, r, "dynamodb", http.StatusBadRequest, "ValidationException", "Item size has exceeded the maximum allowed size")
			return
		}
		old := s.items[in.Item.key()]
		if !holds(in, old) {
			w.Header().Set("X-Amzn-ErrorType", "ConditionalCheckFailedException")
			writeJSON(w, http.StatusBadRequest, map[string]any{
				"__type":  "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
				"message": "The conditional request failed", "Item": old,
			})
			return
		}
		s.items[in.Item.key()] = in.Item
		writeJSON(w, http.StatusOK, map[string]any{})
	case "dynamodb:Query":
		s.queryItems(w, in)
	default:
		writeError(w, r, "dynamodb", http.StatusBadRequest, "UnknownOperationException", call.Operation)
	}
}

// batchGetItems gives some of the items at once and names the rest, and refuses
// what DynamoDB refuses.
func (s *Server) batchGetItems(w http.ResponseWriter, r *http.Request, in itemInput) {
	found, left := map[string][]rawItem{}, map[string]batchKeys{}
	for table, asked := range in.RequestItems {
		seen := map[itemKey]bool{}
		for i, key := range asked.Keys {
			if seen[key.key()] || len(asked.Keys) > batchLimit {
				writeError(w, r, "dynamodb", http.StatusBadRequest, "ValidationException", "too many keys, or a key that is given twice")
				return
			}
			seen[key.key()] = true
			if i == batchPage || s.Throttled {
				left[table] = batchKeys{Keys: asked.Keys[i:], ConsistentRead: asked.ConsistentRead}
				break
			}
			if it, ok := s.items[key.key()]; ok {
				found[table] = append(found[table], it)
			}
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"Responses": found, "UnprocessedKeys": left})
}

// holds evaluates the two conditions that are in use.
func holds(in itemInput, old rawItem) bool {
	switch in.ConditionExpression {
	case "":
		return true
	case "attribute_not_exists(pk)":
		return old == nil
	case "version = :read":
		return old != nil && old.text("version") == in.ExpressionAttributeValues.text(":read")
	}
	return false
}

func (s *Server) queryItems(w http.ResponseWriter, in itemInput) {
	var keys []itemKey
	for k := range s.items {
		if k.pk == in.ExpressionAttributeValues.text(":pk") && strings.HasPrefix(k.sk, in.ExpressionAttributeValues.text(":prefix")) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b itemKey) int {
		if in.ScanIndexForward {
			return strings.Compare(a.sk, b.sk)
		}
		return strings.Compare(b.sk, a.sk)
	})
	from := 0
	if in.ExclusiveStartKey != nil {
		from = slices.Index(keys, in.ExclusiveStartKey.key()) + 1
	}
	to := min(from+queryPage, len(keys))
	items := []rawItem{}
	for _, k := range keys[from:to] {
		items = append(items, s.items[k])
	}
	out := map[string]any{"Items": items, "Count": len(items)}
	if to < len(keys) {
		last := s.items[keys[to-1]]
		out["LastEvaluatedKey"] = rawItem{"pk": last["pk"], "sk": last["sk"]}
	}
	writeJSON(w, http.StatusOK, out)
}
