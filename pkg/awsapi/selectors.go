package awsapi

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The forms of PutEventSelectors. The SDK's types have no JSON names, and PutEventSelectors
// takes no null.
type (
	eventSelectors struct {
		Basic    []eventSelector         `json:"EventSelectors,omitempty"`
		Advanced []advancedEventSelector `json:"AdvancedEventSelectors,omitempty"`
	}
	eventSelector struct {
		ReadWriteType                 string         `json:",omitempty"`
		IncludeManagementEvents       *bool          `json:",omitempty"`
		DataResources                 []dataResource `json:",omitempty"`
		ExcludeManagementEventSources []string       `json:",omitempty"`
	}
	dataResource struct {
		Type   string
		Values []string
	}
	advancedEventSelector struct {
		Name           string          `json:",omitempty"`
		FieldSelectors []fieldSelector `json:",omitempty"`
	}
	fieldSelector struct {
		Field         string
		Equals        []string `json:",omitempty"`
		StartsWith    []string `json:",omitempty"`
		EndsWith      []string `json:",omitempty"`
		NotEquals     []string `json:",omitempty"`
		NotStartsWith []string `json:",omitempty"`
		NotEndsWith   []string `json:",omitempty"`
	}
)

// selectorsText is a trail's event selectors as PutEventSelectors takes them; empty: they are too
// long to be remembered.
func selectorsText(out *cloudtrail.GetEventSelectorsOutput) string {
	var s eventSelectors
	for _, b := range out.EventSelectors {
		selector := eventSelector{
			ReadWriteType: string(b.ReadWriteType), IncludeManagementEvents: b.IncludeManagementEvents,
			ExcludeManagementEventSources: b.ExcludeManagementEventSources,
		}
		for _, r := range b.DataResources {
			selector.DataResources = append(selector.DataResources, dataResource{aws.ToString(r.Type), r.Values})
		}
		s.Basic = append(s.Basic, selector)
	}
	for _, a := range out.AdvancedEventSelectors {
		selector := advancedEventSelector{Name: aws.ToString(a.Name)}
		for _, f := range a.FieldSelectors {
			selector.FieldSelectors = append(selector.FieldSelectors, fieldSelector{
				Field: aws.ToString(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		s.Advanced = append(s.Advanced, selector)
	}
	text, err := json.Marshal(s)
	stored, storedErr := json.Marshal(string(text)) // as a record has it
	if err != nil || storedErr != nil || len(stored) > trail.MaxSelectors || len(s.Basic)+len(s.Advanced) == 0 {
		return ""
	}
	return string(text)
}
