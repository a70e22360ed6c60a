package alert

import "github.com/trailwarden/trailwarden/pkg/delivery"

// anyFinding stands for every family of findings.
const anyFinding = "*"

// need is what must hold of a finding for a rule to speak.
type need uint8

const (
	always     need = iota
	restorable      // restoring would mend it
	refused         // restoring would not
	denied          // a Deny stands in the way
	obstructed      // restoring would, but for what the refusal says
	ours            // its trail is of the alert's account
	theirs          // its trail is of another account: an organization trail, seen from a member
	settings        // a setting of the trail brings back what is lost
	selectors       // its event selectors bring back what is lost
	ofRCP           // a resource control policy is in its way
)

// scope is what an alert has to be about for a rule to speak.
type scope uint8

const (
	anything        scope = iota
	oneAccount            // a bucket, a trail or an account
	theOrganization       // the accounts of an organization
)

func (s scope) met(ofOrganization bool) bool {
	return s == anything || ofOrganization == (s == theOrganization)
}

// rule is one line of the table of next steps. It speaks once for an alert if
// its kind and its finding are there, with the commands for each trail that the
// findings name.
type rule struct {
	kinds   []Kind // none: every kind
	finding string // family of findings, which is the id of most; empty: no finding is asked for
	need    need
	about   scope
	// beside says that it does not speak where all that is wrong is so.
	beside need
	held   bool // only while repairs are on hold
	sound  bool // only if nothing is wrong any more
	whole  bool // only if its commands can be given, all of them
	// unmended says that it speaks only where no whole policy is known that could be put.
	unmended bool
	// former says that its commands make a deleted trail again as it was, and that it speaks only
	// where that is known; unremembered, only where it is not.
	former, unremembered bool
	// text may hold {statements}, {read}: when the bucket was read, and {insights}: what is not
	// known of a trail's.
	text string
	// commands are templates, with the values and documents of [view.values] and
	// [view.document]: "--flag {value}", "[ --optional {value}]", and at the end "--flag @document".
	commands []string
	// flags says that the last command ends with those of update-trail that bring back
	// what is lost.
	flags bool
}

// The commands that several rules give. What the guard knows stands in them: a person in
// another region, or in another account, gets what is meant or an error.
const (
	restore = "trailwarden restore --bucket {bucket}[ --bucket-owner {account}][ --region {stack}][ --table {table}]"
	undo    = "trailwarden undo --bucket {bucket}[ --bucket-owner {account}] --region {stack} --table {table}"
	audit   = "trailwarden audit[ --region {stack}]"

	getPolicy = "aws s3api get-bucket-policy --bucket {bucket}[ --expected-bucket-owner {account}][ --region {region}]"
	putPolicy = "aws s3api put-bucket-policy --bucket {bucket}[ --expected-bucket-owner {account}][ --region {region}] --policy @mended"
	putPayer  = "aws s3api put-bucket-request-payment --bucket {bucket}[ --expected-bucket-owner {account}][ --region {region}]" +
		" --request-payment-configuration Payer=BucketOwner"

	getTrails = "aws cloudtrail describe-trails --region {seen-from} > trails.json"
	// ofOrganization is asked for where an organization trail needs it and it is not known.
	ofOrganization  = "[ --organization-id {organization}]"
	askOrganization = ` --organization-id "$(aws organizations describe-organization[ --region {global}] --query Organization.Id --output text)"`

	listRCPs = "aws organizations list-policies-for-target --target-id {account} --filter RESOURCE_CONTROL_POLICY[ --region {global}]"

	status = "aws cloudtrail get-trail-status --name {trail} --region {home}"
	start  = "aws cloudtrail start-logging --name {trail} --region {home}"
)

// rules is the table of next steps, the most urgent first.
func rules() []rule {
	return append(urgent(), closing()...)
}

