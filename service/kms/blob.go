package kms

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/aws"
)

// A blob's header says which key made it, so that Decrypt needs no KeyId, and with
// which of its materials, so that what was encrypted before a rotation opens for
// ever. The region is not in it: what a multi-Region key has encrypted opens in
// each of its regions. A blob is
//
//	01 02 02 00 78 · form of the key's id (1) · account (5) · key id (16) · key material id (32) · what material.Seal made
//
// It begins as AWS's do (in base64: AQICAH), which tools look for. The whole header
// is authenticated together with the encryption context.
type header struct {
	Account  aws.Account
	Key      string // a UUID, or mrk- and 32 hexadecimal digits
	Material string // 64 hexadecimal digits
}

const (
	blobPrefix = "\x01\x02\x02\x00\x78"
	headerSize = len(blobPrefix) + 1 + 5 + 16 + 32

	uuidForm        = 1 // the id is a UUID
	multiRegionForm = 2 // the id is mrk- and digits
)

// errBlob says that a ciphertext is not of the form of a blob.
var errBlob = errors.New("kms: not a ciphertext of KMS")

// append writes the header; an error means that a key's id is none, which no key has.
func (h *header) append(b []byte) ([]byte, error) {
	form, digits := byte(uuidForm), strings.ReplaceAll(h.Key, "-", "")
	if rest, ok := strings.CutPrefix(h.Key, multiRegionPrefix); ok {
		form, digits = multiRegionForm, rest
	}
	account, err := strconv.ParseUint(string(h.Account), 10, 40)
	if err != nil || len(digits) != 32 || len(h.Material) != 64 {
		return nil, fmt.Errorf("kms: no header says %+v", *h)
	}
	b = append(append(b, blobPrefix...), form)
	b = append(b, byte(account>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(account))
	if b, err = hex.AppendDecode(b, []byte(digits)); err != nil {
		return nil, fmt.Errorf("kms: key id %s: %w", h.Key, err)
	}
	if b, err = hex.AppendDecode(b, []byte(h.Material)); err != nil {
		return nil, fmt.Errorf("kms: key material id %s: %w", h.Material, err)
	}
	return b, nil
}

const multiRegionPrefix = "mrk-"

// cutHeader divides a blob into what its header says and what is sealed. What it
// says is not proven before the rest has been opened.
func cutHeader(blob []byte) (h header, sealed []byte, err error) {
	if len(blob) < headerSize || string(blob[:len(blobPrefix)]) != blobPrefix {
		return header{}, nil, errBlob
	}
	b := blob[len(blobPrefix):headerSize]
	account := uint64(b[1])<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
	if account > 999_999_999_999 {
		return header{}, nil, errBlob
	}
	h.Account = aws.Account(fmt.Sprintf("%012d", account))
	digits := hex.EncodeToString(b[6:22])
	switch b[0] {
	case uuidForm:
		h.Key = digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
	case multiRegionForm:
		h.Key = multiRegionPrefix + digits
	default:
		return header{}, nil, errBlob
	}
	h.Material = hex.EncodeToString(b[22:])
	return h, blob[headerSize:], nil
}

// bound is what a ciphertext is authenticated with: its header and the encryption
// context, in one form whatever the order of the pairs. Lengths stand before the
// texts, so that no two contexts are the same bytes.
func bound(head []byte, context map[string]string) []byte {
	size := len(head) + 4
	for key, value := range context {
		size += 8 + len(key) + len(value)
	}
	b := append(make([]byte, 0, size), head...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(context)))
	if len(context) == 0 {
		return b
	}
	var few [8]string // most contexts fit
	keys := few[:0]
	for key := range context {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		b = binary.BigEndian.AppendUint32(b, uint32(len(key)))
		b = append(b, key...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(context[key])))
		b = append(b, context[key]...)
	}
	return b
}
