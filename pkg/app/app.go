package app

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithytime "github.com/aws/smithy-go/time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// LookupEnv looks up an environment variable, as os.LookupEnv does.
type LookupEnv func(string) (string, bool)

// Config is the configuration of the functions, read from the environment.
type Config struct {
	Guard guardrail.Config
	// Account and Region are where the functions run.
	Account  arn.Account
	Region   arn.Region
	TopicARN string
	// ChatTopicARN is a second topic that takes the alerts in the format for chats;
	// empty: there is none.
	ChatTopicARN string
	Table        string // empty: no memory
	// Runbook is the address that alerts give; empty: none.
	Runbook string
	// Role is the name of the role to assume in other accounts; empty: none. Restorer is that
	// of the role to assume where a bucket there is written to; empty: Role.
	Role, Restorer string
	// Organization says that the functions serve an organization, and not one account.
	Organization bool
	// Concurrency is how many environments of the function may run at once, which
	// share what CloudTrail allows; 0 is one.
	Concurrency int
	// Endpoint replaces the address of every AWS service; empty: AWS's own.
	Endpoint string
	// TrailsObject and OwnersObject hold the declared trails and the declared
	// owners of buckets, where these are too many for the environment. They are
	// read at the start (declared.go).
	TrailsObject, OwnersObject Object
	// AcceptedObject holds the weaknesses that are accepted; it is read at the start.
	AcceptedObject Object
}

// Session is how the command line reaches an account.
type Session struct {
	Profile, Region, Endpoint string
	Table                     string // empty: no memory
	TopicARN                  string // empty: the functions send the alerts
	// Role is the name of the role to assume in other accounts; empty: none.
	Role string
	// Organization says that all accounts of the organization are read, each at the rate
	// that it leaves to others.
	Organization bool
}

// Ports returns the ports of the guard, as AWS implements them. Alerts go to the
// topic, and for chats to the other, and the ledger is in the table; where a name is empty,
// the port is nil. Without a topic alerts wait in the ledger until a function sends them.
func Ports(clients *awsapi.Clients, topicARN, chatTopicARN, table string) (guardrail.Ports, error) {
	p := guardrail.Ports{
		Trails:        awsapi.NewTrails(clients),
		Buckets:       awsapi.NewBuckets(clients),
		Organizations: awsapi.NewOrganizations(clients, time.Now),
		Regions:       awsapi.NewRegions(clients),
		Accounts:      awsapi.NewAccounts(clients),
		Chain:         awsapi.NewChain(clients),
	}
	if table != "" {
		p.Ledger = awsapi.NewLedger(clients, table)
		p.Inventory = awsapi.NewInventory(clients, table, time.Now)
	}
	if topicARN == "" {
		return p, nil
	}
	alerts, err := awsapi.NewAlerts(clients, topicARN, chatTopicARN)
	if err != nil {
		return guardrail.Ports{}, err
	}
	p.Alerts = alerts
	return p, nil
}

// ofOrganization returns the ports of a guard that serves the organization of the caller.
func ofOrganization(p guardrail.Ports, clients *awsapi.Clients) guardrail.Ports {
	p.Members = awsapi.NewMembers(clients)
	p.RCPs = awsapi.NewMembers(clients)
	buckets := awsapi.NewBuckets(clients)
	p.Owners, p.Folders = buckets, buckets
	return p
}

// Runtime is the clock of a real run.
func Runtime(log *slog.Logger) guardrail.Runtime {
	return guardrail.Runtime{Now: time.Now, Sleep: smithytime.SleepWithContext, Log: log}
}

// clientsFor returns clients with the given credentials.
func clientsFor(c Config, credentials aws.CredentialsProvider) *awsapi.Clients {
	return awsapi.NewClients(awsapi.Options{
		Config:   aws.Config{Region: string(c.Region), Credentials: credentials},
		Account:  string(c.Account),
		Role:     c.Role,
		Restorer: c.Restorer,
		Endpoint: c.Endpoint,
		Sharing:  max(c.Concurrency, 1),
	})
}
