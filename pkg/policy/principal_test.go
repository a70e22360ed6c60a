package policy

import (
	"testing"
)

func TestPrincipals(t *testing.T) {
	const (
		service = "cloudtrail.amazonaws.com"
		role    = "arn:aws:iam::111122223333:role/path/admin"
		session = "arn:aws:sts::111122223333:assumed-role/admin/me"
		root    = "arn:aws:iam::111122223333:root"
	)
	caller := func(kind PrincipalType, value string) Caller { return Caller{Principal: Principal{kind, value}} }
	legacy := Caller{
		Principal:          Principal{Service, service},
		Aliases:            []Principal{{AWS, "086441151436"}},
		PossiblePrincipals: []Principal{{AWS, "arn:aws:iam::475085895292:root"}},
	}
	tests := []struct {
		name    string
		caller  Caller
		entry   Principal
		want    Truth
		assumed assumptionSet
	}{
		{"everybody", caller(Service, service), Principal{Anyone, "*"}, Yes, 0},
		{"every AWS principal", caller(Service, service), Principal{AWS, "*"}, Yes, assumeAWSStar},
		{"every AWS principal, role", caller(AWS, role), Principal{AWS, "*"}, Yes, 0},
		{"service", caller(Service, service), Principal{Service, service}, Yes, 0},
		{"other service", caller(Service, service), Principal{Service, "config.amazonaws.com"}, No, 0},
		{"service in other case", caller(Service, service), Principal{Service, "CloudTrail.amazonaws.com"}, Maybe, assumeServiceCase},
		{"service of a region", caller(Service, service), Principal{Service, "cloudtrail.eu-south-1.amazonaws.com"}, Maybe, assumeRegionalService},
		{"service of China", caller(Service, service), Principal{Service, "cloudtrail.amazonaws.com.cn"}, No, 0},
		{"service whose name begins alike", caller(Service, service), Principal{Service, "cloudtrail-lake.amazonaws.com"}, No, 0},
		{"account, by service", caller(Service, service), Principal{AWS, root}, No, 0},
		{"also", legacy, Principal{AWS, "arn:aws:iam::086441151436:root"}, Yes, 0},
		{"perhaps", legacy, Principal{AWS, "475085895292"}, Maybe, assumePossiblePrincipal},
		{"role", caller(AWS, role), Principal{AWS, role}, Yes, 0},
		{"role of the account", caller(AWS, role), Principal{AWS, root}, Yes, 0},
		{"role of the account by number", caller(AWS, role), Principal{AWS, "111122223333"}, Yes, 0},
		{"role of another account", caller(AWS, role), Principal{AWS, "444455556666"}, No, 0},
		{"other role", caller(AWS, role), Principal{AWS, "arn:aws:iam::111122223333:role/other"}, No, 0},
		{"session's role", caller(AWS, session), Principal{AWS, "arn:aws:iam::111122223333:role/admin"}, Yes, 0},
		{"session's role with path", caller(AWS, session), Principal{AWS, role}, Maybe, 0},
		{"session's namesake elsewhere", caller(AWS, session), Principal{AWS, "arn:aws:iam::444455556666:role/admin"}, No, 0},
		{"session", caller(AWS, session), Principal{AWS, session}, Yes, 0},
		{"deleted role", caller(AWS, role), Principal{AWS, "AROAEXAMPLEIDEXAMPLE1"}, No, 0},
		{"canonical user of perhaps the account", caller(AWS, role), Principal{CanonicalUser, "79a59df9"}, Maybe, 0},
		{"canonical user, by service", caller(Service, service), Principal{CanonicalUser, "79a59df9"}, No, 0},
		{"anonymous, everybody", caller(Anyone, "*"), Principal{AWS, "*"}, Yes, 0},
		{"anonymous, account", caller(Anyone, "*"), Principal{AWS, root}, No, 0},
		{"federated", caller(Federated, "accounts.google.com"), Principal{Federated, "accounts.google.com"}, Yes, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, n := test.caller.is(test.entry); got != test.want || n != test.assumed {
				t.Errorf("%s (assumptions %b), want %s (%b)", got, n, test.want, test.assumed)
			}
		})
	}
}

func TestNotPrincipal(t *testing.T) {
	deny := func(principal string) *Document {
		return mustRead(t, []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/*"},
			{"Effect":"Deny","NotPrincipal":`+principal+`,"Action":"*","Resource":"arn:aws:s3:::b/*"}]}`))
	}
	role := Caller{Principal: Principal{AWS, "arn:aws:iam::111122223333:role/admin"}}
	service := Caller{Principal: Principal{Service, "cloudtrail.amazonaws.com"}}
	tests := []struct {
		name, principal string
		caller          Caller
		want            Outcome
	}{
		{"service exempted", `{"Service":"cloudtrail.amazonaws.com"}`, service, Allowed},
		{"service not exempted", `{"AWS":"111122223333"}`, service, ExplicitDeny},
		{"everybody exempted", `"*"`, service, Allowed},
		{"role with account", `{"AWS":["arn:aws:iam::111122223333:role/admin","111122223333"]}`, role, Allowed},
		{"role without account", `{"AWS":"arn:aws:iam::111122223333:role/admin"}`, role, Undetermined},
		{"other role", `{"AWS":"arn:aws:iam::111122223333:role/other"}`, role, ExplicitDeny},
		{"nobody", `{"AWS":[]}`, service, ExplicitDeny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := cloudTrailRequest(NewContext(Value{}))
			r.Caller = test.caller
			if got := deny(test.principal).Decide(r); got.Outcome != test.want {
				t.Errorf("decision %s, want %s", got.Outcome, test.want)
			}
		})
	}
}
