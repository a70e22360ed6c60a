package main

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// attribute is an attribute of a resource.
type attribute struct {
	name string
	kind tftypes.Type
	set  setBy
}

// setBy says who sets an attribute.
type setBy int

const (
	required setBy = iota
	optional
	byProvider
	byEither // the provider, where the configuration does not
)

func (a attribute) computed() bool { return a.set == byProvider || a.set == byEither }

// resources are the resource types with their attributes.
func resources() map[string][]attribute {
	text, flag := tftypes.String, tftypes.Bool
	return map[string][]attribute{
		"aws_s3_bucket": {
			{"bucket", text, byEither},
			{"bucket_prefix", text, byEither},
			{"force_destroy", flag, optional},
			{"policy", text, byEither},
			{"request_payer", text, byEither},
			{"region", text, byEither},
			{"bucket_region", text, byProvider},
			{"arn", text, byProvider},
			{"id", text, byProvider},
		},
		"aws_s3_bucket_policy": {
			{"bucket", text, required}, {"policy", text, required}, {"region", text, byEither}, {"id", text, byProvider},
		},
		"aws_s3_bucket_request_payment_configuration": {
			{"bucket", text, required}, {"payer", text, required}, {"region", text, byEither}, {"id", text, byProvider},
		},
		"aws_cloudtrail": {
			{"name", text, required},
			{"s3_bucket_name", text, required},
			{"s3_key_prefix", text, optional},
			{"is_multi_region_trail", flag, optional},
			{"is_organization_trail", flag, optional},
			{"enable_log_file_validation", flag, optional},
			{"enable_logging", flag, optional},
			{"kms_key_id", text, optional},
			{"sns_topic_name", text, optional},
			{"sns_topic_arn", text, byProvider},
			{"home_region", text, byProvider},
			{"arn", text, byProvider},
			{"id", text, byProvider},
			{"region", text, byEither},
		},
	}
}

// computed is what the provider sets of an object that was made.
func computed(kind, name string, values map[string]tftypes.Value) string {
	own := text(values["bucket"])
	if kind == "aws_cloudtrail" {
		own = text(values["name"])
	}
	switch name {
	case "arn":
		return arnOf(kind, own)
	case "id":
		if kind == "aws_cloudtrail" {
			return arnOf(kind, own)
		}
		return own
	case "region", "home_region", "bucket_region":
		return region
	case "request_payer":
		return "BucketOwner"
	}
	return ""
}

func arnOf(kind, name string) string {
	if kind == "aws_cloudtrail" {
		return "arn:aws:cloudtrail:" + region + ":" + account + ":trail/" + name
	}
	return "arn:aws:s3:::" + name
}

func schemaOf(attributes []attribute) *tfprotov6.Schema {
	block := &tfprotov6.SchemaBlock{}
	for _, a := range attributes {
		block.Attributes = append(block.Attributes, &tfprotov6.SchemaAttribute{
			Name: a.name, Type: a.kind, Required: a.set == required, Optional: a.set == optional || a.set == byEither, Computed: a.computed(),
		})
	}
	return &tfprotov6.Schema{Block: block}
}

func typeOf(name string) tftypes.Type { return schemaOf(resources()[name]).ValueType() }

// dataSources are the schemas of the data sources.
func dataSources() map[string]*tfprotov6.Schema {
	return map[string]*tfprotov6.Schema{
		"aws_caller_identity": schemaOf([]attribute{
			{"account_id", tftypes.String, byProvider}, {"id", tftypes.String, byProvider},
		}),
		"aws_iam_policy_document": policyDocumentSchema(),
	}
}
