package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Parquet describes itself in Thrift's compact protocol: Apache Thrift, "Thrift
// Compact protocol encoding".

// maxNodes bounds what a description consists of; maxDeep how deep it goes.
const (
	maxNodes = 400_000
	maxDeep  = 16
)

// A node is a number, a text, a list or a structure.
type node struct {
	n      int64
	b      []byte
	list   []node
	fields []member
}

type member struct {
	id int64
	node
}

// at returns a member of a structure; an empty node when it lacks it.
func (n *node) at(id int64) *node {
	for i := range n.fields {
		if n.fields[i].id == id {
			return &n.fields[i].node
		}
	}
	return &node{}
}

// has reports whether a structure has a member.
func (n *node) has(id int64) bool {
	for i := range n.fields {
		if n.fields[i].id == id {
			return true
		}
	}
	return false
}

var errShort = errors.New("is cut off")

// A thrift reads nodes.
type thrift struct {
	in   []byte
	at   int
	left int // nodes
	deep int
}

func (t *thrift) byte() (byte, error) {
	if t.at >= len(t.in) {
		return 0, errShort
	}
	t.at++
	return t.in[t.at-1], nil
}

func (t *thrift) uvarint() (uint64, error) {
	n, size := binary.Uvarint(t.in[t.at:])
	if size <= 0 {
		return 0, errShort
	}
	t.at += size
	return n, nil
}

func (t *thrift) varint() (int64, error) {
	n, err := t.uvarint()
	return unzigzag(n), err
}

func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

func (t *thrift) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(t.in)-t.at) {
		return nil, errShort
	}
	t.at += int(n)
	return t.in[t.at-int(n) : t.at], nil
}

// structure reads members until there are no more.
func (t *thrift) structure() (n node, err error) {
	if t.deep++; t.deep > maxDeep {
		return n, errors.New("is described too deep")
	}
	defer func() { t.deep-- }()
	for id := int64(0); ; {
		head, err := t.byte()
		if err != nil || head == 0 {
			return n, err
		}
		if delta := int64(head >> 4); delta > 0 {
			id += delta
		} else if id, err = t.varint(); err != nil {
			return n, err
		}
		var v node
		switch kind := head & 15; kind {
		case 1, 2: // a bool stands in its head
			v.n = int64(kind & 1)
		default:
			if v, err = t.value(kind); err != nil {
				return n, err
			}
		}
		n.fields = append(n.fields, member{id, v})
	}
}

func (t *thrift) value(kind byte) (v node, err error) {
	if t.left--; t.left < 0 {
		return v, errors.New("is described at too great a length")
	}
	switch kind {
	case 1, 2, 3:
		b, err := t.byte()
		return node{n: int64(int8(b))}, err
	case 4, 5, 6:
		v.n, err = t.varint()
	case 7:
		_, err = t.bytes(8)
	case 8:
		var n uint64
		if n, err = t.uvarint(); err == nil {
			v.b, err = t.bytes(n)
		}
	case 9, 10:
		v.list, err = t.list()
	case 12:
		return t.structure()
	default: // 11, maps, are not in Parquet
		err = fmt.Errorf("is described in a way that is not known (%d)", kind)
	}
	return v, err
}

func (t *thrift) list() ([]node, error) {
	head, err := t.byte()
	if err != nil {
		return nil, err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = t.uvarint(); err != nil {
			return nil, err
		}
	}
	// Each element takes a byte at least, so that a short text makes no long list.
	if n > uint64(min(len(t.in)-t.at, t.left)) {
		return nil, errShort
	}
	if t.deep++; t.deep > maxDeep {
		return nil, errors.New("is described too deep")
	}
	defer func() { t.deep-- }()
	all := make([]node, 0, min(n, 1024))
	for range n {
		v, err := t.value(head & 15)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
