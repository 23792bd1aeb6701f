package cloudtrail

import (
	"strings"
	"testing"

	"sumun.dev/detect/record"
)

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

// CloudTrail Lake has names of the record's spelling, times with a space, and
// documents as maps.
func TestLake(t *testing.T) {
	table := NewTable([]byte(`eventTime,eventSource,eventName,requestParameters,responseElements,resources,eventID`))
	if table == nil {
		t.Fatal("it is no table")
	}
	read := func(request, resources string) (*record.Record, error) {
		cell := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		return table.Read([]byte("2026-11-20 10:42:00.000,s3.amazonaws.com,PutBucketPolicy," + cell(request) + ",null," + cell(resources) + ",e1"))
	}
	for _, c := range []struct{ request, path, want string }{
		{`{userName=backup}`, "userName", "backup"},
		{`{Host=a, b=c, bucketName=payroll}`, "bucketName", "payroll"},
		{`{description=for a, b and c, bucketName=payroll}`, "description", "for a, b and c"},
		{`{bucketPolicy={"Statement":[{"Effect":"Allow","Principal":"*"}]}, bucketName=payroll}`, "bucketPolicy.Statement.Principal", "*"},
		{`{createVolumePermission={"add":{"items":[{"userId":"999988887777"}]}}}`, "createVolumePermission.add.items.userId", "999988887777"},
		{`{tags=["a, b=c"], x=1}`, "tags", "a, b=c"},
		{`{text={not json, really}, x=1}`, "text", "{not json, really}"},
		{`{policy=, x=1}`, "policy", ""},
		{`{}`, "x", ""},
		{`{"userName":"json"}`, "userName", "json"},
	} {
		r, err := read(c.request, "null")
		if err != nil || strings.Join(r.API.Request.All(strings.Split(c.path, ".")...), ", ") != c.want {
			t.Errorf("%s: %+v, %v", c.request, r, err)
		}
	}
	r, err := read("null", "[{accountid=111122223333, type=AWS::S3::Bucket, arn=arn:aws:s3:::payroll}, {accountid=null, type=AWS::S3::Object, arn=arn:aws:s3:::payroll/a, b}]")
	if err != nil || len(r.API.Resources) != 2 || r.API.Resources[0].ARN != "arn:aws:s3:::payroll" || r.API.Resources[1].ARN != "arn:aws:s3:::payroll/a, b" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []string{"x", "{", "{x", "{x=1", "{=1}", "{x}", "{a b=1}", `{"a":`} {
		if r, err := read(bad, "null"); err == nil {
			t.Errorf("%s: %+v", bad, r)
		}
		if r, err := read("null", "["+bad); err == nil {
			t.Errorf("[%s: %+v", bad, r)
		}
	}
}

func FuzzAthena(f *testing.F) {
	f.Add([]byte(athenaHeader), []byte(athenaRow))
	f.Add([]byte("eventTime,eventSource,eventName,requestParameters,resources"), []byte(`2026-11-20 10:42:00.000,s3,Put,"{a=b, c={""d"":[1]}}","[{arn=a, type=b}]"`))
	f.Fuzz(func(t *testing.T, header, line []byte) {
		if table := NewTable(header); table != nil {
			if r, err := table.Read(line); err == nil && r != nil && r.API == nil {
				t.Errorf("%q: %+v", line, r)
			}
		}
	})
}
