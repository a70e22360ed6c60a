package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/trailwarden/trailwarden/pkg/asff"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// S3API is what is called of Amazon S3.
type S3API interface {
	GetBucketPolicy(context.Context, *s3.GetBucketPolicyInput, ...func(*s3.Options)) (*s3.GetBucketPolicyOutput, error)
	PutBucketPolicy(context.Context, *s3.PutBucketPolicyInput, ...func(*s3.Options)) (*s3.PutBucketPolicyOutput, error)
	DeleteBucketPolicy(context.Context, *s3.DeleteBucketPolicyInput, ...func(*s3.Options)) (*s3.DeleteBucketPolicyOutput, error)
	GetBucketRequestPayment(context.Context, *s3.GetBucketRequestPaymentInput, ...func(*s3.Options)) (*s3.GetBucketRequestPaymentOutput, error)
	PutBucketRequestPayment(context.Context, *s3.PutBucketRequestPaymentInput, ...func(*s3.Options)) (*s3.PutBucketRequestPaymentOutput, error)
	HeadBucket(context.Context, *s3.HeadBucketInput, ...func(*s3.Options)) (*s3.HeadBucketOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	GetBucketEncryption(context.Context, *s3.GetBucketEncryptionInput, ...func(*s3.Options)) (*s3.GetBucketEncryptionOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	ListBuckets(context.Context, *s3.ListBucketsInput, ...func(*s3.Options)) (*s3.ListBucketsOutput, error)
}

// CloudTrailAPI is what is called of AWS CloudTrail.
type CloudTrailAPI interface {
	ListTrails(context.Context, *cloudtrail.ListTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.ListTrailsOutput, error)
	DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error)
	GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error)
	GetEventSelectors(
		context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options),
	) (*cloudtrail.GetEventSelectorsOutput, error)
	GetEventConfiguration(
		context.Context, *cloudtrail.GetEventConfigurationInput, ...func(*cloudtrail.Options),
	) (*cloudtrail.GetEventConfigurationOutput, error)
}

// SNSAPI is what is called of Amazon SNS.
type SNSAPI interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
	GetTopicAttributes(context.Context, *sns.GetTopicAttributesInput, ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error)
}

// KMSAPI is what is called of AWS KMS.
type KMSAPI interface {
	// DescribeKey returns a key, by its ARN, or by an alias of the region.
	DescribeKey(ctx context.Context, key string) (trail.Key, error)
	// GetKeyPolicy returns the text of the key's policy.
	GetKeyPolicy(ctx context.Context, key string) (policy string, err error)
}

// DynamoDBAPI is what is called of Amazon DynamoDB.
type DynamoDBAPI interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// OrganizationsAPI is what is called of AWS Organizations.
type OrganizationsAPI interface {
	// DescribeOrganization returns the id and the management account of the
	// caller's organization.
	DescribeOrganization(ctx context.Context) (id, managementAccount string, err error)
	// ListAccounts returns one page of the organization's accounts, which may be empty, and
	// the token of the next one, empty for the last.
	ListAccounts(ctx context.Context, token string) (accounts []inventory.Member, next string, err error)
	// ListPolicies returns one page of the organization's resource control policies, and
	// DescribePolicy the text of one.
	ListPolicies(ctx context.Context, token string) (policies []PolicySummary, next string, err error)
	DescribePolicy(ctx context.Context, id string) (content string, err error)
	// ListTargetsForPolicy returns one page of the ids of roots, units and accounts that a policy is
	// attached to.
	ListTargetsForPolicy(ctx context.Context, id, token string) (targets []string, next string, err error)
}

// AccountAPI is what is called of AWS Account Management.
type AccountAPI interface {
	// ListRegions returns one page of the regions that the account has enabled,
	// and the token of the next one, empty for the last.
	ListRegions(ctx context.Context, token string) (regions []string, next string, err error)
	// GetAccountInformation returns the name of the account.
	GetAccountInformation(ctx context.Context) (name string, err error)
}

// SecurityHubAPI is what is called of AWS Security Hub CSPM.
type SecurityHubAPI interface {
	// BatchImportFindings imports one finding, or the newer state of one.
	BatchImportFindings(ctx context.Context, f asff.Finding) error
	// BatchUpdateFindings writes the workflow of a finding that was imported.
	BatchUpdateFindings(ctx context.Context, f asff.Finding) error
}

// CloudFormationAPI is what is called of AWS CloudFormation.
type CloudFormationAPI interface {
	// DescribeStacks returns one page of the account's stacks in a region, and the token of
	// the next one, empty for the last.
	DescribeStacks(ctx context.Context, token string) (stacks []DescribedStack, next string, err error)
}

// STSAPI is what is called of AWS STS.
type STSAPI interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error)
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// Action says which permission an API operation needs.
type Action struct {
	Service   string // "s3"
	Operation string // "HeadBucket"
	// IAM is the action in IAM's words, "s3:ListBucket". It is empty where no
	// permission is needed.
	IAM string
	// Write says that the operation changes a bucket.
	Write bool
	// Organization says that only the sweep of an organization calls the operation.
	Organization bool
	// ByHand says that only the command line calls the operation: to put the
	// policy of a bucket back that had none, to learn who the caller is, and to find stacks of
	// accounts.
	ByHand bool
	// Findings says that only the function for Security Hub calls it.
	Findings bool
}

