package awsapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// readsAtOnce bounds the reads of CloudTrail that run at once; CloudTrail
// allows ten a second.
const readsAtOnce = 5

// Trails reads trails from CloudTrail.
type Trails struct{ clients *Clients }

var _ guardrail.Trails = (*Trails)(nil)

// NewTrails returns a reader of trails.
func NewTrails(c *Clients) *Trails { return &Trails{clients: c} }

// Trails returns every trail that the account sees, each once, by ARN.
//
// ListTrails names the account's trails of all regions but does not describe
// them; DescribeTrails describes what one region sees: the trails that are at
// home there, those of several regions, and the organization's. Both are asked
// at once. Only a trail of a single other region needs a second call.
//
// Without a role there is nobody but the caller's own account to be asked: the
// answer would be of its trails, and not of the other's.
func (ts *Trails) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	if !ts.clients.actsAs(account) {
		return nil, &guardrail.PortError{
			Op: "cloudtrail:ListTrails", Class: guardrail.Denied,
			Err: fmt.Errorf("no role is set that could be assumed in account %s", account),
		}
	}
	var listed []types.TrailInfo
	found := make(map[string]trail.Trail)
	err := both(
		func() (err error) {
			listed, err = ts.list(ctx, account, region)
			return err
		},
		func() error {
			described, err := ts.describe(ctx, account, region, nil)
			collect(found, described)
			return err
		})
	if err != nil {
		return nil, err
	}
	if err := ts.describeOthers(ctx, account, listed, found); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(found), func(a, b trail.Trail) int {
		return strings.Compare(a.ARN, b.ARN)
	}), nil
}

func collect(found map[string]trail.Trail, described []trail.Trail) {
	for _, t := range described {
		found[t.ARN] = t
	}
}

func (ts *Trails) list(ctx context.Context, account, region string) ([]types.TrailInfo, error) {
	var all []types.TrailInfo
	pages := cloudtrail.NewListTrailsPaginator(ts.clients.CloudTrail(account, region), &cloudtrail.ListTrailsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure("cloudtrail:ListTrails", err)
		}
		all = append(all, page.Trails...)
	}
	return all, nil
}

// describe describes the trails of the given ARNs, or what the region sees.
// An ARN that is not there has no trail in the answer, and is no error.
func (ts *Trails) describe(ctx context.Context, account, region string, arns []string) ([]trail.Trail, error) {
	out, err := ts.clients.CloudTrail(account, region).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{
		TrailNameList:       arns,
		IncludeShadowTrails: aws.Bool(true),
	})
	if err != nil {
		return nil, failure("cloudtrail:DescribeTrails", err)
	}
	described := make([]trail.Trail, len(out.TrailList))
	for i := range out.TrailList {
		described[i] = trailOf(out.TrailList[i])
	}
	return described, nil
}

// home is the trails of a region that are to be described there.
type home struct {
	region string
	arns   []string
}

// describeOthers adds the listed trails that are not yet found, each described
// in its home region. One that is gone by then is not in the answer.
func (ts *Trails) describeOthers(ctx context.Context, account string, listed []types.TrailInfo, found map[string]trail.Trail) error {
	byRegion := make(map[string][]string)
	for _, t := range listed {
		arn := aws.ToString(t.TrailARN)
		if _, ok := found[arn]; !ok {
			byRegion[aws.ToString(t.HomeRegion)] = append(byRegion[aws.ToString(t.HomeRegion)], arn)
		}
	}
	var homes []home
	for _, region := range slices.Sorted(maps.Keys(byRegion)) {
		homes = append(homes, home{region, byRegion[region]})
	}
	describe := func(h home) ([]trail.Trail, error) { return ts.describe(ctx, account, h.region, h.arns) }
	described, err := each(homes, readsAtOnce, describe)
	for _, some := range described {
		collect(found, some)
	}
	if err != nil {
		return err
	}
	// Asked for several, a region might leave one out for another reason than
	// that it is gone. Asked for it alone, it cannot.
	var alone []home
	for _, h := range homes {
		for _, arn := range h.arns {
			if _, ok := found[arn]; !ok && len(h.arns) > 1 {
				alone = append(alone, home{h.region, []string{arn}})
			}
		}
	}
	described, err = each(alone, readsAtOnce, describe)
	for _, some := range described {
		collect(found, some)
	}
	return err
}

func trailOf(t types.Trail) trail.Trail {
	return trail.Trail{
		Name:              aws.ToString(t.Name),
		ARN:               aws.ToString(t.TrailARN),
		HomeRegion:        aws.ToString(t.HomeRegion),
		Bucket:            aws.ToString(t.S3BucketName),
		Prefix:            aws.ToString(t.S3KeyPrefix),
		KMSKeyID:          aws.ToString(t.KmsKeyId),
		MultiRegion:       aws.ToBool(t.IsMultiRegionTrail),
		Organization:      aws.ToBool(t.IsOrganizationTrail),
		GlobalEvents:      aws.ToBool(t.IncludeGlobalServiceEvents),
		LogFileValidation: aws.ToBool(t.LogFileValidationEnabled),
		CustomSelectors:   aws.ToBool(t.HasCustomEventSelectors),
		InsightSelectors:  aws.ToBool(t.HasInsightSelectors),
		SNSTopic:          aws.ToString(t.SnsTopicARN),
		LogGroup:          aws.ToString(t.CloudWatchLogsLogGroupArn),
		LogRole:           aws.ToString(t.CloudWatchLogsRoleArn),
	}
}

