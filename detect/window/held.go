package window

// A Holder holds memory, and can do with less.
type Holder interface {
	Held() int // bytes, roughly; the same for what was written and read back
	Shed()     // some of what was quiet longest
}

// Held returns what several hold together.
func Held[H Holder](all ...H) (n int) {
	for _, h := range all {
		n += h.Held()
	}
	return n
}

// Shed makes the one that holds most do with less; of equals the first.
func Shed[H Holder](all ...H) {
	most := all[0]
	for _, h := range all[1:] {
		if h.Held() > most.Held() {
			most = h
		}
	}
	most.Shed()
}
