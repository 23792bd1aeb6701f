package cloudtrail

import "testing"

const (
	athenaHeader = `"eventversion","useridentity","eventtime","eventsource","eventname","awsregion","sourceipaddress","useragent","errorcode","requestparameters","readonly","recipientaccountid","region"`
	athenaRow    = `"1.08","{type=AssumedRole, principalid=AROA:s, arn=arn:aws:sts::111122223333:assumed-role/app/s, accountid=111122223333, invokedby=null, accesskeyid=ASIA, username=null, sessioncontext={attributes={mfaauthenticated=true, creationdate=2026-01-01T10:00:00Z}, sessionissuer={type=Role, principalid=AROA, arn=arn:aws:iam::111122223333:role/app, accountid=111122223333, username=a, b}}}","2026-01-01T10:00:00Z","ec2.amazonaws.com","ModifyImageAttribute","eu-west-1","198.51.100.7","aws-cli","","{""imageId"":""ami-1""}","false","111122223333","x"`
)

func TestAthena(t *testing.T) {
	table := NewTable([]byte(athenaHeader))
	if table == nil {
		t.Fatal("it is no table")
	}
	if r, err := table.Read([]byte(athenaHeader)); r != nil || err != nil {
		t.Errorf("the header: %+v, %v", r, err)
	}
	r, err := table.Read([]byte(athenaRow))
	if err != nil {
		t.Fatal(err)
	}
	a := r.API
	if a.Operation != "ModifyImageAttribute" || a.Request.Str("imageId") != "ami-1" || a.IP.String() != "198.51.100.7" || r.Account != "111122223333" || a.Failed() ||
		a.Actor.Type != "AssumedRole" || a.Actor.Principal() != "arn:aws:iam::111122223333:role/app" || a.Actor.Issuer.Name != "a, b" || !a.Actor.MFA || a.Actor.Created.IsZero() || a.Actor.Name != "" {
		t.Errorf("%+v", a)
	}
	for _, bad := range []string{"", "a,b", `"x`, "{"} {
		if NewTable([]byte(bad)) != nil {
			t.Errorf("%q is a table", bad)
		}
		if r, err := table.Read([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
	for _, s := range []string{"", "{", "{a=b", "{a", "{a={b={c={d={e={f={g={h=i}}}}}}}}", "x"} {
		if v, ok := structure(s); ok {
			t.Errorf("%q: %v", s, v)
		}
	}
}

func FuzzAthena(f *testing.F) {
	f.Add([]byte(athenaHeader), []byte(athenaRow))
	f.Fuzz(func(t *testing.T, header, line []byte) {
		if table := NewTable(header); table != nil {
			if r, err := table.Read(line); err == nil && r != nil && r.API == nil {
				t.Errorf("%q: %+v", line, r)
			}
		}
	})
}
