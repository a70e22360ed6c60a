package awsfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// describeStacks answers with a page of stacks. The token is its index.
func (s *Server) describeStacks(w http.ResponseWriter, r *http.Request, call Call) {
	pages, ok := s.Stacks[call.Account]
	if !ok {
		writeError(w, r, "cloudformation", http.StatusForbidden, "AccessDenied", "User is not authorized to perform: cloudformation:DescribeStacks")
		return
	}
	page, _ := strconv.Atoi(r.FormValue("NextToken"))
	var stacks, token string
	if page < len(pages) {
		stacks = pages[page]
	}
	if page+1 < len(pages) {
		token = fmt.Sprintf("<NextToken>%d</NextToken>", page+1)
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>`+
		`<Stacks>%s</Stacks>%s</DescribeStacksResult></DescribeStacksResponse>`, stacks, token)
}

// query answers SNS and STS, which take forms and give XML.
func (s *Server) query(w http.ResponseWriter, r *http.Request, call Call) {
	switch call.Operation {
	case "sns:Publish":
		s.publish(w, r, call)
	case "sns:GetTopicAttributes":
		s.topicAttributes(w, r, call)
	case "sts:AssumeRole":
		role := arn.Split(r.FormValue("RoleArn"))
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s%s</AccessKeyId>`+
			`<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`+
			`</Credentials></AssumeRoleResult></AssumeRoleResponse>`, keyPrefix, role.Account)
	case "sts:GetCallerIdentity":
		_, _ = fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::%[1]s:user/alice</Arn>`+
			`<UserId>AIDAEXAMPLE</UserId><Account>%[1]s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, call.Account)
	default:
		writeError(w, r, "sns", http.StatusBadRequest, "InvalidAction", call.Operation)
	}
}