// urgent is what gets delivery going again.
func urgent() []rule {
	return []rule{
		{
			kinds: []Kind{BudgetExhausted},
			text: "Agree with those who change it, named above, on one place that owns the policy. The policy that belongs there " +
				"is the one below.",
		},
		{
			kinds: []Kind{RestoreFailed},
			text: "Take away what made the repair fail; it is named above, under \"Done\". Then restore it. The command shows the " +
				"change and asks before it writes:",
			commands: []string{restore},
		},
		{
			finding: delivery.DeniedFamily, need: denied,
			text: "Let CloudTrail through {statements}, where the policy is maintained (a template, a pipeline). Trailwarden never " +
				"edits a Deny; it shows how it has to read:",
			commands: []string{audit},
		},
		{
			finding: delivery.RCPDeniedID, need: refused,
			text: "Let CloudTrail through {statements} of the resource control policies, in the organization's management account. " +
				"No policy of the bucket can allow what they deny, and Trailwarden never edits them; it shows how the statement has to read. " +
				"With credentials of that account, see which are in effect for the bucket's:",
			commands: []string{listRCPs},
		},
		{
			finding: delivery.DeniedFamily, need: obstructed,
			text: "Take away what keeps the policy from being restored; the reason is told below. Then see the change, " +
				"and restore it:",
			commands: []string{restore},
		},
		{
			finding: anyFinding, need: restorable,
			text:     "Restore it. The command shows the change and asks before it writes:",
			commands: []string{restore},
		},
		{
			finding: anyFinding, whole: true,
			text:     "Or put the whole policy with the AWS CLI alone. It takes the place of the one that was read at {read}:",
			commands: []string{putPolicy},
		},
		{
			finding: delivery.BucketMissingID,
			text: "Create the bucket again in its account, with the policy that AWS documents for its trails. If the command says " +
				"that the name is taken, it belongs to somebody else now:",
			commands: []string{
				"aws s3api create-bucket --bucket {bucket}[ --region {region}][ --create-bucket-configuration LocationConstraint={location}]",
				"aws s3api put-bucket-policy --bucket {bucket}[ --expected-bucket-owner {account}][ --region {region}] --policy @documented",
			},
		},
		{
			finding: delivery.BucketOwnerChangedID,
			text: "Treat this as an incident, unless it is a bucket of yours in another account (then declare its owner: parameter " +
				"BucketOwners): the bucket's name belongs to somebody else now, and nothing must be written to it. Let the trail " +
				"use a new bucket of your own:",
			commands: []string{
				"aws s3api create-bucket --bucket {new} --region {stack}[ --create-bucket-configuration LocationConstraint={stack-location}]",
				"aws s3api put-bucket-policy --bucket {new} --expected-bucket-owner {account} --region {stack} --policy @documented-new",
				"aws cloudtrail update-trail --name {trail} --s3-bucket-name {new} --region {home}",
			},
		},
		{
			finding: delivery.TrailDeletedID, need: theirs,
			text: "The trail is the organization's, and only its own account can bring it back. With credentials of the management " +
				"account, see whether it still exists for the organization, whether CloudTrail has trusted access, and whether this " +
				"account is still a member:",
			commands: []string{
				"aws cloudtrail describe-trails --region {home}",
				"aws organizations list-aws-service-access-for-organization[ --region {global}]",
				"aws organizations list-accounts[ --region {global}]",
			},
		},
		{
			finding: delivery.TrailDeletedID, need: ours, former: true,
			text: "If the trail was not deleted on purpose, create it again as it was, but for its tags, and start it.{insights} The " +
				"commands:",
		},
		{
			finding: delivery.TrailDeletedID, need: ours, unremembered: true,
			text: "If the trail was not deleted on purpose, create it again with its former settings, and start it. The calls that " +
				"made it say what these were:",
			commands: []string{
				"aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue={name} --region {home}",
			},
		},
		{
			finding:  delivery.TrailStoppedID,
			text:     "Start the trail again:",
			commands: []string{start},
		},
		{
			finding: delivery.NoTrailID,
			text: "Find out whether the trails were deleted, and by whom; the event shows what they were. Then make a trail of " +
				"every region again (aws cloudtrail create-trail, then start-logging), or let the organization's trail cover the account:",
			commands: []string{
				"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=DeleteTrail --region {stack}",
			},
		},
		{
			finding: delivery.AccountsUnreadID,
			text: "See in which accounts the StackSet has not put the reading role, or has failed to, and which policy denies " +
				"sts:AssumeRole there. The sweep asks these accounts again, and tells when all of them can be read.",
		},
		{
			finding: delivery.ForwardingSilentID,
			text: "See in these accounts and regions whether the rules trailwarden-forward-* are there and enabled, and into their dead-letter " +
				"queue; let the StackSet put back what is missing. The next event that comes settles it.",
		},
		{
			finding: delivery.TrailSilentID, text: logAgain, commands: logAgainCommands(),
		},
		{
			finding: delivery.TrailCoversLessID, need: selectors, text: logAgain, commands: logAgainCommands(),
		},
		{
			finding: delivery.TrailCoversLessID, need: settings, flags: true,
			text:     "If it was not meant, set the trail back to what it was:",
			commands: []string{"aws cloudtrail update-trail --name {trail} --region {home}"},
		},
		{
			finding:  delivery.RequesterPaysID,
			text:     "Or, with the AWS CLI alone, let the bucket's owner pay for requests again:",
			commands: []string{putPayer},
		},
		{
			finding: delivery.PolicyMissingID, need: refused, unmended: true,
			text:     "Write the policy that AWS documents for the trails. Print it with:",
			commands: []string{getTrails, "trailwarden required --bucket {bucket} --trails trails.json" + ofOrganization},
		},
		{
			finding: delivery.PolicyUnreadableID,
			text: "Let Trailwarden's role read the policy (s3:GetBucketPolicy) if it may not, and look at it yourself from the " +
				"bucket's account:",
			commands: []string{getPolicy},
		},
		{
			finding: delivery.ValuesUnknownID,
			text:    "Write the policy in values that are known before it is made, such as the bucket's name in place of its ARN.",
		},
		{
			finding: delivery.PolicyContestedID,
			text:    "Let one resource set the bucket's policy, with the statements of all.",
		},
		{
			finding: delivery.ExpectedShutOutID,
			text: "Ask the owners of the accounts whether their trails deliver there. If so, put the grant back where the policy " +
				"is maintained. See what the policy says now:",
			commands: []string{getPolicy},
		},
		{
			finding: delivery.KeyUnusableID,
			text: "Enable the key, or cancel its deletion, or give the trail another one. Then see whether CloudTrail delivers, with the " +
				"next file:",
			commands: []string{status},
		},
		{
			finding: delivery.KeyDeniedFamily,
			text: "Change the policy of the trail's key as told below, where it is maintained. Trailwarden never edits the policy of a key. " +
				"Then see whether CloudTrail delivers, with the next file:",
			commands: []string{status},
		},
		{
			finding:  delivery.KeyUnreadableID,
			text:     "Let Trailwarden's role read the trail's key (kms:DescribeKey, kms:GetKeyPolicy). Until then see what CloudTrail reports:",
			commands: []string{status},
		},
		{
			finding: delivery.DeliveryFailingID,
			text: "Look at what the policy does not show: the KMS key and its policy, and the organization's resource " +
				"control policies. See CloudTrail's own words, and who may use the key:",
			commands: []string{status, "aws kms get-key-policy --key-id {key} --policy-name default --output text --region {key-region}"},
		},
		{
			finding: delivery.DeliveryStaleID,
			text: "See whether files arrive again, and whose the bucket is. Then look at what neither shows: the organization's resource " +
				"control policies, the trail's key, and AWS Health for CloudTrail and Amazon S3:",
			commands: []string{status, "aws s3api head-bucket --bucket {bucket}[ --expected-bucket-owner {account}][ --region {region}]"},
		},
	}
}

