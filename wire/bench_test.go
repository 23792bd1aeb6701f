package wire

import "testing"

// kmsBody is an Encrypt call of about 480 bytes, as a CLI sends it.
const kmsBody = `{"KeyId":"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","Plaintext":"c29tZSBwbGFpbnRleHQgdGhhdCBpcyBub3QgdG9vIHNob3J0IGFuZCBub3QgdG9vIGxvbmcsIGFib3V0IGEgaHVuZHJlZCBieXRlcyBpbiBhbGw=","EncryptionContext":{"aws:s3:arn":"arn:aws:s3:::a-bucket/with/a/key","department":"security","purpose":"a benchmark of the decoder"},"GrantTokens":["AQpAM2RhZDI4ZTAzMmNhMzFmYjRhMGI5"],"Algorithm":"RED","DryRun":false}`

func BenchmarkDecodeKMS(b *testing.B) {
	r := target("TrentService.Encrypt", "application/x-amz-json-1.1", kmsBody)
	x := testIndex()
	b.SetBytes(int64(len(kmsBody)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Recognise(r, x)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Decode(r, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecogniseREST(b *testing.B) {
	r := rest("guardduty", "POST", "/detector/12abc34d567e8fa901bc2d34e56789f0/findings?maxResults=5", "{}")
	x := testIndex()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Recognise(r, x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) {
	m := Match{Operation: encrypt, Service: kms, Protocol: JSON}
	out := &encryptOut{KeyId: new("arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"), Blob: make([]byte, 150)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Encode(out, "rid"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeQuery(b *testing.B) {
	r := form("iam", "Action=CreateUser&Version=2010-05-08&UserName=alice&Tags.member.1.Key=team&Tags.member.1.Value=security&Path=%2Fpeople%2F")
	x := testIndex()
	b.ReportAllocs()
	for b.Loop() {
		m, err := Recognise(r, x)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Decode(r, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
