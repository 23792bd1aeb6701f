package window

import "testing"

func TestKeepForgetsTheQuietest(t *testing.T) {
	k := NewKeep[string, int](2)
	*k.At("a"), *k.At("b") = 1, 2
	*k.At("a")++
	*k.At("c") = 3
	if k.Len() != 2 || k.Find("b") != nil || *k.Find("a") != 2 || *k.Find("c") != 3 {
		t.Errorf("%d keys", k.Len())
	}
	k.Find("a") // c was quiet longer now
	b, err := k.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := NewKeep[string, int](2)
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	*again.At("d") = 4
	if again.Find("c") != nil || *again.Find("a") != 2 {
		t.Error("what was read back forgets another one")
	}
	again.Forget("a")
	if again.Len() != 1 || again.UnmarshalBinary([]byte("{")) == nil {
		t.Error("a is kept, or rubbish is read")
	}
}
