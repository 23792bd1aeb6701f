package wire

import (
	"reflect"
	"testing"
)

// Plans are settled in no particular order; whichever comes first, what stands inside a
// list that has constraints of its own is checked as well.
func TestPlansCheckWhatIsInsideWhatTheyCheck(t *testing.T) {
	type inner struct {
		Name *string `aws:"Name" len:"1:3"`
	}
	type middle struct {
		Inners []inner `aws:"Inners" len:":10"`
	}
	type outer struct {
		Middles []middle `aws:"Middles" len:":10"`
	}
	for range 50 {
		b := builder{}
		p := b.plan(reflect.TypeFor[outer]())
		b.settle()
		middles := p.fields[0].shape
		if inners := middles.elem.st.fields[0].shape; !middles.elem.checks || !inners.elem.checks {
			t.Fatalf("checked: a middle %v, an inner %v", middles.elem.checks, inners.elem.checks)
		}
	}
}
