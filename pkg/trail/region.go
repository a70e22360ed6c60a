package trail

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// Regions returns the regions of a partition that are known to this version,
// those included that an account must opt in to. An unknown partition has
// none.
// Source: the partition list of the AWS SDK, 2026.
func Regions(partition arn.Partition) []string {
	switch partition {
	case arn.Commercial:
		return []string{
			"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
			"ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
			"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1",
			"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
			"eu-west-3", "il-central-1", "me-central-1", "me-south-1", "me-west-1", "mx-central-1",
			"sa-east-1", "sa-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
		}
	case arn.China:
		return []string{"cn-north-1", "cn-northwest-1"}
	case arn.GovCloud:
		return []string{"us-gov-east-1", "us-gov-west-1"}
	case arn.EuropeanSovereign:
		return []string{"eusc-de-east-1"}
	default:
		return nil
	}
}

// legacyAccount returns the account as which CloudTrail delivered a region's
// files before it had a service principal. Regions opened since have none.
// Source: the AWS CloudTrail user guide of 2023, cloudtrail-supported-regions.
func legacyAccount(region string) string {
	switch region {
	case "us-east-1":
		return "086441151436"
	case "us-east-2":
		return "475085895292"
	case "us-west-1":
		return "388731089494"
	case "us-west-2":
		return "113285607260"
	case "ca-central-1":
		return "819402241893"
	case "sa-east-1":
		return "814480443879"
	case "af-south-1":
		return "525921808201"
	case "il-central-1":
		return "683224464357"
	case "me-central-1":
		return "585772288577"
	case "me-south-1":
		return "034638983726"
	case "cn-north-1":
		return "193415116832"
	case "cn-northwest-1":
		return "681348832753"
	case "us-gov-west-1":
		return "608710470296"
	case "us-gov-east-1":
		return "886388586500"
	}
	if strings.HasPrefix(region, "ap-") {
		return legacyAsia(region)
	}
	return legacyEurope(region)
}

func legacyAsia(region string) string {
	switch region {
	case "ap-east-1":
		return "119688915426"
	case "ap-south-1":
		return "977081816279"
	case "ap-south-2":
		return "582488909970"
	case "ap-northeast-1":
		return "216624486486"
	case "ap-northeast-2":
		return "492519147666"
	case "ap-northeast-3":
		return "765225791966"
	case "ap-southeast-1":
		return "903692715234"
	case "ap-southeast-2":
		return "284668455005"
	case "ap-southeast-3":
		return "069019280451"
	case "ap-southeast-4":
		return "187074758985"
	}
	return ""
}

func legacyEurope(region string) string {
	switch region {
	case "eu-central-1":
		return "035351147821"
	case "eu-central-2":
		return "453052556044"
	case "eu-north-1":
		return "829690693026"
	case "eu-west-1":
		return "859597730677"
	case "eu-west-2":
		return "282025262664"
	case "eu-west-3":
		return "262312530599"
	case "eu-south-1":
		return "669305197877"
	case "eu-south-2":
		return "757211635381"
	}
	return ""
}

// LegacyRegion returns the region that a CloudTrail account of old policies
// serves, given its id or root ARN.
func LegacyRegion(principal string) (region string, ok bool) {
	account, isRoot := arn.Split(principal).RootOf()
	if !isRoot {
		account = arn.Account(principal)
	}
	if !account.Valid() {
		return "", false
	}
	for _, partition := range []arn.Partition{arn.Commercial, arn.China, arn.GovCloud} {
		for _, region := range Regions(partition) {
			if legacyAccount(region) == string(account) {
				return region, true
			}
		}
	}
	return "", false
}

// Caller returns CloudTrail as the caller of a request for files of a region,
// with the CloudTrail account that old policies name for the region. With an
// empty region every such account is one that it may act as.
//
// In China the service is taken for CloudTrail by both of the names that are
// seen in policies.
func Caller(partition arn.Partition, region string) policy.Caller {
	c := service(partition)
	if region != "" {
		if account := legacyAccount(region); account != "" {
			c.Aliases = append(c.Aliases, rootOf(partition, account))
		}
		if region == "us-gov-east-1" {
			// AWS and Terraform disagree over the account of this region.
			c.PossiblePrincipals = append(c.PossiblePrincipals, rootOf(partition, legacyAccount("us-gov-west-1")))
		}
		return c
	}
	for _, r := range Regions(partition) {
		if account := legacyAccount(r); account != "" {
			c.PossiblePrincipals = append(c.PossiblePrincipals, rootOf(partition, account))
		}
	}
	return c
}

// service is CloudTrail without any account of old policies.
func service(partition arn.Partition) policy.Caller {
	c := policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: ServicePrincipal}}
	if partition == arn.China {
		c.Aliases = append(c.Aliases, policy.Principal{Type: policy.Service, Value: chinaPrincipal})
	}
	return c
}

// chinaPrincipal is the service's name in policies for China that were
// written with the suffix of the partition.
const chinaPrincipal = "cloudtrail.amazonaws.com.cn"

func regionalPrincipal(region string) string {
	return "cloudtrail." + region + ".amazonaws.com"
}

func rootOf(partition arn.Partition, account string) policy.Principal {
	return policy.Principal{Type: policy.AWS, Value: arn.Root(partition, arn.Account(account)).String()}
}
