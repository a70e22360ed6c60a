package alert

import (
	"encoding/json"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// remake are the commands that make a trail again as it was. They are given all or none: a trail
// that records less than before is what somebody may have wanted.
//
// What DescribeTrails and GetEventSelectors do not tell is not among it: tags, Insights
// selectors, and event selectors that were too long to be remembered.
func remake(t trail.Trail) ([]command, bool) {
	values := map[string]string{
		"name": t.Name, "bucket": t.Bucket, "prefix": t.Prefix, "topic": t.SNSTopic, "group": t.LogGroup, "role": t.LogRole,
		"key": t.KMSKeyID, "home": t.HomeRegion,
	}
	flag := func(on bool, name string) string {
		if on {
			return " --" + name
		}
		return " --no-" + name
	}
	create := "aws cloudtrail create-trail --name {name} --s3-bucket-name {bucket}[ --s3-key-prefix {prefix}][ --sns-topic-name {topic}]" +
		flag(t.GlobalEvents || t.MultiRegion, "include-global-service-events") + flag(t.MultiRegion, "is-multi-region-trail") +
		flag(t.LogFileValidation, "enable-log-file-validation") +
		"[ --cloud-watch-logs-log-group-arn {group} --cloud-watch-logs-role-arn {role}][ --kms-key-id {key}]"
	if t.Organization {
		create += " --is-organization-trail"
	}
	templates := []string{create + " --region {home}"}
	selectors, ok := selectorsCommand(t)
	if !ok {
		return nil, false
	}
	if selectors.document != "" {
		templates = append(templates, selectors.words)
	}
	if t.InsightSelectors {
		templates = append(templates,
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=PutInsightSelectors --region {home}")
	}
	templates = append(templates, "aws cloudtrail start-logging --name {name} --region {home}")
	var commands []command
	for _, template := range templates {
		words, ok := expand(template, values)
		if !ok {
			return nil, false
		}
		c := command{words: words}
		if template == selectors.words {
			c.document = selectors.document
		}
		commands = append(commands, c)
	}
	return commands, true
}

// selectorsCommand puts the event selectors back. Ok is false if the trail had some that are
// not known.
func selectorsCommand(t trail.Trail) (c command, ok bool) {
	if !t.CustomSelectors {
		return command{}, true
	}
	var s struct{ EventSelectors, AdvancedEventSelectors json.RawMessage }
	if json.Unmarshal([]byte(t.Selectors), &s) != nil {
		return command{}, false
	}
	c.words = "aws cloudtrail put-event-selectors --trail-name {name} --region {home} --event-selectors"
	text := s.EventSelectors
	if len(s.AdvancedEventSelectors) > 0 {
		c.words = "aws cloudtrail put-event-selectors --trail-name {name} --region {home} --advanced-event-selectors"
		text = s.AdvancedEventSelectors
	}
	c.document, ok = asciiJSON(text)
	return c, ok && c.document != ""
}
