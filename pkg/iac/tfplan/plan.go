package tfplan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// The resource types that are read, by the names that the AWS provider gives them.
const (
	typeBucket       = "aws_s3_bucket"
	typePolicy       = "aws_s3_bucket_policy"
	typePayer        = "aws_s3_bucket_request_payment_configuration"
	typeEncryption   = "aws_s3_bucket_server_side_encryption_configuration"
	typeTrail        = "aws_cloudtrail"
	typeKey          = "aws_kms_key"
	typeKeyPolicy    = "aws_kms_key_policy"
	typeTopic        = "aws_sns_topic"
	typeTopicPolicy  = "aws_sns_topic_policy"
	typeDocument     = "aws_iam_policy_document"
	typeCaller       = "aws_caller_identity"
	typeOrganization = "aws_organizations_organization"
)

// typeNamed is the type that a type of a provider stands for, and the names of attributes that differ;
// empty for a type that is not read. The resources of the AWSCC provider are those of
// CloudFormation in snake case.
func typeNamed(name string) (kind string, attributes map[string]string) {
	switch name {
	case typeBucket, typePolicy, typePayer, typeEncryption, typeTrail, typeKey, typeKeyPolicy, typeTopic, typeTopicPolicy, typeDocument, typeCaller, typeOrganization:
		return name, nil
	case "awscc_s3_bucket":
		return typeBucket, map[string]string{"bucket": "bucket_name", "policy": "", "request_payer": ""}
	case "awscc_s3_bucket_policy":
		return typePolicy, map[string]string{"policy": "policy_document"}
	case "awscc_cloudtrail_trail":
		return typeTrail, map[string]string{
			"name": "trail_name", "enable_logging": "is_logging", "event_selector": "event_selectors",
			"advanced_event_selector": "advanced_event_selectors", "insight_selector": "insight_selectors",
		}
	}
	return "", nil
}

func isWanted(name string) bool {
	kind, _ := typeNamed(name)
	return kind != ""
}

// The part of the JSON that is read.
// Source: https://developer.hashicorp.com/terraform/internals/json-format
type (
	resourceChange struct {
		Address         string `json:"address"`
		PreviousAddress string `json:"previous_address"`
		ModuleAddress   string `json:"module_address"`
		Mode            string `json:"mode"`
		Type            string `json:"type"`
		Name            string `json:"name"`
		Index           any    `json:"index"`
		Deposed         string `json:"deposed"`
		Change          struct {
			Actions         []string `json:"actions"`
			Before          any      `json:"before"`
			After           any      `json:"after"`
			AfterUnknown    any      `json:"after_unknown"`
			BeforeSensitive any      `json:"before_sensitive"`
			AfterSensitive  any      `json:"after_sensitive"`
		} `json:"change"`
	}
	stateResource struct {
		Address         string         `json:"address"`
		Mode            string         `json:"mode"`
		Type            string         `json:"type"`
		Name            string         `json:"name"`
		Index           any            `json:"index"`
		Values          map[string]any `json:"values"`
		SensitiveValues any            `json:"sensitive_values"`

		module string
	}
)

// document is what is read of a plan or state.
type document struct {
	isPlan, isState bool
	complete        *bool
	errored         bool
	variables       map[string]any
	changes         []resourceChange
	deferred        []resourceChange
	// prior is the state before a plan, or the state itself; the resources of the types
	// that are read.
	prior []stateResource
	// accounts are the accounts in the ARNs of resources, by the address of their
	// configuration.
	accounts map[string][]string
	root     *module
	regions  map[string]expression // of provider configurations, by key
}

// read reads a plan or state.
func read(r io.Reader) (*document, error) {
	d := &document{accounts: map[string][]string{}, regions: map[string]expression{}, root: newModule()}
	s := newStream(r)
	c, err := s.next()
	if err != nil {
		return nil, err
	}
	if c != '{' {
		return nil, fmt.Errorf("%w: it does not begin with {", errJSON)
	}
	if err := s.in.UnreadByte(); err != nil {
		return nil, err
	}
	err = s.object(func(name string) error { return d.member(s, name) })
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if !d.isPlan && !d.isState {
		return nil, errors.New("neither resource_changes nor values in it")
	}
	return d, nil
}

func (d *document) member(s *stream, name string) error {
	switch name {
	case "format_version":
		var version string
		if err := s.decode(&version); err != nil {
			return err
		}
		if major, _, _ := strings.Cut(version, "."); major != "0" && major != "1" {
			return fmt.Errorf("its format_version is %q; this version reads 0 and 1", version)
		}
		return nil
	case "complete":
		return s.decode(&d.complete)
	case "errored":
		return s.decode(&d.errored)
	case "variables":
		variables := map[string]struct {
			Value any `json:"value"`
		}{}
		if err := s.decode(&variables); err != nil {
			return err
		}
		d.variables = map[string]any{}
		for name, v := range variables {
			d.variables[name] = v.Value
		}
		return nil
	case "resource_changes":
		d.isPlan = true
		return s.array(func() error { return readChange(s, &d.changes) })
	case "deferred_changes":
		return s.array(func() error {
			return s.object(func(name string) error {
				if name == "resource_change" {
					return readChange(s, &d.deferred)
				}
				return s.skip()
			})
		})
	case "planned_values":
		d.isPlan = true // a plan in which nothing changes has no resource_changes
		return s.skip()
	case "prior_state":
		return s.object(func(name string) error {
			if name == "values" {
				return d.stateValues(s)
			}
			return s.skip()
		})
	case "values":
		d.isState = true
		return d.stateValues(s)
	case "resources": // of terraform.tfstate
		d.isState = true
		return s.array(func() error { return d.rawState(s) })
	case "configuration":
		return d.configuration(s)
	}
	return s.skip()
}

