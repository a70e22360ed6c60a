// Command provider is a Terraform provider with the names, and the known and computed
// attributes, of hashicorp/aws 6.25 that matter to trails. It talks to nothing. With it tofu
// makes real plans: what is unknown, moved, forgotten, sensitive or in modules is the work of its
// core, not of the provider. What the real provider works out at plan time is not covered.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func main() {
	err := tf6server.Serve("registry.opentofu.org/hashicorp/aws", func() tfprotov6.ProviderServer { return provider{} })
	if err != nil {
		log.Fatal(err)
	}
}

// The account and region in which everything is.
const (
	account = "111111111111"
	region  = "us-east-1"
)

// provider answers what tofu asks for. What it does not ask of this provider is left to the
// embedded nil, and would panic.
type provider struct{ tfprotov6.ProviderServer }

func (provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	out := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range resources() {
		out.Resources = append(out.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range dataSources() {
		out.DataSources = append(out.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return out, nil
}

func (provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	out := &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov6.ServerCapabilities{},
		Provider:           schemaOf([]attribute{{"region", tftypes.String, optional}}),
		ResourceSchemas:    map[string]*tfprotov6.Schema{},
		DataSourceSchemas:  dataSources(),
	}
	for name, attributes := range resources() {
		out.ResourceSchemas[name] = schemaOf(attributes)
	}
	return out, nil
}

func (provider) GetResourceIdentitySchemas(
	context.Context, *tfprotov6.GetResourceIdentitySchemasRequest,
) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (provider) ValidateProviderConfig(
	_ context.Context, q *tfprotov6.ValidateProviderConfigRequest,
) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: q.Config}, nil
}

func (provider) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (provider) ValidateResourceConfig(
	context.Context, *tfprotov6.ValidateResourceConfigRequest,
) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (provider) ValidateDataResourceConfig(
	context.Context, *tfprotov6.ValidateDataResourceConfigRequest,
) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (provider) UpgradeResourceState(
	_ context.Context, q *tfprotov6.UpgradeResourceStateRequest,
) (*tfprotov6.UpgradeResourceStateResponse, error) {
	kind := typeOf(q.TypeName)
	v, err := q.RawState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(kind, v)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (provider) ReadResource(_ context.Context, q *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: q.CurrentState, Private: q.Private}, nil
}

// PlanResourceChange leaves what a new object computes unknown, but for the region. Another name
// makes another object.
func (provider) PlanResourceChange(
	_ context.Context, q *tfprotov6.PlanResourceChangeRequest,
) (*tfprotov6.PlanResourceChangeResponse, error) {
	kind := typeOf(q.TypeName)
	proposed, err := q.ProposedNewState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	if proposed.IsNull() { // it is removed
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: q.ProposedNewState}, nil
	}
	prior, err := q.PriorState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	values, was := members(proposed), members(prior)
	var replaces []*tftypes.AttributePath
	for _, a := range resources()[q.TypeName] {
		switch {
		case was == nil && a.computed() && values[a.name].IsNull():
			values[a.name] = tftypes.NewValue(a.kind, tftypes.UnknownValue)
			if a.name == "region" {
				values[a.name] = tftypes.NewValue(tftypes.String, region)
			}
		case was != nil && (a.name == "bucket" || a.name == "name") && !was[a.name].Equal(values[a.name]):
			replaces = append(replaces, tftypes.NewAttributePath().WithAttributeName(a.name))
		}
	}
	planned, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, values))
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: &planned, RequiresReplace: replaces}, err
}

// ApplyResourceChange makes up what an object computes.
func (provider) ApplyResourceChange(
	_ context.Context, q *tfprotov6.ApplyResourceChangeRequest,
) (*tfprotov6.ApplyResourceChangeResponse, error) {
	kind := typeOf(q.TypeName)
	planned, err := q.PlannedState.Unmarshal(kind)
	if err != nil || planned.IsNull() {
		return &tfprotov6.ApplyResourceChangeResponse{NewState: q.PlannedState}, err
	}
	values := members(planned)
	for _, a := range resources()[q.TypeName] {
		if !values[a.name].IsKnown() {
			values[a.name] = tftypes.NewValue(tftypes.String, computed(q.TypeName, a.name, values))
		}
	}
	state, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, values))
	return &tfprotov6.ApplyResourceChangeResponse{NewState: &state}, err
}

func (provider) ReadDataSource(_ context.Context, q *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	kind := dataSources()[q.TypeName].ValueType()
	config, err := q.Config.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	values := members(config)
	switch q.TypeName {
	case "aws_caller_identity":
		values["account_id"], values["id"] = tftypes.NewValue(tftypes.String, account), tftypes.NewValue(tftypes.String, account)
	case "aws_iam_policy_document":
		text := tftypes.NewValue(tftypes.String, policyDocument(values))
		values["json"], values["minified_json"], values["id"] = text, text, tftypes.NewValue(tftypes.String, "1")
	}
	state, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, values))
	return &tfprotov6.ReadDataSourceResponse{State: &state}, err
}

// members are the attributes of an object, nil if it is null.
func members(v tftypes.Value) map[string]tftypes.Value {
	var out map[string]tftypes.Value
	if !v.IsNull() {
		_ = v.As(&out) // it is an object by its type
	}
	return out
}
