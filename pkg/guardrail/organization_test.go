package guardrail_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// management is the account of the organization trail.
const management = forwarding

func organizationTrail() trail.Trail {
	t := forwardedTrail()
	t.Name, t.ARN, t.Organization = "all", "arn:aws:cloudtrail:us-east-1:222222222222:trail/all", true
	return t
}

// ofMember is a world that is a member of an organization and sees its trail.
// The management account may not be read.
func ofMember(w *world) {
	d := w.Describe()
	d.Organization = trail.Organization{Known: true, ID: "o-abcdefghij", ManagementAccount: management}
	d.Trails = append(d.Trails, organizationTrail())
	d.Statuses = nil
	w.Account = inmem.New(d)
	w.ports.Buckets, w.ports.Organizations = w.Account, w.Account
	w.ports.Trails = &elsewhere{port: w.Account, err: &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no")}}
	w.config.Restore = nil
}

// byCloudTrail makes the event a call of CloudTrail's service-linked role.
func byCloudTrail(r guardrail.Request) guardrail.Request {
	r.Change.Actor = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/CloudTrail"
	r.Change.LinkedService = "cloudtrail.amazonaws.com"
	return r
}

// toldOfAll are the alerts of a kind about the organization trail by itself.
func (w *world) toldOfAll(kind string) (told []alert.Message) {
	for _, m := range w.alerts.Messages() {
		if m.Attributes["kind"] == kind && strings.Contains(m.Attributes["bucket"], ":trail/all") {
			told = append(told, m)
		}
	}
	return told
}

// TestOrganizationTrailIsDeletedInMember follows an organization trail that
// CloudTrail's own role deletes in a member. The event has its name alone.
func TestOrganizationTrailIsDeletedInMember(t *testing.T) {
	deleted := func(w *world) {
		w.DeleteTrail(organizationTrail().ARN)
		r := byCloudTrail(w.trailEvent("DeleteTrail"))
		r.Trail, r.Change.Trail = "all", "all"
		w.reconcile(t, r)
		w.reconcile(t, r)
	}
	check := func(t *testing.T, w *world, arn string) {
		t.Helper()
		told := w.toldOfAll("opened")
		if len(told) != 1 {
			t.Fatalf("%d alerts of it, among %q", len(told), w.kinds())
		}
		if !strings.Contains(told[0].Subject, "stopped for all - trail deleted by CloudTrail's service-linked role") ||
			!strings.Contains(told[0].Body, "Trail       "+arn) || !strings.Contains(told[0].Body, "list-aws-service-access-for-organization") {
			t.Errorf("subject %q, body:\n%s", told[0].Subject, told[0].Body)
		}
		if never := "arn:aws:cloudtrail:us-east-1:111111111111:trail/all"; strings.Contains(told[0].Body, never) {
			t.Errorf("the alert tells of a trail that never was:\n%s", told[0].Body)
		}
	}
	t.Run("remembered", func(t *testing.T) {
		w := newWorld(t, ofMember)
		w.sweep(t)
		deleted(w)
		check(t, w, organizationTrail().ARN)
		w.sweep(t)
		check(t, w, organizationTrail().ARN)
		w.PutTrail(organizationTrail(), trail.Status{Logging: true})
		w.sweep(t)
		if len(w.toldOfAll("resolved")) != 1 {
			t.Errorf("told %q", w.kinds())
		}
	})
	t.Run("not remembered", func(t *testing.T) {
		w := newWorld(t, ofMember)
		deleted(w)
		check(t, w, organizationTrail().ARN)
	})
	t.Run("of an organization that is not known", func(t *testing.T) {
		w := newWorld(t, ofMember)
		w.ports.Organizations = inmem.New(inmem.Description{Account: account, Region: region})
		w.rebuild()
		deleted(w)
		check(t, w, "arn:aws:cloudtrail:us-east-1::trail/all")
		if strings.Contains(w.lastAlert(t), "Accounts    \n") {
			t.Errorf("the alert names no account:\n%s", w.lastAlert(t))
		}
		w.sweep(t)
		check(t, w, "arn:aws:cloudtrail:us-east-1::trail/all")
	})
}

// TestDeletedTrailHasNameOfOrganizationTrail deletes an account's own trail
// whose name an organization trail has too.
func TestDeletedTrailHasNameOfOrganizationTrail(t *testing.T) {
	w := newWorld(t, ofMember)
	w.sweep(t)
	r := w.trailEvent("DeleteTrail")
	r.Trail, r.Change.Trail = "all", "all"
	w.reconcile(t, r)
	if body := w.lastAlert(t); !strings.Contains(body, "arn:aws:cloudtrail:us-east-1:111111111111:trail/all") {
		t.Errorf("body:\n%s", body)
	}
}

// TestOrganizationEvents looks at all organization trails after a call that may
// have taken them away.
func TestOrganizationEvents(t *testing.T) {
	event := func(w *world, name string) guardrail.Request {
		r := w.event(name)
		r.Organization, r.Change.Target = true, "cloudtrail.amazonaws.com"
		return r
	}
	t.Run("nothing is wrong", func(t *testing.T) {
		w := newWorld(t, listOnly)
		for _, name := range []string{"DisableAWSServiceAccess", "LeaveOrganization", "RemoveAccountFromOrganization", "CloseAccount", "AccountDepartedOrganization"} {
			if results := w.reconcile(t, event(w, name)); len(results) != 0 {
				t.Errorf("%s: %v", name, results)
			}
		}
		w.wantKinds(t, "")
	})
	t.Run("a bucket is broken", func(t *testing.T) {
		w := newWorld(t, listOnly)
		own := mainTrail()
		own.Organization = true
		w.PutTrail(own, trail.Status{Logging: true})
		w.put(t, "")
		if results := w.reconcile(t, event(w, "DisableAWSServiceAccess")); len(results) != 1 || results[0].Bucket != bucket {
			t.Errorf("results %v", results)
		}
		w.wantKinds(t, "opened")
	})
	t.Run("a trail is gone", func(t *testing.T) {
		w := newWorld(t, ofMember)
		w.sweep(t)
		w.DeleteTrail(organizationTrail().ARN)
		r := event(w, "RemoveAccountFromOrganization")
		w.reconcile(t, r)
		w.reconcile(t, r)
		w.sweep(t)
		told := w.toldOfAll("opened")
		if len(told) != 1 || !strings.Contains(told[0].Body, "RemoveAccountFromOrganization of cloudtrail.amazonaws.com") {
			t.Errorf("told %v", told)
		}
	})
	t.Run("the account left", func(t *testing.T) {
		// Nobody can say any more who managed the organization, and that account
		// may not be read: the trail is gone.
		w := newWorld(t, ofMember)
		w.sweep(t)
		w.DeleteTrail(organizationTrail().ARN)
		w.ports.Organizations = inmem.New(inmem.Description{Account: account, Region: region, Organization: trail.Organization{Known: true}})
		w.rebuild()
		w.reconcile(t, event(w, "LeaveOrganization"))
		if told := w.toldOfAll("opened"); len(told) != 1 || !strings.Contains(told[0].Subject, "organization left by dana") {
			t.Errorf("told %v", told)
		}
	})
	t.Run("another account cannot be read for now", func(t *testing.T) {
		w := newWorld(t, ofMember)
		w.sweep(t)
		w.DeleteTrail(organizationTrail().ARN)
		w.ports.Trails.(*elsewhere).err = &guardrail.PortError{Op: "cloudtrail:DescribeTrails", Class: guardrail.Transient, Err: errors.New("throttled")}
		if _, err := w.guard.Reconcile(t.Context(), event(w, "DisableAWSServiceAccess")); !guardrail.Is(err, guardrail.Transient) {
			t.Errorf("error %v", err)
		}
		w.clock.pass(time.Minute)
		w.ports.Trails.(*elsewhere).err = &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no")}
		w.reconcile(t, event(w, "DisableAWSServiceAccess"))
		if told := w.toldOfAll("opened"); len(told) != 1 {
			t.Errorf("told %v", told)
		}
	})
}