// readChange reads a change, if it is of a type that is read.
func readChange(s *stream, into *[]resourceChange) error {
	raw, err := s.raw()
	if err != nil || !mayBeWanted(raw) {
		return err
	}
	var c resourceChange
	if err := json.Unmarshal(raw, &c); err != nil {
		return fmt.Errorf("%w: a resource change: %w", errJSON, err)
	}
	if isWanted(c.Type) {
		*into = append(*into, c)
		return checkAddress(c.Address)
	}
	return nil
}

// maxAddress is far above the addresses of modules in modules.
const maxAddress = 16 << 10

func checkAddress(address string) error {
	if len(address) > maxAddress {
		return fmt.Errorf("the address of a resource has %d bytes; %d are read", len(address), maxAddress)
	}
	return nil
}

// mayBeWanted rules out at a glance what is surely not read: a text in which no name begins like one
// of the types that are.
func mayBeWanted(raw []byte) bool {
	start := []byte(`"aws`)
	for {
		i := bytes.Index(raw, start)
		if i < 0 {
			return false
		}
		raw = raw[i+len(start):]
		name, _ := bytes.CutPrefix(raw, []byte("cc"))
		for _, rest := range []string{"_s3_bucket", "_cloudtrail", "_kms_key", "_sns_topic", "_iam_policy_document", "_caller_identity", "_organizations_organization"} {
			if bytes.HasPrefix(name, []byte(rest)) {
				return true
			}
		}
	}
}

func (d *document) stateValues(s *stream) error {
	return s.object(func(name string) error {
		if name == "root_module" {
			return d.stateModule(s, "")
		}
		return s.skip()
	})
}

// stateModule reads a module of a state. The address stands behind its resources in
// some versions, and is that of its resources.
func (d *document) stateModule(s *stream, _ string) error {
	return s.object(func(name string) error {
		switch name {
		case "resources":
			return s.array(func() error {
				raw, err := s.raw()
				if err != nil {
					return err
				}
				return d.addState(raw)
			})
		case "child_modules":
			return s.array(func() error { return d.stateModule(s, "") })
		}
		return s.skip()
	})
}

func (d *document) addState(raw []byte) error {
	var r stateResource
	if !mayBeWanted(raw) {
		var other struct {
			Address string
			Mode    string
			Values  struct{ ARN any }
		}
		if json.Unmarshal(raw, &other) == nil && other.Mode == "managed" {
			d.noteAccount(other.Address, other.Values.ARN)
		}
		return nil
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("%w: a resource of the state: %w", errJSON, err)
	}
	d.add(r)
	return checkAddress(r.Address)
}

func (d *document) add(r stateResource) {
	if r.Mode == "managed" {
		d.noteAccount(r.Address, r.Values["arn"])
	}
	if isWanted(r.Type) {
		r.module = moduleOf(r.Address)
		d.prior = append(d.prior, r)
	}
}

// noteAccount notes the account of a resource.
func (d *document) noteAccount(address string, value any) {
	text, _ := value.(string)
	account := string(arn.Split(text).Account)
	if _, err := arn.ParseAccount(account); err != nil {
		return
	}
	at := configurationOf(address)
	// Of several it is not known which.
	if len(d.accounts[at]) < 2 && !slices.Contains(d.accounts[at], account) {
		d.accounts[at] = append(d.accounts[at], account)
	}
}

// rawState reads a resource of terraform.tfstate, the file in which the state is kept. Its
// form is not promised to be stable; that of version 4 is read.
func (d *document) rawState(s *stream) error {
	raw, err := s.raw()
	if err != nil {
		return err
	}
	var r struct {
		Module    string `json:"module"`
		Mode      string `json:"mode"`
		Type      string `json:"type"`
		Name      string `json:"name"`
		Instances []struct {
			IndexKey   any            `json:"index_key"`
			Deposed    string         `json:"deposed"`
			Attributes map[string]any `json:"attributes"`
			Sensitive  []any          `json:"sensitive_attributes"`
		} `json:"instances"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("%w: a resource of the state: %w", errJSON, err)
	}
	for _, instance := range r.Instances {
		if instance.Deposed != "" {
			continue
		}
		address := r.Type + "." + r.Name + indexText(instance.IndexKey)
		if r.Mode == "data" {
			address = "data." + address
		}
		if r.Module != "" {
			address = r.Module + "." + address
		}
		d.add(stateResource{
			Address: address, Mode: r.Mode, Type: r.Type, Name: r.Name, Index: instance.IndexKey,
			Values: instance.Attributes, SensitiveValues: sensitivePaths(instance.Sensitive),
		})
	}
	return nil
}

// sensitivePaths makes of the paths in a tfstate the form that "show -json" has: the first steps, which are
// names of attributes. A path that cannot be read marks all.
func sensitivePaths(paths []any) any {
	out := map[string]any{}
	for _, path := range paths {
		steps, _ := path.([]any)
		if len(steps) == 0 {
			return true
		}
		step, _ := steps[0].(map[string]any)
		name, ok := step["value"].(string)
		if !ok {
			return true
		}
		out[name] = true
	}
	return out
}

// indexText is an index as it stands in an address.
func indexText(index any) string {
	switch index := index.(type) {
	case string:
		quoted, _ := json.Marshal(index)
		return "[" + string(quoted) + "]"
	case float64:
		return fmt.Sprintf("[%d]", int(index))
	}
	return ""
}
