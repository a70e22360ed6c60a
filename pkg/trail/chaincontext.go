package trail

import (
	"maps"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// encryptionContext begins the names of the condition keys that hold a pair of the
// encryption context.
const encryptionContext = "kms:EncryptionContext:"

// serviceContext is what CloudTrail's requests to a key or topic have in common with those
// to the bucket: on whose behalf it asks, and what only other callers have. Keys of other
// services than the one that is asked are absent.
func serviceContext(t Trail, s Environment, resource string) map[string]policy.Value {
	keys := callerKeys(t, s)
	s.BucketRegion, s.BucketOwner = ofARN(resource)
	placeKeys(keys, t, s)
	delete(keys, "s3:ResourceAccount")
	timeKeys(keys, s.Now)
	keys["aws:PrincipalType"] = policy.Value{State: policy.Either} // seen for S3 and SNS, at the check of a trail
	return keys
}

// keyContext is the context of a request to the trail's key, but for the encryption context.
//
// Source: "AWS KMS condition keys", conditions-kms.html. Not documented for a service
// principal are kms:ViaService, which is S3's or absent, and kms:CallerAccount.
func keyContext(t Trail, s Environment, k Key) policy.Context {
	keys := serviceContext(t, s, k.ARN)
	region, _ := ofARN(k.ARN)
	ofKey(keys, k, "s3."+region+".amazonaws.com")
	return policy.NewContext(policy.Value{}).WithAll(keys)
}

// ofKey are the keys that say what the key is, and through whom it is asked.
func ofKey(keys map[string]policy.Value, k Key, via string) {
	// is is a fact of the key.
	is := func(text string) policy.Value {
		if text == "" {
			return policy.Value{State: policy.Present}
		}
		return policy.Is(text)
	}
	keys["kms:KeySpec"], keys["kms:CustomerMasterKeySpec"] = is(k.Spec), is(k.Spec)
	keys["kms:KeyUsage"], keys["kms:CustomerMasterKeyUsage"] = is(k.Usage), is(k.Usage)
	keys["kms:KeyOrigin"], keys["kms:MultiRegion"] = is(k.Origin), is(k.MultiRegion)
	keys["kms:MultiRegionKeyType"] = policy.Value{State: policy.Either, OneOf: []string{"PRIMARY", "REPLICA"}}
	switch {
	case k.MultiRegionType != "":
		keys["kms:MultiRegionKeyType"] = policy.Is(k.MultiRegionType)
	case k.MultiRegion == "false":
		keys["kms:MultiRegionKeyType"] = policy.Value{}
	}
	keys["kms:ResourceAliases"] = policy.Value{State: policy.Either, Multi: true}
	keys["kms:EncryptionAlgorithm"] = policy.Is("SYMMETRIC_DEFAULT")
	keys["kms:ViaService"] = policy.Value{State: policy.Either, OneOf: []string{via}}
	keys["kms:CallerAccount"] = policy.Value{State: policy.Either}
}

// withEncryptionContext sets the pairs of the encryption context; there are no others. A pair
// without a value has one that is not known.
func withEncryptionContext(c policy.Context, pairs map[string]string) policy.Context {
	keys := map[string]policy.Value{}
	for name, value := range pairs {
		keys[encryptionContext+name] = policy.Value{State: policy.Present}
		if value != "" {
			keys[encryptionContext+name] = policy.Is(value)
		}
	}
	keys["kms:EncryptionContextKeys"] = policy.Set(slices.Sorted(maps.Keys(pairs))...)
	return c.WithAll(keys)
}

// topicContext is the context of a notification.
//
// aws:SourceOwner is absent: the policy that SNS gives a new topic asks for it, and a trail
// cannot be made with it. Source: an issue that met it,
// https://github.com/ministryofjustice/modernisation-platform-terraform-baselines/issues/63.
func topicContext(t Trail, s Environment, topic string) policy.Context {
	keys := serviceContext(t, s, topic)
	keys["aws:PrincipalType"] = policy.Value{State: policy.Present}
	keys["aws:SourceOwner"] = policy.Value{}
	return policy.NewContext(policy.Value{}).WithAll(keys)
}

// topicKeyContext is the context of a request to the key of the trail's topic. SNS asks it on
// CloudTrail's behalf. Whether it says for which trail is not documented; if it does, for
// this one. The encryption context names the topic, and no file.
// Source: a capture of the requests, github.com/radkawar/stackd, docs/sns.md.
func topicKeyContext(t Trail, s Environment, topic string, k Key) policy.Context {
	keys := serviceContext(t, s, k.ARN)
	region, _ := ofARN(k.ARN)
	ofKey(keys, k, "sns."+region+".amazonaws.com")
	keys["aws:SourceArn"] = policy.Value{State: policy.Either, OneOf: []string{t.ARN}}
	keys["aws:SourceAccount"] = policy.Value{State: policy.Either, OneOf: []string{t.Account()}}
	return withEncryptionContext(policy.NewContext(policy.Value{}).WithAll(keys), map[string]string{
		"aws:sns:topicArn": topic, "aws:sns:sourceArn": t.ARN, "aws:sns:sourceAccount": t.Account(),
	})
}
