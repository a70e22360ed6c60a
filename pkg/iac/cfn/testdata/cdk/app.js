// The CDK program that cdk.out beside it was synthesized from: aws-cdk-lib's Trail in five
// forms. To make it anew: npm install aws-cdk-lib@2.276.0 constructs && CDK_DEBUG=1 node app.js
const { App, Stack } = require('aws-cdk-lib');
const cloudtrail = require('aws-cdk-lib/aws-cloudtrail');
const kms = require('aws-cdk-lib/aws-kms');
const s3 = require('aws-cdk-lib/aws-s3');
const sns = require('aws-cdk-lib/aws-sns');

const app = new App({ outdir: 'cdk.out', analyticsReporting: false, stackTraces: true });
const env = { account: '111111111111', region: 'us-east-1' };

// A trail with a bucket of its own, bound to no account.
const plain = new Stack(app, 'Plain');
new cloudtrail.Trail(plain, 'Trail');

// The files are encrypted with a key of the stack.
const encrypted = new Stack(app, 'Encrypted', { env });
new cloudtrail.Trail(encrypted, 'Trail', { encryptionKey: new kms.Key(encrypted, 'Key') });

// An organization trail with a prefix.
const organization = new Stack(app, 'Organization', { env });
new cloudtrail.Trail(organization, 'Trail', {
  trailName: 'organization',
  isOrganizationTrail: true,
  orgId: 'o-exampleorg1',
  s3KeyPrefix: 'audit',
});

// A trail that tells a topic of its files.
const topic = new Stack(app, 'Topic', { env });
new cloudtrail.Trail(topic, 'Trail', { snsTopic: new sns.Topic(topic, 'Topic') });

// A bucket from elsewhere.
const imported = new Stack(app, 'Imported', { env });
new cloudtrail.Trail(imported, 'Trail', { bucket: s3.Bucket.fromBucketName(imported, 'Bucket', 'example-central') });

// A bucket of another stack.
const archive = new Stack(app, 'Archive', { env });
const shared = new s3.Bucket(archive, 'Bucket');
const user = new Stack(app, 'User', { env });
new cloudtrail.Trail(user, 'Trail', { bucket: shared });

app.synth();
