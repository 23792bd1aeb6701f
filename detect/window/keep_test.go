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

type numbers []int

func (l *numbers) Weight() int { return 8 * len(*l) }

// What is held follows the values, and is the same for what was read back.
func TestHeldFollowsTheValues(t *testing.T) {
	k := NewKeep[int, numbers](10)
	held := func(what string, want int) {
		t.Helper()
		b, err := k.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again := NewKeep[int, numbers](10)
		if err := again.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if k.Held() != want || again.Held() != want {
			t.Errorf("%s: %d bytes held, %d by what was read back, not %d", what, k.Held(), again.Held(), want)
		}
	}
	held("nothing", 0)
	for i := range 12 { // two are too many
		v := k.At(i)
		*v = append(*v, make(numbers, i)...)
	}
	held("ten keys", 10*perKey+8*(2+3+4+5+6+7+8+9+10+11))
	grown := k.Find(11)
	*grown = append(*grown, 1)
	held("one grew", 10*perKey+8*66)
	k.Forget(11)
	held("it is forgotten", 9*perKey+8*54)
	k.Shed() // an eighth of nine are two
	held("two shed", 7*perKey+8*49)
	k.Expire(func(v *numbers) bool { return len(*v) < 5 })
	held("one expired", 6*perKey+8*45)
	for _, v := range k.All() {
		*v = nil
	}
	for i := range 12 {
		k.Weigh(i)
	}
	held("empty lists", 6*perKey)
	for range 6 {
		k.Shed()
	}
	k.Shed() // of nothing
	held("all shed", 0)
}
