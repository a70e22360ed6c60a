package awsapi

import (
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
)

// both runs two calls at once and returns their failures, joined.
func both(a, b func() error) error {
	var first, second error
	var wg sync.WaitGroup
	wg.Go(func() { second = b() })
	first = a()
	wg.Wait()
	return errors.Join(first, second)
}

// each runs a call for every item, a few at once, and returns the results in
// order and the failures, joined.
func each[In, Out any](items []In, atOnce int, call func(In) (Out, error)) ([]Out, error) {
	results, failures := make([]Out, len(items)), make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, item := range items {
		group.Go(func() error {
			results[i], failures[i] = call(item)
			return nil // each failure is kept, not only the first
		})
	}
	_ = group.Wait()
	return results, errors.Join(failures...)
}
