package cloudtrail

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// variants are records that differ in one respect each from an ordinary one.
func variants() []string {
	with := func(member string) string { return strings.Replace(call, `"unknown":[{}]`, member, 1) }
	return []string{
		call, strings.ReplaceAll(call, `":`, "\" :\n\t"), strings.ReplaceAll(call, `,`, " , "),
		with(`"resources":[{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"},null,{}]`), with(`"resources":[]`), with(`"resources":[1]`), with(`"resources":{}`),
		with(`"tlsDetails":{"tlsVersion":"TLSv1.3","clientProvidedHostHeader":"h"}`), with(`"tlsDetails":null`), with(`"eventTime":"2026-01-01T10:00:01Z"`),
		with(`"additionalEventData":{"x":"\u00e9\ud83d\ude00\ud800"},"errorCode":"Acc\u0065ss","errorMessage":"é "`), with("\"errorMessage\":\"\xff\""), with("\"\xff\":1"), with(`"event\u004eame":"X"`),
		with(`"eventCategory":"Data"`), strings.Replace(with(`"eventCategory":"Data"`), `"managementEvent":true`, `"managementEvent":null`, 1), with(`"sessionCredentialFromConsole":"true"`), with(`"vpcEndpointId":"vpce-1","sharedEventID":"s"`),
		with(`"message":"x"`), with(`"detail-type":"x"`), with(`"EVENTNAME":"x"`), with(`"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)), with(`"a":01`), with(`"a":1e5,"b":-0.0E-1`), with(`"a":[1,]`), with(`"a":nul`),
		strings.Replace(call, `"203.0.113.7"`, `"::ffff:203.0.113.7"`, 1), strings.Replace(call, `"203.0.113.7"`, `"fe80::1%eth0"`, 1), strings.Replace(call, `"203.0.113.7"`, `"AWS Internal"`, 1), strings.Replace(call, `"203.0.113.7"`, `"2001:db8::1"`, 1), strings.Replace(call, `"203.0.113.7"`, `null`, 1),
		strings.Replace(call, `"userIdentity":{`, `"userIdentity":{"type":"Root","onBehalfOf":{"userId":"u"},"identityProvider":"i","invokedBy":"s",`, 1), strings.Replace(call, `"sessionContext":{`, `"sessionContext":{"webIdFederationData":{"federatedProvider":"p"},"sourceIdentity":"s","ec2RoleDelivery":"2.0","assumedRoot":"true",`, 1),
		strings.Replace(call, "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5+01:00", 1), strings.Replace(call, "2026-01-01T10:00:00Z", "2026-02-30T10:00:00Z", 1), strings.Replace(call, "2026-01-01T09:00:00Z", "soon", 1), strings.Replace(call, `"recipientAccountId":"111122223333",`, "", 1),
		`{"eventName":"X","eventSource":"y","eventTime":"2026-01-01T10:00:00Z","userIdentity":null,"requestParameters":"\ud800"}`,
	}
}

// What is plain is read as all others are.
func FuzzPlain(f *testing.F) {
	for _, v := range variants() {
		f.Add([]byte(v))
	}
	r := NewReader()
	f.Fuzz(func(t *testing.T, b []byte) {
		got, end := r.Plain(b, 0)
		if end < 0 {
			return
		}
		if !jsontext.Value(b[:end]).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("%q is no JSON", b[:end])
		}
		want, err := Read(bytes.Clone(b[:end]))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n%+v %+v\n%+v %+v\n%v", b[:end], got, got.API, want, want.API, err)
		}
		if again, err := r.Read(b[:end]); err != nil || !reflect.DeepEqual(again, want) {
			t.Fatalf("%q is read in another way the second time, %v", b[:end], err)
		}
	})
}

// Ordinary records are plain, also those with escapes, other members, and white space.
func TestOrdinaryRecordsArePlain(t *testing.T) {
	r, plain := NewReader(), 0
	for _, v := range variants() {
		_, err := Read([]byte(v))
		rec, end := r.Plain([]byte(v), 0)
		if (rec == nil) != (end < 0) || end >= 0 && (err != nil || end != len(v)) {
			t.Errorf("%s: ends at %d of %d, %v", v, end, len(v), err)
		}
		if end >= 0 {
			plain++
		}
		if rec, err2 := r.Read([]byte(v)); (err == nil) != (err2 == nil) || err == nil && rec.API.Operation == "" {
			t.Errorf("%s: %v, and %v", v, err, err2)
		}
		if v[0] == '{' {
			for cut := range v {
				if _, end := r.Plain([]byte(v[:cut]), 0); end >= 0 {
					t.Fatalf("%s: ends at %d", v[:cut], end)
				}
			}
		}
	}
	if plain < 20 {
		t.Errorf("%d of %d", plain, len(variants()))
	}
}

// What was read stands when the bytes are used for others.
func TestARecordIsItsOwn(t *testing.T) {
	b := []byte(variants()[3])
	got, _ := NewReader().Plain(b, 0)
	clear(b)
	want, err := Read([]byte(variants()[3]))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got.API)
	}
}

func BenchmarkRead(b *testing.B) {
	r := NewReader()
	for name, read := range map[string]func(){
		"plain": func() { _, _ = r.Read([]byte(call)) },
		"any":   func() { _, _ = Read([]byte(call)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(call)))
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
		})
	}
}