// logAgain is what brings back management events.
const logAgain = "Let the trail log management events again. The second command replaces its event selectors: keep what the " +
	"first one prints, and add the data events of it that are still wanted:"

func logAgainCommands() []string {
	return []string{
		"aws cloudtrail get-event-selectors --trail-name {trail} --region {home}",
		"aws cloudtrail put-event-selectors --trail-name {trail} --region {home} " +
			"--event-selectors ReadWriteType=All,IncludeManagementEvents=true",
	}
}

// closing is what can wait until delivery is right.
func closing() []rule {
	const harden = restore + " --harden"
	return []rule{
		{
			finding: delivery.PolicyTooComplexID,
			text: "Find out who wrote the policy so, and make it simpler, the named statements first. Until then CloudTrail's own " +
				"report tells whether files are delivered. Ask for it, and judge the policy again:",
			commands: []string{
				status, getPolicy + " > policy.json", getTrails,
				"trailwarden check --bucket {bucket}[ --bucket-owner {account}][ --bucket-region {region}] --policy policy.json" +
					" --trails trails.json" + ofOrganization,
			},
		},
		{
			finding: delivery.UndeterminedFamily,
			text:    "See what the answer hangs on:",
			commands: []string{
				getPolicy + " > policy.json",
				getTrails,
				"trailwarden explain --bucket {bucket}[ --bucket-owner {account}][ --bucket-region {region}] --policy policy.json" +
					" --trails trails.json" + ofOrganization,
			},
		},
		{
			finding: delivery.RCPUndeterminedID,
			text: "See which resource control policies are in effect for the bucket's account, with credentials of the organization's " +
				"management account:",
			commands: []string{listRCPs},
		},
		{
			finding:  delivery.KeyUndeterminedFamily,
			text:     "See what the answer hangs on, and whether CloudTrail delivers:",
			commands: []string{status},
		},
		{
			finding: delivery.NotificationFailingID,
			text: "Change the policy of the topic, or of its key, as told below, where it is maintained. CloudTrail's error stays until " +
				"the next file:",
			commands: []string{status},
		},
		{
			finding:  delivery.LogsDeliveryFailingID,
			text:     "Look at the trail's role and its log group in CloudWatch Logs, and see whether the next events arrive:",
			commands: []string{status},
		},
		{
			finding:  delivery.NotificationUndeterminedID,
			text:     "See whether CloudTrail could tell the topic of its last file:",
			commands: []string{status},
		},
		{
			finding: delivery.TrailCoversLessID,
			text: "If it was meant, accept it with a reason and an end, and it is told as resolved; trailwarden accept --help " +
				"says how.",
		},
		{
			finding:  delivery.TrailNotStartedID,
			text:     "Start the new trail:",
			commands: []string{start},
		},
		{
			finding: delivery.SourceARNMissingID, need: refused,
			text:     "Bind the grant to its trail. The command shows the change and asks before it writes:",
			commands: []string{harden},
		},
		{
			finding: delivery.LegacyAccountsID, need: refused,
			text:     "Grant to the service cloudtrail.amazonaws.com. The command shows the change and asks before it writes:",
			commands: []string{harden},
		},
		{
			finding:  delivery.GrantExpiresID,
			text:     "Let the grant outlast the date. The command shows the change, if no Deny is in the way, and asks before it writes:",
			commands: []string{harden},
		},
		{
			finding: delivery.BacklogDeniedID,
			text: "If CloudTrail had trouble in the last 30 days, let it write the files of those days too. The command shows the " +
				"change and asks before it writes:",
			commands: []string{harden},
		},
		{
			finding:  delivery.NewRegionsNotGrantedID,
			text:     "Before a region is enabled, grant its folder too, or all of them. The command shows the change and asks before it writes:",
			commands: []string{harden},
		},
		{
			finding: delivery.StaleTrailARNID,
			text:    "Take the ARN of the trail that is gone out of the grant, where the policy is maintained.",
		},
		{
			finding: delivery.TrailRemovedID,
			text:    "Keep the trail's resource, or say where in the code it moved, if the trail is not meant to go.",
		},
		{
			finding: delivery.TrailBeforePolicyID,
			text:    "Let the trail depend on the policy of its bucket, where both are maintained.",
		},
		{
			finding: delivery.GrantWithoutTrailID,
			text:    "Declare the trails that use the bucket, or take the grant away where the policy is maintained.",
		},
		{
			kinds: []Kind{Restored},
			text: "Find out who made the change and why, and correct it at its source (a template, a pipeline), or " +
				"the next run breaks it again.",
		},
		{
			kinds: []Kind{Restored}, whole: true,
			text:     "If the repair was not wanted, put the former policy back. The command shows it and asks before it writes:",
			commands: []string{undo},
		},
		{
			held:     true,
			text:     "Repairs are on hold. Let them go on when the bucket may be repaired again:",
			commands: []string{undo + " --release"},
		},
		{
			kinds: []Kind{Opened, Changed, Reminder}, finding: anyFinding, need: ofRCP,
			text: "When it is done, the next sweep tells so. Until then CloudTrail's own report does (aws cloudtrail get-trail-status). " +
				"trailwarden audit sees such policies with --organization only.",
		},
		{
			kinds: []Kind{Opened, Changed, Reminder, RestoreFailed, BudgetExhausted}, about: oneAccount, beside: ofRCP,
			text:     "When it is done, check:",
			commands: []string{audit},
		},
		{
			kinds: []Kind{Opened, Changed, Reminder}, about: theOrganization,
			text:     "When it is done, check. The command names all accounts that are concerned, and since when:",
			commands: []string{"trailwarden organization status[ --region {stack}][ --table {table}]"},
		},
		{
			kinds: []Kind{Resolved}, sound: true,
			text: "Nothing needs to be done.",
		},
	}
}
