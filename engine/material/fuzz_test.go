package material

import (
	"bytes"
	"testing"
)

// Nothing that a stranger sends panics, and what is taken is used without surprise.

func FuzzParse(f *testing.F) {
	for i, spec := range specs {
		if rsaBits[spec] <= 2048 {
			b, err := Generate(spec)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		spec := specs[int(which)%len(specs)]
		k, err := Parse(spec, b)
		if err != nil {
			return
		}
		for _, usage := range Usages(spec) {
			for _, alg := range Algorithms(spec, usage) {
				try(t, k, usage, alg)
			}
		}
		k.Zero()
	})
}

func FuzzUnwrap(f *testing.F) {
	private, public, err := NewWrapping("RSA_2048")
	if err != nil {
		f.Fatal(err)
	}
	algorithms := []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"}
	for i, alg := range algorithms {
		f.Add(uint8(i), wrap(f, public, alg, random(32)))
	}
	f.Fuzz(func(t *testing.T, which uint8, wrapped []byte) {
		got, err := Unwrap(private, algorithms[which%4], wrapped, Symmetric)
		if err == nil && len(got) != 32 {
			t.Errorf("a symmetric key of %d bytes", len(got))
		}
	})
}

func FuzzUnwrapKWP(f *testing.F) {
	kek := bytes.Repeat([]byte{1}, 32)
	for _, n := range []int{1, 8, 9, 32} {
		wrapped, err := WrapKWP(kek, make([]byte, n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kek, wrapped)
	}
	f.Fuzz(func(t *testing.T, kek, wrapped []byte) {
		plain, err := UnwrapKWP(kek, wrapped)
		if err != nil {
			return
		}
		if again, err := WrapKWP(kek, plain); err != nil || !bytes.Equal(again, wrapped) {
			t.Errorf("it wraps to something else, %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	k, _ := fresh(f, Symmetric)
	sealed := k.Seal(nil, []byte("x"), []byte("aad"))
	f.Add(sealed, []byte("aad"))
	f.Fuzz(func(t *testing.T, b, aad []byte) {
		if _, err := k.Open(b, aad); err == nil && !(bytes.Equal(b, sealed) && string(aad) == "aad") {
			t.Error("it opened, and nobody sealed it")
		}
	})
}

func FuzzAgree(f *testing.F) {
	all := []Spec{P256, P384, P521}
	var keys []*Key
	for i, spec := range all {
		k, _ := fresh(f, spec)
		keys = append(keys, k)
		peer, _ := fresh(f, spec)
		spki, err := peer.Public()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), spki)
	}
	f.Fuzz(func(t *testing.T, which uint8, spki []byte) {
		k := keys[which%3]
		secret, err := k.Agree(spki)
		if size := (curves[k.Spec()].Params().BitSize + 7) / 8; err == nil && len(secret) != size {
			t.Errorf("a secret of %d bytes, want %d", len(secret), size)
		}
	})
}

func FuzzVerify(f *testing.F) {
	var keys []*Key
	signing := []Spec{P256, Secp256k1, Ed25519, RSA2048, MLDSA44}
	for i, spec := range signing {
		k, _ := fresh(f, spec)
		keys = append(keys, k)
		for _, alg := range Algorithms(spec, signVerify)[:1] {
			sig, err := k.Sign(alg, []byte("seed"), raw)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), sig)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, sig []byte) {
		k := keys[int(which)%len(keys)]
		for _, alg := range Algorithms(k.Spec(), signVerify) {
			if alg == ed25519Prehashed {
				continue
			}
			if err := k.Verify(alg, []byte("another message"), raw, sig); err == nil {
				t.Error("a signature that nobody made")
			}
		}
	})
}
