package awsapi

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A client is built once for each account, region and service.
func TestClientsAreKept(t *testing.T) {
	t.Parallel()
	c := NewClients(Options{Account: "111122223333", Role: "Trailwarden", Config: aws.Config{
		Region: "eu-west-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, nil
		}),
	}})
	own := c.S3("", "")
	for title, test := range map[string]struct {
		client S3API
		same   bool
	}{
		"the same, by name": {c.S3("111122223333", "eu-west-1"), true},
		"another region":    {c.S3("", "us-east-1"), false},
		"another account":   {c.S3("444455556666", ""), false},
	} {
		if (test.client == own) != test.same {
			t.Errorf("%s: kept is %v", title, !test.same)
		}
	}
	if c.S3("444455556666", "") != c.S3("444455556666", "eu-west-1") {
		t.Error("the client of another account is not kept")
	}
}
