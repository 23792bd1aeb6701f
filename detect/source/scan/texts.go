package scan

import "hash/maphash"

// Texts makes strings of bytes, the same one for what came a short while ago: most
// records of a log say the same as others. Of what it remembers, new texts push
// out old ones. It is not safe for concurrent use.
type Texts struct {
	seed maphash.Seed
	kept []string
}

const (
	kept     = 1 << 12
	longKept = 512 // bytes
)

// NewTexts returns Texts that remember nothing.
func NewTexts() *Texts { return &Texts{maphash.MakeSeed(), make([]string, kept)} }

// Of returns b as a string.
func (t *Texts) Of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > longKept {
		return string(b)
	}
	at := &t.kept[maphash.Bytes(t.seed, b)%kept]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}