// Status asks the trail's home region, since a status is that of the region
// which is asked. Event selectors and aggregation are read only where the
// trail has selectors of its own, at the same time.
//
// Where reading the selectors fails, the status is returned with the error.
func (ts *Trails) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	client := ts.clients.CloudTrail(account, t.HomeRegion)
	var status trail.Status
	read := func() (err error) {
		status, err = readStatus(ctx, client, t.ARN)
		return err
	}
	if !t.CustomSelectors {
		err := read()
		return t, status, err
	}
	aggregated := t.Aggregated
	err := both(read, func() error {
		return both(
			func() (err error) {
				var out *cloudtrail.GetEventSelectorsOutput
				if out, err = readSelectors(ctx, client, t.ARN); err == nil {
					selectors := selectorsOf(out)
					t.SelectorsKnown, t.Selectors = true, selectorsText(out)
					t.NetworkActivity, t.Unlogged = selectors.NetworkActivity(), selectors.Unlogged()
				}
				return err
			},
			func() (err error) {
				aggregated, err = writesAggregated(ctx, client, t.ARN)
				t.ConfigurationKnown = err == nil
				return err
			})
	})
	t.Aggregated = aggregated
	return t, status, err
}

func readStatus(ctx context.Context, client CloudTrailAPI, arn string) (trail.Status, error) {
	out, err := client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(arn)})
	if err != nil {
		return trail.Status{}, failure("cloudtrail:GetTrailStatus", err)
	}
	status := trail.Status{
		ARN:               arn,
		Logging:           aws.ToBool(out.IsLogging),
		DeliveryError:     aws.ToString(out.LatestDeliveryError),
		DigestError:       aws.ToString(out.LatestDigestDeliveryError),
		NotificationError: aws.ToString(out.LatestNotificationError),
		LogsError:         aws.ToString(out.LatestCloudWatchLogsDeliveryError),
		DeliveredAt:       aws.ToTime(out.LatestDeliveryTime),
		DeliveryAttempt:   timeOf(out.LatestDeliveryAttemptTime),
		DigestDeliveredAt: aws.ToTime(out.LatestDigestDeliveryTime),
		StartedLoggingAt:  aws.ToTime(out.StartLoggingTime),
		StoppedLoggingAt:  aws.ToTime(out.StopLoggingTime),
	}
	return status, nil
}

// timeOf reads LatestDeliveryAttemptTime. AWS says that the field is no longer
// in use, yet fills it: a hint, never more, so that an odd value is no failure.
func timeOf(text *string) time.Time {
	s := aws.ToString(text)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC()
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil && seconds > 0 {
		return time.Unix(int64(seconds), 0).UTC()
	}
	return time.Time{}
}

func readSelectors(ctx context.Context, client CloudTrailAPI, arn string) (*cloudtrail.GetEventSelectorsOutput, error) {
	out, err := client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(arn)})
	if err != nil {
		return nil, failure("cloudtrail:GetEventSelectors", err)
	}
	return out, nil
}

// selectorsOf are the event selectors of an answer.
func selectorsOf(out *cloudtrail.GetEventSelectorsOutput) trail.Selectors {
	var s trail.Selectors
	for _, b := range out.EventSelectors {
		s.Basic = append(s.Basic, trail.BasicSelector{
			ReadWriteType: string(b.ReadWriteType), IncludeManagementEvents: b.IncludeManagementEvents,
			ExcludeManagementEventSources: b.ExcludeManagementEventSources,
		})
	}
	for _, a := range out.AdvancedEventSelectors {
		var selector trail.AdvancedSelector
		for _, f := range a.FieldSelectors {
			selector.FieldSelectors = append(selector.FieldSelectors, trail.FieldSelector{
				Field: aws.ToString(f.Field), Equals: f.Equals, NotEquals: f.NotEquals,
				StartsWith: f.StartsWith, NotStartsWith: f.NotStartsWith, EndsWith: f.EndsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		s.Advanced = append(s.Advanced, selector)
	}
	return s
}

// writesAggregated reads the trail's aggregation templates. Where CloudTrail
// does not have the operation there is nothing that could be aggregated.
func writesAggregated(ctx context.Context, client CloudTrailAPI, arn string) (bool, error) {
	out, err := client.GetEventConfiguration(ctx, &cloudtrail.GetEventConfigurationInput{TrailName: aws.String(arn)})
	if err != nil {
		switch codeOf(err) {
		case "UnsupportedOperationException", "UnknownOperationException", "InvalidAction":
			return false, nil
		}
		return false, failure("cloudtrail:GetEventConfiguration", err)
	}
	return slices.ContainsFunc(out.AggregationConfigurations, func(c types.AggregationConfiguration) bool {
		return len(c.Templates) > 0
	}), nil
}
