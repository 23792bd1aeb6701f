package wire

// any reads a document.
func (d *cborReader) any(h head) (any, error) {
	if n, ok := h.whole(); ok {
		return n, nil
	}
	if f, ok := h.float(); ok {
		return f, nil
	}
	switch {
	case h.null():
		return nil, nil
	case h.major == cborOther && (h.info == 20 || h.info == 21):
		return h.info == 21, nil
	case h.major == cborText:
		return d.text(h)
	case h.major == cborBytes:
		b, err := d.bytes(h)
		return append([]byte{}, b...), err
	case h.major == cborList:
		return d.anyList(h)
	case h.major == cborMap:
		return d.anyMap(h)
	}
	return nil, d.malformed("an item that documents do not have")
}

func (d *cborReader) anyList(h head) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	out := []any{}
	for i := uint64(0); d.next(h, i); i++ {
		if err := d.grow(32); err != nil {
			return nil, err
		}
		eh, err := d.head()
		if err != nil {
			return nil, err
		}
		x, err := d.any(eh)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (d *cborReader) anyMap(h head) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	out := map[string]any{}
	for i := uint64(0); d.next(h, i); i++ {
		if err := d.grow(100); err != nil {
			return nil, err
		}
		kh, err := d.head()
		if err != nil {
			return nil, err
		}
		name, err := d.text(kh)
		if err != nil {
			return nil, err
		}
		eh, err := d.head()
		if err != nil {
			return nil, err
		}
		if out[name], err = d.any(eh); err != nil {
			return nil, err
		}
	}
	return out, nil
}
