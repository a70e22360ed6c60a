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
)

// rule is one line of the table of next steps. It speaks once for an alert if
// its kind and its finding are there, with the commands for each trail that the
// findings name.
type rule struct {
	kinds   []Kind // none: every kind
	finding string // family of findings, which is the id of most; empty: no finding is asked for
	need    need
	held    bool // only while repairs are on hold
	sound   bool // only if nothing is wrong any more
	text    string
	// commands may hold {bucket}, {trail} (the ARN), {name} and {region} (the
	// trail's).
	commands []string
}

// The commands that several rules give.
const (
	getPolicy = "aws s3api get-bucket-policy --bucket {bucket} > policy.json"
	getTrails = "aws cloudtrail describe-trails > trails.json"
	required  = "trailwarden required --bucket {bucket} --trails trails.json"
	plan      = "trailwarden plan --bucket {bucket} --policy policy.json --trails trails.json"
	move      = "aws cloudtrail update-trail --name {trail} --s3-bucket-name NEW-BUCKET --region {region}"
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
			text: "Agree with those who change it, named above, on one place that owns the policy, and put the " +
				"statements that AWS documents there:",
			commands: []string{getTrails, required},
		},
		{
			kinds: []Kind{RestoreFailed},
			text:  "Take away what made the repair fail. It is named above.",
		},
		{
			finding: anyFinding, need: restorable,
			text:     "Restore it. The command shows the change and asks before it writes:",
			commands: []string{"trailwarden restore --bucket {bucket}"},
		},
		{
			finding:  delivery.BucketMissingID,
			text:     "Create the bucket again in its account, or let the trail use another one whose policy admits it:",
			commands: []string{move},
		},
		{
			finding: delivery.BucketOwnerChangedID,
			text: "Treat this as an incident: the bucket's name belongs to another account now, and nothing must be " +
				"written to it. Let the trail use a bucket of your own:",
			commands: []string{move},
		},
		{
			finding: delivery.TrailDeletedID, need: theirs,
			text: "The trail is the organization's, and only its own account can bring it back. There, see whether it still " +
				"exists for the organization, whether CloudTrail has trusted access, and whether this account is still a member:",
			commands: []string{
				"aws cloudtrail describe-trails --region {region}",
				"aws organizations list-aws-service-access-for-organization",
				"aws organizations list-accounts",
			},
		},
		{
			finding: delivery.TrailDeletedID, need: ours,
			text: "If the trail was not deleted on purpose, create it again with its former settings, and start it:",
			commands: []string{
				"aws cloudtrail create-trail --name {name} --s3-bucket-name BUCKET --region {region}",
				"aws cloudtrail start-logging --name {name} --region {region}",
			},
		},
		{
			finding:  delivery.TrailStoppedID,
			text:     "Start the trail again:",
			commands: []string{"aws cloudtrail start-logging --name {trail} --region {region}"},
		},
		{
			finding: delivery.DeniedFamily, need: denied,
			text: "Let CloudTrail through the statement that stands in its way, where the policy is maintained. " +
				"Trailwarden never edits a Deny; it prints the exact edit:",
			commands: []string{getPolicy, getTrails, plan},
		},
		{
			finding: delivery.DeniedFamily, need: obstructed,
			text: "Take away what keeps the policy from being restored; the reason is told below. Then see the change, " +
				"and restore it:",
			commands: []string{getPolicy, getTrails, plan, "trailwarden restore --bucket {bucket}"},
		},
		{
			finding: delivery.RequesterPaysID, need: refused,
			text:     "Let the bucket's owner pay for requests again:",
			commands: []string{"aws s3api put-bucket-request-payment --bucket {bucket} --request-payment-configuration Payer=BucketOwner"},
		},
		{
			finding: delivery.PolicyMissingID, need: refused,
			text:     "Write the policy that AWS documents for the trails. Print it with:",
			commands: []string{getTrails, required},
		},
		{
			finding: delivery.PolicyUnreadableID,
			text: "Let Trailwarden's role read the policy (s3:GetBucketPolicy) if it may not, and look at it yourself from the " +
				"bucket's account:",
			commands: []string{"aws s3api get-bucket-policy --bucket {bucket}"},
		},
		{
			finding: delivery.DeliveryFailingID,
			text: "Look at what the policy does not show: the KMS key and its policy, and the organization's resource " +
				"control policies. See CloudTrail's own words:",
			commands: []string{"aws cloudtrail get-trail-status --name {trail} --region {region}"},
		},
	}
}

// closing is what can wait until delivery is right.
func closing() []rule {
	return []rule{
		{
			finding: delivery.PolicyTooComplexID,
			text: "Find out who wrote the policy so, and make it simpler, the named statements first. Until then CloudTrail's own " +
				"report (get-trail-status) tells whether files are delivered. Judge it again with:",
			commands: []string{getPolicy, getTrails, "trailwarden check --bucket {bucket} --policy policy.json --trails trails.json"},
		},
		{
			finding:  delivery.UndeterminedFamily,
			text:     "See what the answer hangs on:",
			commands: []string{getPolicy, getTrails, "trailwarden explain --bucket {bucket} --policy policy.json --trails trails.json"},
		},
		{
			finding: delivery.SourceARNMissingID, need: refused,
			text:     "Bind the grant to its trail. See the change that would do it:",
			commands: []string{getPolicy, getTrails, plan + " --harden"},
		},
		{
			finding: delivery.LegacyAccountsID, need: refused,
			text:     "Grant to the service cloudtrail.amazonaws.com. See the change that would do it:",
			commands: []string{getPolicy, getTrails, plan + " --harden"},
		},
		{
			finding:  delivery.GrantExpiresID,
			text:     "Let the grant outlast the date. See the change that would do it, if no Deny is in the way:",
			commands: []string{getPolicy, getTrails, plan + " --harden"},
		},
		{
			finding:  delivery.BacklogDeniedID,
			text:     "If CloudTrail had trouble in the last 30 days, let it write the files of those days too. See the change:",
			commands: []string{getPolicy, getTrails, plan + " --harden"},
		},
		{
			finding:  delivery.NewRegionsNotGrantedID,
			text:     "Before a region is enabled, grant its folder too, or all of them. See the change:",
			commands: []string{getPolicy, getTrails, plan + " --harden"},
		},
		{
			finding: delivery.StaleTrailARNID,
			text:    "Take the ARN of the trail that is gone out of the grant, where the policy is maintained.",
		},
		{
			kinds: []Kind{Restored},
			text: "Find out who made the change and why, and correct it at its source (a template, a pipeline), or " +
				"the next run breaks it again. If the repair was not wanted, put the former policy back (TABLE is the " +
				"stack's output TableName):",
			commands: []string{"trailwarden undo --bucket {bucket} --table TABLE"},
		},
		{
			held:     true,
			text:     "Repairs are on hold. Let them go on when the bucket may be repaired again (TABLE is the stack's output TableName):",
			commands: []string{"trailwarden undo --release --bucket {bucket} --table TABLE"},
		},
		{
			kinds:    []Kind{Opened, Changed, Reminder, RestoreFailed, BudgetExhausted},
			text:     "When it is done, check:",
			commands: []string{"trailwarden audit"},
		},
		{
			kinds: []Kind{Resolved}, sound: true,
			text: "Nothing needs to be done.",
		},
	}
}
