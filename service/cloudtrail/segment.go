package cloudtrail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
)

// A segment is some hundred records of one account and region, compressed
// together. Its id begins with the time of its newest record, so that the
// newest segments stand last, and its index has one entry for each distinct
// value that its records can be looked up by. It is never changed.
type segment struct {
	Records []byte   // of the codec
	marks   []string // index values; the store keeps them
}

// open holds the newest records of a place until they are enough for a segment,
// so that slow traffic does not make a segment of every record.
type open struct {
	Generation  uint64 // grows each time the records move to segments
	Count, Size int    // records, and their bytes before compression
	First, Last int64  // milliseconds of the oldest and newest
	Records     []byte
}

// A record is one event as LookupEvents shows it.
type record struct {
	at                                    int64 // milliseconds since 1970
	id, name, source, user, key, readOnly string
	resources, types                      string // names and types, a line each
	data                                  []byte // the CloudTrail record
}

func recordOf(e *aws.Event) record {
	return record{
		at: e.Time.UnixMilli(), id: e.ID, name: e.Attrs["eventName"], source: e.Attrs["eventSource"], user: e.Attrs["user"],
		key: e.Attrs["accessKeyId"], readOnly: e.Attrs["readOnly"], resources: e.Attrs["resources"], types: e.Attrs["resourceTypes"], data: e.Data,
	}
}

// size is what the record counts for in a segment.
func (r *record) size() int { return len(r.data) + len(r.resources) + 256 }

// older orders records by time, then by id.
func older(a, b *record) int {
	if a.at != b.at {
		return int(min(max(a.at-b.at, -1), 1))
	}
	return strings.Compare(a.id, b.id)
}

// lines splits a list of names; none is no list.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// values are what the record can be looked up by.
func (r *record) values(each func(key cloudtrailapi.LookupAttributeKey, value string)) {
	each(cloudtrailapi.LookupAttributeKeyEventName, r.name)
	each(cloudtrailapi.LookupAttributeKeyEventSource, r.source)
	each(cloudtrailapi.LookupAttributeKeyReadOnly, r.readOnly)
	each(cloudtrailapi.LookupAttributeKeyUsername, r.user)
	each(cloudtrailapi.LookupAttributeKeyAccessKeyId, r.key)
	for _, name := range lines(r.resources) {
		each(cloudtrailapi.LookupAttributeKeyResourceName, name)
	}
	for _, kind := range lines(r.types) {
		each(cloudtrailapi.LookupAttributeKeyResourceType, kind)
	}
	if made, ok := timeOf(r.id); !ok || made != r.at {
		each(cloudtrailapi.LookupAttributeKeyEventId, r.id)
	}
}

// marks returns the index values of records, each once.
func marks(records []record, generation uint64) []string {
	type pair struct {
		key   cloudtrailapi.LookupAttributeKey
		value string
	}
	seen := map[pair]struct{}{}
	var all []string
	for i := range records {
		records[i].values(func(key cloudtrailapi.LookupAttributeKey, value string) {
			p := pair{key, value}
			if _, known := seen[p]; known || value == "" {
				return
			}
			seen[p] = struct{}{}
			all = append(all, mark(key, value))
		})
	}
	if generation != 0 {
		all = append(all, generationMark(generation))
	}
	return all
}

// mark is the index value of an attribute: short whatever the value's length,
// and not in clear text in the database. Records are compared again when read.
func mark(key cloudtrailapi.LookupAttributeKey, value string) string {
	sum := sha256.Sum256([]byte(string(key) + "\x00" + value))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// generationMark finds the segments that the records of open have moved to.
func generationMark(n uint64) string { return "open " + strconv.FormatUint(n, 36) }

// timeOf reads the milliseconds in a UUID of version 7, which the gate makes of
// the time of the call: so event ids need no index.
func timeOf(id string) (int64, bool) {
	if len(id) != 36 || id[8] != '-' || id[14] != '7' {
		return 0, false
	}
	var b [8]byte
	if _, err := hex.Decode(b[2:], []byte(id[:8]+id[9:13])); err != nil {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[:])), true
}

