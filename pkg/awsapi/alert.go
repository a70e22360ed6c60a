package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Alerts publishes to an SNS topic.
type Alerts struct {
	clients *Clients
	topic   string
	region  string
}

var _ guardrail.Alerts = (*Alerts)(nil)

// NewAlerts returns a publisher to the topic of the given ARN. It publishes in
// the topic's region, with the caller's own credentials.
func NewAlerts(c *Clients, topicARN string) (*Alerts, error) {
	parsed, err := arn.Parse(topicARN)
	if err != nil || parsed.Service != "sns" || parsed.Region == "" {
		return nil, fmt.Errorf("%q is not the ARN of an SNS topic", topicARN)
	}
	return &Alerts{clients: c, topic: topicARN, region: string(parsed.Region)}, nil
}

// Publish sends a message, without the attributes that have no value: SNS takes
// none.
func (a *Alerts) Publish(ctx context.Context, m alert.Message) error {
	attributes := make(map[string]types.MessageAttributeValue, len(m.Attributes))
	for name, value := range m.Attributes {
		if value != "" {
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	_, err := a.clients.SNS("", a.region).Publish(ctx, &sns.PublishInput{
		TopicArn:          aws.String(a.topic),
		Subject:           aws.String(m.Subject),
		Message:           aws.String(m.Body),
		MessageAttributes: attributes,
	})
	return failure("sns:Publish", err)
}
