package awsapi

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/smithy-go/middleware"
)

// paced calls CloudTrail as so many processes do that share what it allows, for so
// long, and returns how often it was called in each second.
func paced(t *testing.T, sharing int, long time.Duration) (calls []int) {
	t.Helper()
	calls = make([]int, int(long/time.Second)+1)
	began := time.Now()
	var mu sync.Mutex
	answers := func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Answer", func(
			context.Context, middleware.FinalizeInput, middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			mu.Lock()
			defer mu.Unlock()
			calls[int(time.Since(began)/time.Second)]++
			return middleware.FinalizeOutput{Result: &cloudtrail.ListTrailsOutput{}}, middleware.Metadata{}, nil
		}), middleware.After)
	}
	for range sharing {
		client := NewClients(Options{Config: aws.Config{Region: "eu-west-1", Retryer: func() aws.Retryer { return aws.NopRetryer{} }}, Sharing: sharing}).
			CloudTrail("", "")
		go func() {
			ctx, cancel := context.WithDeadline(t.Context(), began.Add(long))
			defer cancel()
			for ctx.Err() == nil {
				if _, err := client.ListTrails(ctx, &cloudtrail.ListTrailsInput{}, func(o *cloudtrail.Options) {
					o.APIOptions = append(o.APIOptions, answers)
				}); err != nil {
					return // its time is up
				}
			}
		}()
	}
	time.Sleep(long + time.Second)
	synctest.Wait()
	return calls
}

// CloudTrail takes ten calls a second. However many processes there are, the others of the
// account keep more than half of that.
func TestPaceLeavesRoomForOthers(t *testing.T) {
	for _, sharing := range []int{1, 2, 4, 20} {
		synctest.Test(t, func(t *testing.T) {
			calls := paced(t, sharing, 20*time.Second)
			sum := 0
			for _, n := range calls[2:] { // after the first burst
				sum += n
			}
			if average := float64(sum) / 18; average > 5 || average < 2 {
				t.Errorf("%d processes make %.1f calls a second: %v", sharing, average, calls)
			}
			if first := calls[0]; first > 30 || sharing <= 4 && first > 12 {
				t.Errorf("%d processes make %d calls in the first second", sharing, first)
			}
		})
	}
}
