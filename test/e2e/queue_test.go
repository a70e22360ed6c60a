package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The names of the queues in the tests, by their resources in the template.
const (
	eventsQueue = "events"
	failedQueue = "failed-events"
)

// mapping does what Lambda's event source mapping does with the queue of the
// template: it takes batches, hands them to as many environments as it may, and
// deletes what they do not want again. The emulator's own needs Docker.
//
// Source: "Using Lambda with Amazon SQS" of the Lambda developer guide.
type mapping struct {
	batch        int // records of a batch at most
	environments int // at once at most
	receives     int // of a record, before it goes to the dead-letter queue
}

// theMapping reads the mapping and the queue from the template.
func theMapping(t *testing.T) mapping {
	t.Helper()
	s := newStack(t, nil)
	m := s.properties("GuardFunctionQueue")
	if types := list(m["FunctionResponseTypes"]); len(types) != 1 || types[0] != "ReportBatchItemFailures" {
		t.Fatalf("the mapping takes no partial failures: %v", m)
	}
	return mapping{
		batch:        int(m["BatchSize"].(float64)),
		environments: atoi(t, m["ScalingConfig"].(object)["MaximumConcurrency"]),
		receives:     atoi(t, s.properties("Events")["RedrivePolicy"].(object)["maxReceiveCount"]),
	}
}

func atoi(t *testing.T, v any) int {
	t.Helper()
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// createQueues makes the queue of the events with its dead-letter queue, as the
// template has them but for the visibility timeout in seconds.
func createQueues(t *testing.T, visibility int) {
	t.Helper()
	createQueue(t, failedQueue)
	redrive := encode(t, object{
		"deadLetterTargetArn": "arn:aws:sqs:" + region + ":" + account + ":" + failedQueue, "maxReceiveCount": theMapping(t).receives,
	})
	ask(t, "sqs", "CreateQueue", object{"QueueName": eventsQueue, "Attributes": object{
		"VisibilityTimeout": strconv.Itoa(visibility), "RedrivePolicy": string(redrive),
	}})
}

func queueURL(name string) string {
	return fmt.Sprintf("%s/%s/%s", shared.aws.direct, account, name)
}

// message is a message as SQS gives it out.
type message struct {
	MessageID     string `json:"MessageId"`
	ReceiptHandle string
	Body, MD5     string
	Attributes    map[string]string
}

// comesAfter sets after how many seconds the message is seen again.
func (m message) comesAfter(t *testing.T, seconds int) {
	t.Helper()
	ask(t, "sqs", "ChangeMessageVisibility", object{
		"QueueUrl": queueURL(eventsQueue), "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": seconds,
	})
}

// receive takes at most n messages out of the events' queue.
func receive(ctx context.Context, n int) ([]message, error) {
	var out struct{ Messages []message }
	text, err := call(ctx, "sqs", "ReceiveMessage", object{
		"QueueUrl": queueURL(eventsQueue), "MaxNumberOfMessages": n, "WaitTimeSeconds": 0, "AttributeNames": []string{"All"},
	})
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out.Messages, err
}

// batchOf is the payload that Lambda makes of messages.
func batchOf(messages []message) ([]byte, error) {
	records := make([]object, len(messages))
	for i, m := range messages {
		records[i] = object{
			"messageId": m.MessageID, "receiptHandle": m.ReceiptHandle, "body": m.Body, "attributes": m.Attributes,
			"messageAttributes": object{}, "eventSource": "aws:sqs", "awsRegion": region,
			"eventSourceARN": "arn:aws:sqs:" + region + ":" + account + ":" + eventsQueue,
		}
	}
	return json.Marshal(object{"Records": records})
}

// poll takes one batch and hands it to an environment. It returns the records, and
// those of them that stay in the queue: they are not seen again before the
// visibility timeout.
func (m mapping) poll(ctx context.Context, f *function) (taken, kept []message, err error) {
	taken, err = receive(ctx, m.batch)
	if err != nil || len(taken) == 0 {
		return nil, nil, err
	}
	// A standard queue keeps no order.
	rand.Shuffle(len(taken), func(i, j int) { taken[i], taken[j] = taken[j], taken[i] })
	payload, err := batchOf(taken)
	if err != nil {
		return nil, nil, err
	}
	body, err := f.post(payload)
	if err != nil {
		return nil, nil, err
	}
	keep, err := failures(taken, body)
	if err != nil {
		return nil, nil, err
	}
	var done []object
	for _, message := range taken {
		if keep[message.MessageID] {
			kept = append(kept, message)
			continue
		}
		done = append(done, object{"Id": message.MessageID, "ReceiptHandle": message.ReceiptHandle})
	}
	if len(done) > 0 {
		_, err = call(ctx, "sqs", "DeleteMessageBatch", object{"QueueUrl": queueURL(eventsQueue), "Entries": done})
	}
	return taken, kept, err
}

// failures reads an answer as Lambda does: a function that failed wants all
// records again. An answer that Lambda would take for that by mistake is an error.
func failures(messages []message, body []byte) (map[string]bool, error) {
	keep := map[string]bool{}
	for _, m := range messages {
		keep[m.MessageID] = true
	}
	var answer struct {
		ErrorType string `json:"errorType"`
		Failures  *[]struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(body) == 0 {
		return keep, nil // it did not start; the runtime emulator has no answer then
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("answer %q: %w", body, err)
	}
	if answer.ErrorType != "" {
		return keep, nil
	}
	if answer.Failures == nil {
		return nil, fmt.Errorf("answer %q has no batchItemFailures", body)
	}
	named := map[string]bool{}
	for _, failure := range *answer.Failures {
		if !keep[failure.ID] {
			return nil, fmt.Errorf("answer %q names a record that was not in the batch", body)
		}
		named[failure.ID] = true
	}
	return named, nil
}

// drain lets the environments work until the queue is empty, each at its own batch.
// It returns how often a record had to stay, and the most records of a batch.
func (m mapping) drain(t *testing.T, environments []*function) (again, most int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	work := func(f *function) error {
		for {
			taken, kept, err := m.poll(t.Context(), f)
			if err != nil {
				return err
			}
			mu.Lock()
			again, most = again+len(kept), max(most, len(taken))
			mu.Unlock()
			if len(taken) > 0 {
				continue
			}
			if left, err := waiting(t.Context(), eventsQueue); err != nil || left == 0 {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	for _, f := range environments {
		all.Go(func() {
			if err := work(f); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return again, most
}

// waiting is how many messages are in a queue, those that are not visible too.
func waiting(ctx context.Context, queue string) (int, error) {
	text, err := call(ctx, "sqs", "GetQueueAttributes", object{"QueueUrl": queueURL(queue), "AttributeNames": []string{"All"}})
	if err != nil {
		return 0, err
	}
	var out struct{ Attributes map[string]string }
	if err := json.Unmarshal(text, &out); err != nil {
		return 0, err
	}
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		count, err := strconv.Atoi(out.Attributes[name])
		if err != nil {
			return 0, fmt.Errorf("%s of %s: %w", name, queue, err)
		}
		n += count
	}
	return n, nil
}

// fills puts events into the queue, as the rules do, ten at a time.
func fills(t *testing.T, events [][]byte) {
	t.Helper()
	for first := 0; first < len(events); first += 10 {
		var entries []object
		for i, event := range events[first:min(first+10, len(events))] {
			entries = append(entries, object{"Id": strconv.Itoa(i), "MessageBody": string(event)})
		}
		ask(t, "sqs", "SendMessageBatch", object{"QueueUrl": queueURL(eventsQueue), "Entries": entries})
	}
}
