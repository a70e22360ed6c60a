package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// WithSelectors returns the trails with what the AWS CLI prints of one trail's
// event selectors: the output of "aws cloudtrail get-event-selectors",
// "get-insight-selectors" or "get-event-configuration". Several outputs may
// follow one another. The error is one line that says what was expected.
//
// An output belongs to the trail whose ARN it names, and to the only trail if it
// names none.
// Sources: the API reference of AWS CloudTrail, GetEventSelectors,
// GetInsightSelectors and GetEventConfiguration.
func WithSelectors(trails []Trail, text []byte) ([]Trail, error) {
	trails = slices.Clone(trails)
	outputs := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for n := 0; ; n++ {
		var out selectors
		err := outputs.Decode(&out)
		if errors.Is(err, io.EOF) && n > 0 {
			return trails, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not JSON (%w); %s", err, expectedSelectors)
		}
		i := slices.IndexFunc(trails, func(t Trail) bool { return t.ARN == out.TrailARN })
		switch {
		case out.TrailARN == "" && len(trails) == 1:
			i = 0
		case out.TrailARN == "":
			return nil, errors.New("no TrailARN in it, and there is more than one trail; " + expectedSelectors)
		case i < 0:
			return nil, fmt.Errorf("it is about %s, which is none of the trails; %s of one of them", quoted(out.TrailARN), expectedSelectors)
		}
		if err := out.apply(&trails[i]); err != nil {
			return nil, err
		}
	}
}

const expectedSelectors = `expected the output of "aws cloudtrail get-event-selectors", get-insight-selectors or get-event-configuration`

// selectors is any of the three outputs.
type selectors struct {
	TrailARN                  string
	EventSelectors            *[]BasicSelector
	AdvancedEventSelectors    *[]AdvancedSelector
	InsightSelectors          *[]json.RawMessage
	MaxEventSize              string
	AggregationConfigurations *[]struct{ Templates []json.RawMessage }
}

func (s selectors) apply(t *Trail) error {
	switch {
	case s.EventSelectors != nil || s.AdvancedEventSelectors != nil:
		var all Selectors
		if s.EventSelectors != nil {
			all.Basic = *s.EventSelectors
		}
		if s.AdvancedEventSelectors != nil {
			all.Advanced = *s.AdvancedEventSelectors
		}
		t.SelectorsKnown, t.NetworkActivity, t.Unlogged = true, all.NetworkActivity(), all.Unlogged()
	case s.InsightSelectors != nil:
		t.InsightSelectors = len(*s.InsightSelectors) > 0
	case s.AggregationConfigurations != nil || s.MaxEventSize != "":
		t.Aggregated, t.ConfigurationKnown = false, true
		if s.AggregationConfigurations == nil {
			return nil
		}
		for _, c := range *s.AggregationConfigurations {
			t.Aggregated = t.Aggregated || len(c.Templates) > 0
		}
	default:
		return errors.New("no EventSelectors, AdvancedEventSelectors, InsightSelectors or AggregationConfigurations in it; " + expectedSelectors)
	}
	return nil
}
