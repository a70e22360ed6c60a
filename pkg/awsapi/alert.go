package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Alerts publishes to an SNS topic, and the form for a chat to another.
type Alerts struct {
	clients     *Clients
	topic, chat destination
}

// destination is a topic and where it is; empty: there is none.
type destination struct{ arn, region string }

var _ guardrail.Alerts = (*Alerts)(nil)

// NewAlerts returns a publisher to the topics of the given ARNs, of which that for chats may be
// empty. It publishes in the topics' regions, with the caller's own credentials.
func NewAlerts(c *Clients, topicARN, chatARN string) (*Alerts, error) {
	a := &Alerts{clients: c}
	var err error
	if a.topic, err = destinationOf(topicARN); err == nil && chatARN != "" {
		a.chat, err = destinationOf(chatARN)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

func destinationOf(topicARN string) (destination, error) {
	parsed, err := arn.Parse(topicARN)
	if err != nil || parsed.Service != "sns" || parsed.Region == "" {
		return destination{}, fmt.Errorf("%q is not the ARN of an SNS topic", topicARN)
	}
	return destination{topicARN, string(parsed.Region)}, nil
}

// Publish sends a message, without the attributes that have no value: SNS takes
// none. Where the second topic fails, the message is to be published again, to both: it may come
// twice, and never not at all.
func (a *Alerts) Publish(ctx context.Context, m alert.Message) error {
	if err := a.publish(ctx, a.topic, m, m.Body, m.JSON); err != nil || a.chat.arn == "" || m.Chat == "" {
		return err
	}
	return a.publish(ctx, a.chat, m, m.Chat, "")
}

// publish sends a body to all subscribers of a topic, and in its place another one to those
// that are functions, unless it is empty.
// Source: "Publishing an Amazon SNS message", "MessageStructure" of Publish in the API
// reference of SNS. SNS takes 256 KB in all; two alerts are less, escaped as they are here.
func (a *Alerts) publish(ctx context.Context, to destination, m alert.Message, body, forFunctions string) error {
	var structure *string
	if forFunctions != "" {
		var both bytes.Buffer
		encoder := json.NewEncoder(&both)
		encoder.SetEscapeHTML(false) // which would make six bytes of one
		if err := encoder.Encode(map[string]string{"default": body, "lambda": forFunctions}); err != nil {
			return fmt.Errorf("write the message: %w", err)
		}
		structure, body = aws.String("json"), both.String()
	}
	attributes := make(map[string]types.MessageAttributeValue, len(m.Attributes))
	for name, value := range m.Attributes {
		if value != "" {
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	_, err := a.clients.SNS("", to.region).Publish(ctx, &sns.PublishInput{
		TopicArn:          aws.String(to.arn),
		Subject:           aws.String(m.Subject),
		Message:           aws.String(body),
		MessageStructure:  structure,
		MessageAttributes: attributes,
	})
	return failure("sns:Publish", err)
}
