package window

import (
	"encoding/json"
	"errors"
)

// Counters are what a rule remembers that counts several things. They are written
// down and read in their order.
type Counters []*Counter

// MarshalBinary writes what was seen.
func (all Counters) MarshalBinary() ([]byte, error) {
	out := make([][]byte, len(all))
	for i, c := range all {
		var err error
		if out[i], err = c.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(out)
}

// UnmarshalBinary reads what as many counters wrote.
func (all Counters) UnmarshalBinary(b []byte) error {
	var in [][]byte
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if len(in) != len(all) {
		return errors.New("window: written by another number of counters")
	}
	for i, c := range all {
		if err := c.UnmarshalBinary(in[i]); err != nil {
			return err
		}
	}
	return nil
}

// Held returns how many bytes of memory is taken, roughly.
func (all Counters) Held() int { return Held(all...) }

// Shed drops some of what was quiet longest.
func (all Counters) Shed() { Shed(all...) }
