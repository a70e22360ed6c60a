package policy

// KMS is the dialect of key policies.
//
// Which names KMS refuses is not documented, so that none is known to be. A statement without
// Resource is accepted and has no effect; in one with Resource, "*" and the ARN of the key mean
// the key. Source: "Key policies in AWS KMS", key-policy-overview.html.
func KMS() Dialect {
	return Dialect{
		Name: "KMS", Service: "kms", maxSize: 32768, unlisted: doubtful, withoutResource: true,
		actions: kmsActions,
		verbs: "cancel connect create decrypt delete derive describe disable disconnect enable encrypt generate get import list " +
			"put replicate retire revoke rotate schedule sign synchronize tag untag update verify",
		nouns: "alias custom data grant imported key mac parameters public replica shared",
		keys:  kmsKeys, families: "kms:encryptioncontext: kms:recipientattestation:",
		keyWords: "caller custom data encryption grant key mac message multi primary re recipient request resource retiring rotation signing valid via wrapping",
	}
}

// kmsActions are the actions of KMS. All work on a key, but for those of the account.
//
// Source: "Actions, resources, and condition keys for AWS Key Management Service" in the
// Service Authorization Reference, list_awskeymanagementservice.html, read in 2026.
const kmsActions = `
cancelkeydeletion key
connectcustomkeystore other
createalias key
createcustomkeystore other
creategrant key
createkey other
decrypt key
deletealias key
deletecustomkeystore other
deleteimportedkeymaterial key
derivesharedsecret key
describecustomkeystores other
describekey key
disablekey key
disablekeyrotation key
disconnectcustomkeystore other
enablekey key
enablekeyrotation key
encrypt key
generatedatakey key
generatedatakeypair key
generatedatakeypairwithoutplaintext key
generatedatakeywithoutplaintext key
generatemac key
generaterandom other
getkeypolicy key
getkeyrotationstatus key
getparametersforimport key
getpublickey key
importkeymaterial key
listaliases other
listgrants key
listkeypolicies key
listkeyrotations key
listkeys other
listresourcetags key
listretirablegrants other
putkeypolicy key
reencryptfrom key
reencryptto key
replicatekey key
retiregrant key
revokegrant key
rotatekeyondemand key
schedulekeydeletion key
sign key
synchronizemultiregionkey key
tagresource key
untagresource key
updatealias key
updatecustomkeystore other
updatekeydescription key
updateprimaryregion key
verify key
verifymac key
`

// kmsKeys are the condition keys of KMS. A policy may test each for any action.
//
// Source: "AWS KMS condition keys", conditions-kms.html, read in 2026. The name behind
// kms:EncryptionContext: is the caller's own; letter case does not matter in it.
const kmsKeys = `
kms:bypasspolicylockoutsafetycheck *
kms:calleraccount *
kms:customermasterkeyspec *
kms:customermasterkeyusage *
kms:datakeypairspec *
kms:encryptionalgorithm *
kms:encryptioncontext: *
kms:encryptioncontextkeys *
kms:expirationmodel *
kms:grantconstrainttype *
kms:granteeprincipal *
kms:grantisforawsresource *
kms:grantoperations *
kms:keyagreementalgorithm *
kms:keyorigin *
kms:keyspec *
kms:keyusage *
kms:macalgorithm *
kms:messagetype *
kms:multiregion *
kms:multiregionkeytype *
kms:primaryregion *
kms:recipientattestation: *
kms:reencryptonsamekey *
kms:replicaregion *
kms:requestalias *
kms:resourcealiases *
kms:retiringprincipal *
kms:rotationperiodindays *
kms:schedulekeydeletionpendingwindowindays *
kms:signingalgorithm *
kms:validto *
kms:viaservice *
kms:wrappingalgorithm *
kms:wrappingkeyspec *
`
