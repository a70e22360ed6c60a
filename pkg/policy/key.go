package policy

// multivalued reports whether AWS documents that the key holds a set of
// values. See "AWS global condition context keys" and "AWS KMS condition keys".
func multivalued(key string) bool {
	switch key {
	case "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths",
		"aws:sourceorgpaths", "aws:tagkeys", "aws:vpceorgpaths", "s3:requestobjecttagkeys",
		"kms:encryptioncontextkeys", "kms:grantoperations", "kms:resourcealiases":
		return true
	}
	return false
}

// keyKind is the kind of operator that can read every value of the key, as AWS
// documents the key's type; unknownOperator if that is not certain.
func keyKind(key string) operatorKind {
	switch key {
	case "aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice", "aws:multifactorauthpresent",
		"kms:bypasspolicylockoutsafetycheck", "kms:grantisforawsresource", "kms:multiregion", "kms:reencryptonsamekey":
		return boolOperator
	case "aws:sourceip", "aws:vpcsourceip":
		return addressOperator
	case "aws:currenttime", "aws:tokenissuetime", "s3:object-lock-retain-until-date", "kms:validto":
		return dateOperator
	case "aws:multifactorauthage", "aws:epochtime", "s3:max-keys", "s3:signatureage", "s3:tlsversion",
		"s3:object-lock-remaining-retention-days", "kms:rotationperiodindays", "kms:schedulekeydeletionpendingwindowindays":
		return numericOperator
	}
	return unknownOperator
}

// arnKey reports whether AWS documents that the key's value is an ARN. See "AWS global
// condition context keys" and "Actions, resources, and condition keys for Amazon S3". Not
// the key of an object's encryption, which holds what the client's header did.
func arnKey(key string) bool {
	switch key {
	case "aws:sourcearn", "aws:principalarn", "aws:sourcevpcarn", "aws:chatbotsourcearn",
		"s3:dataaccesspointarn", "s3:accessgrantsinstancearn":
		return true
	}
	return false
}

// inEveryRequest reports whether AWS documents that the key is in every request, so that
// it is there even if its value is empty. See "AWS global condition context keys".
func inEveryRequest(key string) bool {
	switch key {
	case "aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:securetransport", "aws:useragent", "aws:viaawsservice":
		return true
	}
	return false
}