// segmentID names a segment by the times of its newest and its oldest record.
func segmentID(first, last *record) string {
	var salt [6]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the program first
	return boundID(last.at) + "-" + boundID(first.at) + "-" + hex.EncodeToString(salt[:])
}

// boundID stands before all segments whose newest record is of that time.
func boundID(ms int64) string { return fmt.Sprintf("%012x", max(ms, 0)) }

// newest reads the time of the newest record from a segment's id.
func newest(id string) int64 { return timeAt(id, 0) }

// oldest reads the time of the oldest record from a segment's id.
func oldest(id string) int64 { return timeAt(id, 13) }

func timeAt(id string, i int) int64 {
	if len(id) < i+12 {
		return 0
	}
	ms, err := strconv.ParseInt(id[i:i+12], 16, 64)
	if err != nil {
		return 0
	}
	return ms
}

// cut divides records, oldest first, into groups that fit a segment and span no
// more than the given time.
func cut(records []record, span time.Duration) [][]record {
	var groups [][]record
	start, size := 0, 0
	for i := range records {
		n := records[i].size()
		if i > start && (i-start == maxRecords || size+n > maxSize || records[i].at-records[start].at > span.Milliseconds()) {
			groups = append(groups, records[start:i])
			start, size = i, 0
		}
		size += n
	}
	if start < len(records) {
		groups = append(groups, records[start:])
	}
	return groups
}

// A codec packs records. Packed records may stand one behind the other.
type codec struct {
	enc   *zstd.Encoder
	dec   *zstd.Decoder
	plain sync.Pool // of *[]byte: what is packed next
}

func newCodec() *codec {
	// The options are constants; neither constructor fails for them.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
	if err != nil {
		panic(err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		panic(err)
	}
	return &codec{enc: enc, dec: dec, plain: sync.Pool{New: func() any { return new([]byte) }}}
}

func (c *codec) pack(dst []byte, records []record) []byte {
	buffer := c.plain.Get().(*[]byte)
	defer c.plain.Put(buffer)
	plain := (*buffer)[:0]
	for i := range records {
		r := &records[i]
		plain = binary.AppendVarint(plain, r.at)
		for _, s := range [...]string{r.id, r.name, r.source, r.user, r.key, r.readOnly, r.resources, r.types} {
			plain = append(binary.AppendUvarint(plain, uint64(len(s))), s...)
		}
		plain = append(binary.AppendUvarint(plain, uint64(len(r.data))), r.data...)
	}
	*buffer = plain
	return c.enc.EncodeAll(plain, slices.Grow(dst, len(plain)/16+64))
}

var errDamaged = errors.New("cloudtrail: a segment is damaged")

func (c *codec) unpack(packed []byte) ([]record, error) {
	plain, err := c.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	var records []record
	for len(plain) > 0 {
		var r record
		at, n := binary.Varint(plain)
		if n <= 0 {
			return nil, errDamaged
		}
		r.at, plain = at, plain[n:]
		for _, s := range [...]*string{&r.id, &r.name, &r.source, &r.user, &r.key, &r.readOnly, &r.resources, &r.types} {
			text, ok := field(&plain)
			if !ok {
				return nil, errDamaged
			}
			*s = string(text)
		}
		var ok bool
		if r.data, ok = field(&plain); !ok {
			return nil, errDamaged
		}
		records = append(records, r)
	}
	return records, nil
}

func field(plain *[]byte) ([]byte, bool) {
	size, n := binary.Uvarint(*plain)
	if n <= 0 || size > uint64(len(*plain)-n) {
		return nil, false
	}
	text := (*plain)[n : n+int(size)]
	*plain = (*plain)[n+int(size):]
	return text, true
}

func sortRecords(records []record) {
	slices.SortFunc(records, func(a, b record) int { return older(&a, &b) })
}