// Actions returns the permission for each operation of the interfaces above,
// and for no other. The roles of guard and sweep need those that are neither ByHand nor
// for Findings, of those for an organization only the sweep's, and nothing else; the role
// of the function for Security Hub those for Findings.
// Source: the Service Authorization Reference.
func Actions() []Action {
	return []Action{
		{Service: "s3", Operation: "GetBucketPolicy", IAM: "s3:GetBucketPolicy"},
		{Service: "s3", Operation: "PutBucketPolicy", IAM: "s3:PutBucketPolicy", Write: true},
		{Service: "s3", Operation: "DeleteBucketPolicy", IAM: "s3:DeleteBucketPolicy", Write: true, ByHand: true},
		{Service: "s3", Operation: "GetBucketRequestPayment", IAM: "s3:GetBucketRequestPayment"},
		{Service: "s3", Operation: "PutBucketRequestPayment", IAM: "s3:PutBucketRequestPayment", Write: true},
		{Service: "s3", Operation: "HeadBucket", IAM: "s3:ListBucket"},
		{Service: "s3", Operation: "GetObject", IAM: "s3:GetObject"},
		{Service: "s3", Operation: "ListObjectsV2", IAM: "s3:ListBucket"},
		{Service: "s3", Operation: "ListBuckets", IAM: "s3:ListAllMyBuckets"},
		{Service: "cloudtrail", Operation: "ListTrails", IAM: "cloudtrail:ListTrails"},
		{Service: "cloudtrail", Operation: "DescribeTrails", IAM: "cloudtrail:DescribeTrails"},
		{Service: "cloudtrail", Operation: "GetTrailStatus", IAM: "cloudtrail:GetTrailStatus"},
		{Service: "cloudtrail", Operation: "GetEventSelectors", IAM: "cloudtrail:GetEventSelectors"},
		{Service: "cloudtrail", Operation: "GetEventConfiguration", IAM: "cloudtrail:GetEventConfiguration"},
		{Service: "s3", Operation: "GetBucketEncryption", IAM: "s3:GetEncryptionConfiguration"},
		{Service: "kms", Operation: "DescribeKey", IAM: "kms:DescribeKey"},
		{Service: "kms", Operation: "GetKeyPolicy", IAM: "kms:GetKeyPolicy"},
		{Service: "sns", Operation: "GetTopicAttributes", IAM: "sns:GetTopicAttributes"},
		{Service: "sns", Operation: "Publish", IAM: "sns:Publish"},
		{Service: "dynamodb", Operation: "GetItem", IAM: "dynamodb:GetItem"},
		{Service: "dynamodb", Operation: "BatchGetItem", IAM: "dynamodb:BatchGetItem"},
		{Service: "dynamodb", Operation: "PutItem", IAM: "dynamodb:PutItem"},
		{Service: "dynamodb", Operation: "Query", IAM: "dynamodb:Query"},
		{Service: "organizations", Operation: "DescribeOrganization", IAM: "organizations:DescribeOrganization"},
		{Service: "organizations", Operation: "ListAccounts", IAM: "organizations:ListAccounts", Organization: true},
		{Service: "organizations", Operation: "ListPolicies", IAM: "organizations:ListPolicies", Organization: true},
		{Service: "organizations", Operation: "DescribePolicy", IAM: "organizations:DescribePolicy", Organization: true},
		{Service: "organizations", Operation: "ListTargetsForPolicy", IAM: "organizations:ListTargetsForPolicy", Organization: true},
		{Service: "account", Operation: "ListRegions", IAM: "account:ListRegions"},
		{Service: "account", Operation: "GetAccountInformation", IAM: "account:GetAccountInformation"},
		{Service: "securityhub", Operation: "BatchImportFindings", IAM: "securityhub:BatchImportFindings", Findings: true},
		{Service: "securityhub", Operation: "BatchUpdateFindings", IAM: "securityhub:BatchUpdateFindings", Findings: true},
		{Service: "cloudformation", Operation: "DescribeStacks", IAM: "cloudformation:DescribeStacks", ByHand: true},
		{Service: "sts", Operation: "AssumeRole", IAM: "sts:AssumeRole"},
		{Service: "sts", Operation: "GetCallerIdentity", ByHand: true},
	}
}

// InMembers reports whether the operation is called with the role that reads in the members of an
// organization (deploy/member.yaml): by the functions, or by the command line for an audit of all
// accounts and for the hub's status. What concerns the table, the alerts and the list of accounts is
// asked with the caller's own credentials, and writing is another role's.
func (a Action) InMembers() bool {
	switch a.Service {
	case "cloudtrail", "account", "kms", "cloudformation":
		return true
	case "s3":
		return !a.Write && a.Operation != "GetObject"
	case "sns":
		return a.Operation == "GetTopicAttributes"
	case "organizations":
		return a.Operation == "DescribeOrganization"
	}
	return false
}
