package wire

import (
	"encoding/hex"
	"math"
	"reflect"
	"testing"
)

func rpc(body []byte) *Request {
	r := rest("cb", "POST", "/service/Cb_2020/operation/Encrypt", string(body))
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	return r
}

// Bodies are written as in RFC 8949, appendix A.
func TestCBOR(t *testing.T) {
	base := "654b65794964616b69506c61696e746578744101"
	for _, c := range []struct {
		name string
		hex  string // members behind KeyId and Plaintext
		want func(*encryptIn)
	}{
		{"small_integer", "64446179730a", func(e *encryptIn) { e.Days = new(int32(10)) }},
		{"negative", "644461797329", func(e *encryptIn) { e.Days = new(int32(-10)) }},
		{"one_byte", "64446179731818", func(e *encryptIn) { e.Days = new(int32(24)) }},
		{"two_bytes", "64446179731903e8", func(e *encryptIn) { e.Days = new(int32(1000)) }},
		{"four_bytes", "64446179731a000f4240", func(e *encryptIn) { e.Days = new(int32(1000000)) }},
		{"integral_float", "6444617973f94900", func(e *encryptIn) { e.Days = new(int32(10)) }},
		{"half", "6452617465f93e00", func(e *encryptIn) { e.Rate = new(1.5) }},
		{"smallest_half", "6452617465f90001", func(e *encryptIn) { e.Rate = new(5.960464477539063e-8) }},
		{"half_infinity", "6452617465f9fc00", func(e *encryptIn) { e.Rate = new(math.Inf(-1)) }},
		{"single", "6452617465fa47c35000", func(e *encryptIn) { e.Rate = new(100000.0) }},
		{"double", "6452617465fb3ff199999999999a", func(e *encryptIn) { e.Rate = new(1.1) }},
		{"integer_for_float", "645261746503", func(e *encryptIn) { e.Rate = new(3.0) }},
		{"time", "6446726f6dc1fb41da55cd69500000", func(e *encryptIn) { e.From = new(when) }},
		{"bool", "66447279" + "52756ef5", func(e *encryptIn) { e.DryRun = new(true) }},
		{"null_is_absent", "6444617973f6", func(*encryptIn) {}},
		{"undefined_is_absent", "6444617973f7", func(*encryptIn) {}},
		{"open_list", "6b4772616e74546f6b656e739f6161" + "7f61626163ffff", func(e *encryptIn) { e.GrantTokens = []string{"a", "bc"} }},
		{"unknown_member", "61789f83010203bf6161f5ffc069746578742d74657874ff", func(*encryptIn) {}},
		{"document", "68416e797468696e67a2616183f4fb3ff8000000000000f661" + "6202", func(e *encryptIn) {
			e.Anything = map[string]any{"a": []any{false, 1.5, nil}, "b": int64(2)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := hex.DecodeString("bf" + base + c.hex + "ff")
			if err != nil {
				t.Fatal(err)
			}
			want := &encryptIn{KeyId: "k", Plaintext: []byte{1}}
			c.want(want)
			m, err := Recognise(rpc(body), testIndex())
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Decode(rpc(body), Limits{})
			if got == nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestMalformedCBORIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"truncated": "bf654b6579", "trailing": "a0a0", "no_map": "80", "reserved": "bc", "two_same": "a2644461797307644461797307",
		"bad_utf8": "a1654b6579496461ff", "number_for_text": "a1654b6579496401", "key_no_text": "a10101", "huge_length": "a1654b657949647bffffffffffffffff",
		"huge_list": "a16b4772616e74546f6b656e739bffffffffffffffff", "null_in_list": "a16b4772616e74546f6b656e7381f6", "too_big": "a164446179731a80000000",
		"time_without_tag": "a16446726f6d01", "bignum": "a16444617973c249010000000000000000", "two_of_a_union": "a16643686f696365a261416178" + "6142f5",
		"lone_break": "ff", "part_of_other_kind": "a1654b657949647f4161ff", "deep": "a16178" + repeat("81", 100) + "00",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(body)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = decode(t, rpc(b))
			wantCode(t, err, "SerializationException")
		})
	}
}

func repeat(s string, n int) (out string) {
	for range n {
		out += s
	}
	return out
}
