package trigger

import (
	"cmp"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// caller is who made a call, as the record's userIdentity tells it. The texts
// are those of [delivery.Change].
type caller struct{ who, via, behalf, linkedService, accessKey, mfa string }

// maxCaller bounds each text of a caller, in bytes.
const maxCaller = 512

// caller reads who made the call, by what, and on whose behalf. Members that
// are missing or of another type than AWS documents are left out.
// Source: awscloudtrail userguide, cloudtrail-event-reference-user-identity.html,
// for userIdentity; IAM userguide, temporary-delegation-cloudtrail.html, for
// invokedByDelegate.
func (r record) caller() caller {
	identity := r.detail.object("userIdentity")
	session := identity.object("sessionContext")
	issuer := session.object("sessionIssuer")
	var c caller
	c.linkedService = linkedService(issuer.text("arn"))
	c.who = who(identity, issuer)

	c.accessKey = identity.text("accessKeyId")
	if mfa := session.object("attributes").text("mfaAuthenticated"); mfa == "true" || mfa == "false" {
		c.mfa = mfa
	}

	var via []string
	if session.flag("assumedRoot") {
		via = append(via, "AssumeRoot")
	}
	if by := identity.text("invokedBy"); by != c.who && by != c.linkedService && !isConsole(by) {
		via = append(via, by)
	}
	scope := identity.object("inScopeOf")
	c.via = joined(append(via,
		cmp.Or(scope.text("credentialsIssuedTo"), scope.text("sourceArn")),
		session.object("webIdFederationData").text("federatedProvider"),
		identity.text("identityProvider"),
	))

	behalf := []string{session.text("sourceIdentity")}
	if isFederated(identity) {
		// The session's name is invented by its caller; the key is the issuer's.
		if by := cmp.Or(issuer.text("arn"), issuer.text("userName")); by != c.who {
			behalf = append(behalf, by)
		}
	}
	if user := centerUser(identity); user != c.who {
		behalf = append(behalf, user)
	}
	if delegate := identity.object("invokedByDelegate").text("accountId"); delegate != "" {
		behalf = append(behalf, "account "+delegate+" (temporary delegation)")
	}
	c.behalf = joined(behalf)
	return c
}

// who names the caller by an ARN where the record has one or implies it, else
// by what is there.
func who(identity, issuer fields) string {
	principal, name := identity.text("principalId"), identity.text("userName")
	if name := identity.text("arn"); name != "" {
		return name
	}
	if name := sessionARN(issuer.text("arn"), principal, isFederated(identity)); name != "" {
		return name
	}
	if user := centerUser(identity); user != "" {
		return user
	}
	account, kind := identity.text("accountId"), identity.text("type")
	if isAnonymous(account) || isAnonymous(principal) {
		return "anonymous"
	}
	_, session, _ := strings.Cut(principal, ":")
	detail := cmp.Or(name, principal)
	switch role := issuer.text("userName"); {
	case kind == "Root":
		detail = "root"
	case role != "" && session != "":
		detail = role + "/" + session
	}
	by := identity.text("invokedBy")
	if by != "" && !isConsole(by) && (detail == "" || kind == "AWSService") {
		return by
	}
	if account != "" && detail != "" {
		return "account " + account + " (" + detail + ")"
	}
	if account != "" {
		return "account " + account
	}
	return cmp.Or(detail, by, kind)
}

// sessionARN returns the ARN of a session from that of the role or user that
// issued it and the principal id, "AROA…:SESSION". The ARN of a role's session
// names the role without its path.
// Source: IAM userguide, reference_identifiers.html.
func sessionARN(issuer, principal string, federated bool) string {
	from := arn.Split(issuer)
	path, isRole := strings.CutPrefix(from.Resource, "role/")
	_, session, _ := strings.Cut(principal, ":")
	made := arn.ARN{Partition: from.Partition, Service: "sts", Account: from.Account}
	switch {
	case isRole && session != "":
		made.Resource = "assumed-role/" + path[strings.LastIndex(path, "/")+1:] + "/" + session
	case federated && session != "":
		made.Resource = "federated-user/" + session
	default:
		return issuer
	}
	return made.String()
}

// linkedService returns the service whose service-linked role issued the
// session, or "". Only AWS makes roles under that path.
// Source: IAM userguide, id_roles_create-service-linked-role.html.
func linkedService(issuer string) string {
	path, isLinked := strings.CutPrefix(arn.Split(issuer).Resource, "role/aws-service-role/")
	service, _, _ := strings.Cut(path, "/")
	if !isLinked {
		return ""
	}
	return service
}

func isFederated(identity fields) bool {
	return identity.text("type") == "FederatedUser" || strings.Contains(identity.text("arn"), ":federated-user/")
}

// centerUser returns the user of IAM Identity Center on whose behalf the call
// was made, or "". The id is all that a record has of the user.
func centerUser(identity fields) string {
	if id := identity.object("onBehalfOf").text("userId"); id != "" {
		return "Identity Center user " + id
	}
	return ""
}

// isConsole reports whether invokedBy only says that the call came from the
// console, as records up to about 2021 do, or from somewhere within AWS.
func isConsole(invokedBy string) bool {
	return invokedBy == "signin.amazonaws.com" || invokedBy == "AWS Internal"
}

// isAnonymous reports whether an id stands for a caller without credentials.
// S3 writes ANONYMOUS_PRINCIPAL.
func isAnonymous(id string) bool {
	return strings.EqualFold(id, "ANONYMOUS_PRINCIPAL") || strings.EqualFold(id, "anonymous")
}

// joined returns the texts that are not empty, each once.
func joined(texts []string) string {
	var b strings.Builder
	seen := map[string]bool{"": true}
	for _, text := range texts {
		if seen[text] {
			continue
		}
		seen[text] = true
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(text)
	}
	return b.String()
}

// put writes the caller into a change, within bounds.
func (c caller) put(into *delivery.Change) {
	into.Actor = clipName(c.who, maxCaller)
	into.Via = clipName(c.via, maxCaller)
	into.OnBehalfOf = clipName(c.behalf, maxCaller)
	into.LinkedService = clip(c.linkedService, maxName)
	into.AccessKeyID = clip(c.accessKey, maxName)
	into.MFA = c.mfa
}
