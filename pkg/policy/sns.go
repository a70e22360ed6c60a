package policy

// SNS is the dialect of topic policies. Which names SNS refuses is not documented, so that
// none is known to be.
func SNS() Dialect {
	return Dialect{
		Name: "SNS", Service: "sns", unlisted: doubtful,
		actions: snsActions,
		verbs:   "add check confirm create delete get list opt publish put receive remove set subscribe tag unsubscribe untag verify",
		nouns:   "data endpoint origination permission phone platform sms subscription topic",
		keys:    snsKeys, keyWords: "endpoint message protocol",
	}
}

// snsActions are the actions of SNS. A policy is attached to a topic; "other" are those of
// phone numbers, of applications and of the account.
//
// Source: "Actions, resources, and condition keys for Amazon SNS" in the Service
// Authorization Reference, list_amazonsns.html, read in 2026. Receive is in the policies
// that SNS's console writes.
const snsActions = `
addpermission topic
checkifphonenumberisoptedout other
confirmsubscription topic
createplatformapplication other
createplatformendpoint other
createsmssandboxphonenumber other
createtopic topic
deleteendpoint other
deleteplatformapplication other
deletesmssandboxphonenumber other
deletetopic topic
getdataprotectionpolicy topic
getendpointattributes other
getplatformapplicationattributes other
getsmsattributes other
getsmssandboxaccountstatus other
getsubscriptionattributes topic
gettopicattributes topic
listendpointsbyplatformapplication other
listoriginationnumbers other
listphonenumbersoptedout other
listplatformapplications other
listsmssandboxphonenumbers other
listsubscriptions other
listsubscriptionsbytopic topic
listtagsforresource topic
listtopics other
optinphonenumber other
publish topic
putdataprotectionpolicy topic
receive topic
removepermission topic
setendpointattributes other
setplatformapplicationattributes other
setsmsattributes other
setsubscriptionattributes topic
settopicattributes topic
subscribe topic
tagresource topic
unsubscribe topic
untagresource topic
verifysmssandboxphonenumber other
`

// snsKeys are the condition keys of SNS, from the same page.
const snsKeys = `
sns:endpoint *
sns:protocol *
`
