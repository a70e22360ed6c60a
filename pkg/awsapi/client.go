package awsapi

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// SessionName is the name of the sessions in which roles of other accounts are
// assumed, and the application id that the SDK sends.
const SessionName = "trailwarden"

const (
	// attempts of one call. What still fails is returned to the caller, who knows
	// how much time remains.
	attempts   = 3
	maxBackoff = 2 * time.Second
	// callTimeout bounds one attempt, so that a lost connection does not use
	// up an invocation.
	callTimeout = 10 * time.Second
)

// Options say how AWS is reached.
type Options struct {
	// Config holds the region and the credentials of the caller.
	Config aws.Config
	// Account is the caller's account.
	Account string
	// Role is the name (with its path) of the role to assume in other
	// accounts; empty: the caller's own credentials are used everywhere.
	Role string
	// Restorer is that of the role to assume where a bucket of another account is
	// written to; empty: Role writes too.
	Restorer string
	// Endpoint replaces the address of every service; empty: AWS's own.
	Endpoint string
	// Sharing is how many processes like this one share what CloudTrail allows an
	// account in a region; 0: each call is made at once.
	Sharing int
}

// Clients keeps one SDK client for each account, region and service. It is
// safe for use by several goroutines.
type Clients struct {
	base     aws.Config
	account  string
	role     string
	restorer string
	custom   bool // the addresses are not AWS's own
	sharing  int

	mu      sync.Mutex
	configs map[roleKey]aws.Config
	kept    map[clientKey]any
}

type roleKey struct{ account, role string }

type clientKey struct {
	roleKey

	service, region string
}

// maxKept bounds the clients that are kept. Those of an account take some 10 KB, and an
// organization may have 10,000 accounts.
const maxKept = 2000

// NewClients returns clients that are built when they are first needed.
func NewClients(o Options) *Clients {
	cfg := o.Config.Copy()
	if o.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(o.Endpoint)
	}
	switch client := cfg.HTTPClient.(type) {
	case nil:
		cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout)
	case *awshttp.BuildableClient:
		cfg.HTTPClient = client.WithTimeout(callTimeout)
	}
	if cfg.Retryer == nil {
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = attempts
				o.MaxBackoff = maxBackoff
			})
		}
	}
	cfg.AppID = SessionName
	return &Clients{
		base:     cfg,
		account:  o.Account,
		role:     o.Role,
		restorer: cmp.Or(o.Restorer, o.Role),
		custom:   cfg.BaseEndpoint != nil,
		sharing:  o.Sharing,
		configs:  make(map[roleKey]aws.Config),
		kept:     make(map[clientKey]any),
	}
}

// Region returns the region in which the caller runs.
func (c *Clients) Region() string { return c.base.Region }

// S3 returns the client for an account and region. The account "" is the
// caller's own, the region "" the one in which it runs; so for all services.
func (c *Clients) S3(account, region string) S3API { return c.s3As(c.role, account, region) }

// RestoringS3 returns the client that may write to the buckets of an account, if the
// account lets anybody: who reads in other accounts has no right to write there.
func (c *Clients) RestoringS3(account, region string) S3API {
	return c.s3As(c.restorer, account, region)
}

func (c *Clients) s3As(role, account, region string) S3API {
	return clientAs(c, role, "s3", account, region, func(cfg aws.Config) S3API {
		return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = c.custom })
	})
}

// CloudTrail returns the client for an account and region.
func (c *Clients) CloudTrail(account, region string) CloudTrailAPI {
	return client(c, "cloudtrail", account, region, func(cfg aws.Config) CloudTrailAPI {
		return cloudtrail.NewFromConfig(cfg, func(o *cloudtrail.Options) {
			if c.sharing > 0 {
				o.APIOptions = append(o.APIOptions, newPace(c.sharing).each)
			}
		})
	})
}

// SNS returns the client for an account and region.
func (c *Clients) SNS(account, region string) SNSAPI {
	return client(c, "sns", account, region, func(cfg aws.Config) SNSAPI {
		return sns.NewFromConfig(cfg)
	})
}

// DynamoDB returns the client for an account and region.
func (c *Clients) DynamoDB(account, region string) DynamoDBAPI {
	return client(c, "dynamodb", account, region, func(cfg aws.Config) DynamoDBAPI {
		return dynamodb.NewFromConfig(cfg)
	})
}

// Organizations returns the client for an account.
func (c *Clients) Organizations(account string) OrganizationsAPI {
	return client(c, "organizations", account, "", func(cfg aws.Config) OrganizationsAPI {
		return organizationsClient{cfg}
	})
}

// Account returns the client of Account Management for an account.
func (c *Clients) Account(id string) AccountAPI {
	return client(c, "account", id, "", func(cfg aws.Config) AccountAPI {
		return accountClient{cfg}
	})
}

// CloudFormation returns the client for an account and region.
func (c *Clients) CloudFormation(account, region string) CloudFormationAPI {
	return client(c, "cloudformation", account, region, func(cfg aws.Config) CloudFormationAPI {
		return cloudFormationClient{cfg}
	})
}

// KMS returns the client for an account and region.
func (c *Clients) KMS(account, region string) KMSAPI {
	return client(c, "kms", account, region, func(cfg aws.Config) KMSAPI {
		return kmsClient{cfg}
	})
}

// STS returns the client for the caller's own account and region.
func (c *Clients) STS() STSAPI {
	return client(c, "sts", "", "", func(cfg aws.Config) STSAPI {
		return sts.NewFromConfig(cfg)
	})
}

// client returns the kept client that reads, or builds it.
func client[T any](c *Clients, service, account, region string, build func(aws.Config) T) T {
	return clientAs(c, c.role, service, account, region, build)
}

// clientAs returns the kept client that acts in another account by a role, or builds it.
func clientAs[T any](c *Clients, role, service, account, region string, build func(aws.Config) T) T {
	if account == "" {
		account = c.account
	}
	if region == "" {
		region = c.base.Region
	}
	as := roleKey{account, role}
	if c.ownCredentials(account) {
		as.role = ""
	}
	cfg := c.config(as)
	key := clientKey{as, service, region}
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.kept[key].(T); ok {
		return kept
	}
	if len(c.kept) >= maxKept {
		clear(c.kept)
		clear(c.configs)
	}
	cfg.Region = region
	built := build(cfg)
	c.kept[key] = built
	return built
}

// config returns the configuration with the credentials of a role in an account; no
// role: the caller's own.
func (c *Clients) config(as roleKey) aws.Config {
	if as.role == "" {
		return c.base.Copy()
	}
	client := c.STS()
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg, ok := c.configs[as]; ok {
		return cfg.Copy()
	}
	cfg := c.base.Copy()
	role := arn.ARN{
		Partition: arn.Region(cfg.Region).Partition(), Service: "iam", Account: arn.Account(as.account),
		Resource: "role/" + strings.TrimPrefix(as.role, "/"),
	}
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, role.String(), func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = SessionName
	}))
	c.configs[as] = cfg
	return cfg.Copy()
}

// ownCredentials reports whether the account is reached with the caller's own
// credentials.
func (c *Clients) ownCredentials(account string) bool {
	return account == "" || account == c.account || c.role == ""
}

// actsAs reports whether calls for the account are made by the account itself.
func (c *Clients) actsAs(account string) bool {
	return account == c.account || !c.ownCredentials(account)
}

// Caller returns the account and the ARN of the caller.
func (c *Clients) Caller(ctx context.Context) (account, principal string, err error) {
	out, err := c.STS().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", failure("sts:GetCallerIdentity", err)
	}
	return aws.ToString(out.Account), aws.ToString(out.Arn), nil
}
