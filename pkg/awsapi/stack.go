package awsapi

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Stacks finds stacks of this project with CloudFormation.
type Stacks struct{ clients *Clients }

var _ guardrail.Stacks = Stacks{}

// NewStacks returns a reader of stacks.
func NewStacks(c *Clients) Stacks { return Stacks{clients: c} }

// maxStackPages bounds how often the next page is asked for. An account has at most 2,000
// stacks in a region, unless AWS has raised that; a page has up to a hundred.
const maxStackPages = 200

// Stacks returns the stacks that have a guard and a sweep among their outputs. Only those of
// this project's template have both.
func (s Stacks) Stacks(ctx context.Context, account, region string) ([]guardrail.Stack, error) {
	const op = "cloudformation:DescribeStacks"
	if !s.clients.actsAs(account) { // the answer would be of the caller's own
		return nil, &guardrail.PortError{Op: op, Class: guardrail.Denied, Err: errNoRole}
	}
	client := s.clients.CloudFormation(account, region)
	var found []guardrail.Stack
	token := ""
	for range maxStackPages {
		page, next, err := client.DescribeStacks(ctx, token)
		if err != nil {
			return nil, failure(op, err)
		}
		for _, stack := range page {
			if stack.has("GuardFunction") && stack.has("SweepFunction") {
				found = append(found, guardrail.Stack{
					Name: stack.Name, Region: region, Table: stack.output("TableName"), Version: stack.output("Version"),
				})
			}
		}
		if token = next; token == "" {
			return found, nil
		}
	}
	return nil, &guardrail.PortError{Op: op, Class: guardrail.Transient, Err: fmt.Errorf("more than %d pages of stacks", maxStackPages)}
}

// DescribedStack is a stack as DescribeStacks describes it.
type DescribedStack struct {
	Name    string        `xml:"StackName"`
	Outputs []StackOutput `xml:"Outputs>member"`
}

// StackOutput is an output of a stack.
type StackOutput struct {
	Key   string `xml:"OutputKey"`
	Value string `xml:"OutputValue"`
}

func (s DescribedStack) has(key string) bool {
	return slices.ContainsFunc(s.Outputs, func(o StackOutput) bool { return o.Key == key })
}

// output is the value of an output, empty where there is none.
func (s DescribedStack) output(key string) string {
	for _, o := range s.Outputs {
		if o.Key == key {
			return o.Value
		}
	}
	return ""
}

// cloudFormationClient calls CloudFormation, which takes forms and gives XML.
// Source: the API reference of CloudFormation, DescribeStacks.
type cloudFormationClient struct{ cfg aws.Config }

func (c cloudFormationClient) DescribeStacks(ctx context.Context, token string) (stacks []DescribedStack, next string, err error) {
	in := url.Values{"Action": {"DescribeStacks"}, "Version": {"2010-05-15"}}
	if token != "" {
		in.Set("NextToken", token)
	}
	call := signedCall{
		service: "cloudformation", region: c.cfg.Region, path: "/", contentType: "application/x-www-form-urlencoded",
	}
	text, err := call.exchange(ctx, c.cfg, []byte(in.Encode()))
	if err != nil {
		return nil, "", err
	}
	var out struct {
		Stacks    []DescribedStack `xml:"DescribeStacksResult>Stacks>member"`
		NextToken string           `xml:"DescribeStacksResult>NextToken"`
	}
	if err := xml.Unmarshal(text, &out); err != nil {
		return nil, "", fmt.Errorf("read the answer: %w", err)
	}
	return out.Stacks, out.NextToken, nil
}