func (s *Server) publish(w http.ResponseWriter, r *http.Request, call Call) {
	if topic := arn.Split(r.FormValue("TopicArn")); string(topic.Region) != call.Region {
		writeError(w, r, "sns", http.StatusBadRequest, "InvalidParameter", "Invalid parameter: TopicArn")
		return
	}
	m := alert.Message{Subject: r.FormValue("Subject"), Body: r.FormValue("Message"), Attributes: make(map[string]string)}
	if r.FormValue("MessageStructure") == "json" {
		var byProtocol map[string]string
		if err := json.Unmarshal([]byte(m.Body), &byProtocol); err != nil || byProtocol["default"] == "" {
			writeError(w, r, "sns", http.StatusBadRequest, "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
			return
		}
		m.Body, m.JSON = byProtocol["default"], byProtocol["lambda"]
	}
	if size := len(r.FormValue("Message")); size > 256<<10 {
		writeError(w, r, "sns", http.StatusBadRequest, "InvalidParameter", "Invalid parameter: Message too long")
		return
	}
	for i := 1; ; i++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		name := r.FormValue(entry + "Name")
		if name == "" {
			break
		}
		if r.FormValue(entry+"Value.StringValue") == "" {
			writeError(w, r, "sns", http.StatusBadRequest, "ParameterValueInvalid",
				"The message attribute '"+name+"' must contain non-empty message attribute value.")
			return
		}
		m.Attributes[name] = r.FormValue(entry + "Value.StringValue")
	}
	s.messages = append(s.messages, m)
	_, _ = io.WriteString(w, `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
}

// listAccounts answers with a page of the organization's accounts. The token is its index.
func (s *Server) listAccounts(w http.ResponseWriter, r *http.Request, call Call) {
	var in struct{ NextToken string }
	page := 0
	if err := json.Unmarshal(call.Body, &in); err == nil && in.NextToken != "" {
		page, _ = strconv.Atoi(in.NextToken)
	}
	if page >= len(s.Members) {
		writeError(w, r, "organizations", http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
		return
	}
	accounts := []map[string]any{}
	for _, m := range s.Members[page] {
		accounts = append(accounts, map[string]any{"Id": m.ID, "Name": m.Name, "State": m.State, "Paths": pathOf(m)})
	}
	out := map[string]any{"Accounts": accounts}
	if page+1 < len(s.Members) {
		out["NextToken"] = strconv.Itoa(page + 1)
	}
	writeJSON(w, http.StatusOK, out)
}

// pathOf is where an account stands, in the form of AWS Organizations.
func pathOf(m inventory.Member) []string {
	units := m.Units
	if units == nil {
		units = []string{"r-root"}
	}
	return []string{"o-example/" + strings.Join(units, "/") + "/" + m.ID + "/"}
}

// policies answers what is asked of the organization's resource control policies. A page holds
// two, and AWS's own policy is among them. The token is the index of the first.
func (s *Server) policies(w http.ResponseWriter, r *http.Request, call Call) {
	var in struct{ Filter, PolicyID, NextToken string }
	if err := json.Unmarshal(call.Body, &in); err != nil || s.Members == nil {
		writeError(w, r, "organizations", http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
		return
	}
	i := slices.IndexFunc(s.RCPs, func(p inventory.AttachedRCP) bool { return p.ID == in.PolicyID })
	if call.Operation != "organizations:ListPolicies" && i < 0 {
		writeError(w, r, "organizations", http.StatusBadRequest, "PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
		return
	}
	const page = 2
	var all []map[string]any
	field := "Targets"
	switch call.Operation {
	case "organizations:DescribePolicy":
		writeJSON(w, http.StatusOK, map[string]any{"Policy": map[string]any{
			"PolicySummary": map[string]any{"Id": s.RCPs[i].ID, "Name": s.RCPs[i].Name, "Type": in.Filter}, "Content": s.RCPs[i].Content,
		}})
		return
	case "organizations:ListTargetsForPolicy":
		for _, target := range s.RCPs[i].Targets {
			all = append(all, map[string]any{"TargetId": target})
		}
	default:
		field = "Policies"
		all = append(all, map[string]any{"Id": "p-RCPFullAWSAccess", "Name": "RCPFullAWSAccess", "Type": in.Filter, "AwsManaged": true})
		for _, p := range s.RCPs {
			all = append(all, map[string]any{"Id": p.ID, "Name": p.Name, "Type": in.Filter, "AwsManaged": false})
		}
		if in.Filter != "RESOURCE_CONTROL_POLICY" {
			all = nil
		}
	}
	from, _ := strconv.Atoi(in.NextToken)
	to := min(from+page, len(all))
	out := map[string]any{field: all[from:to]}
	if to < len(all) {
		out["NextToken"] = strconv.Itoa(to)
	}
	writeJSON(w, http.StatusOK, out)
}

// organizations answers what is asked of AWS Organizations.
func (s *Server) organizations(w http.ResponseWriter, r *http.Request, call Call) {
	switch {
	case call.Operation == "organizations:ListAccounts":
		s.listAccounts(w, r, call)
	case call.Operation == "organizations:ListPolicies", call.Operation == "organizations:DescribePolicy",
		call.Operation == "organizations:ListTargetsForPolicy":
		s.policies(w, r, call)
	case s.Organization == nil:
		writeError(w, r, "organizations", http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
	case s.Organization.ID == "":
		writeError(w, r, "organizations", http.StatusBadRequest, "AWSOrganizationsNotInUseException",
			"Your account is not a member of an organization.")
	default:
		writeJSON(w, http.StatusOK, map[string]any{"Organization": map[string]any{
			"Id": s.Organization.ID, "MasterAccountId": s.Organization.ManagementAccount,
		}})
	}
}

// accountInformation answers GetAccountInformation of Account Management.
func (s *Server) accountInformation(w http.ResponseWriter, r *http.Request, call Call) {
	if s.Name == "" {
		writeError(w, r, "account", http.StatusForbidden, "AccessDeniedException",
			"User is not authorized to perform: account:GetAccountInformation")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"AccountId": call.Account, "AccountName": s.Name})
}

// listRegions answers ListRegions of Account Management, in pages of five.
func (s *Server) listRegions(w http.ResponseWriter, r *http.Request, call Call) {
	var in struct {
		RegionOptStatusContains []string
		MaxResults              int
		NextToken               string
	}
	if err := json.Unmarshal(call.Body, &in); err != nil || in.MaxResults < 1 || in.MaxResults > 50 || len(in.RegionOptStatusContains) == 0 {
		writeError(w, r, "account", http.StatusBadRequest, "ValidationException", "Invalid request.")
		return
	}
	if s.EnabledRegions == nil {
		writeError(w, r, "account", http.StatusForbidden, "AccessDeniedException:http://internal.amazon.com/", "User is not authorized to perform: account:ListRegions")
		return
	}
	from, _ := strconv.Atoi(in.NextToken)
	to := min(from+5, len(s.EnabledRegions))
	out := map[string]any{}
	var regions []map[string]string
	for _, name := range s.EnabledRegions[from:to] {
		regions = append(regions, map[string]string{"RegionName": name, "RegionOptStatus": "ENABLED"})
	}
	out["Regions"] = regions
	if to < len(s.EnabledRegions) {
		out["NextToken"] = strconv.Itoa(to)
	}
	writeJSON(w, http.StatusOK, out)
}
