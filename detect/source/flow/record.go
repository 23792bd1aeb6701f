// Package flow reads VPC flow log records: VPC User Guide, "Flow log records".
package flow

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
)

// A field is what stands in a column.
type field uint8

const (
	skipped field = iota // known or not, nobody asks for it
	version
	account
	iface
	src
	dst
	srcPort
	dstPort
	protocol
	packets
	byteCount
	start
	end
	action
	status
	vpc
	subnet
	instance
	flags
	pktSrc
	pktDst
	region
	srcService
	dstService
	direction
	path
	reason
)

// names are the columns of versions 2 to 11, in the order of the documentation.
// Those of transit gateways (6) say the same by other names.
var names = map[string]field{
	"version": version, "account-id": account, "interface-id": iface, "srcaddr": src, "dstaddr": dst, "srcport": srcPort, "dstport": dstPort,
	"protocol": protocol, "packets": packets, "bytes": byteCount, "start": start, "end": end, "action": action, "log-status": status,
	"vpc-id": vpc, "subnet-id": subnet, "instance-id": instance, "tcp-flags": flags, "type": skipped, "pkt-srcaddr": pktSrc, "pkt-dstaddr": pktDst,
	"region": region, "az-id": skipped, "sublocation-type": skipped, "sublocation-id": skipped,
	"pkt-src-aws-service": srcService, "pkt-dst-aws-service": dstService, "flow-direction": direction, "traffic-path": path,
	"resource-type": skipped, "tgw-id": skipped, "tgw-attachment-id": iface, "tgw-src-vpc-account-id": skipped, "tgw-dst-vpc-account-id": skipped,
	"tgw-src-vpc-id": vpc, "tgw-dst-vpc-id": skipped, "tgw-src-subnet-id": subnet, "tgw-dst-subnet-id": skipped, "tgw-src-eni": skipped, "tgw-dst-eni": skipped,
	"tgw-src-az-id": skipped, "tgw-dst-az-id": skipped, "tgw-pair-attachment-id": skipped,
	"packets-lost-no-route": skipped, "packets-lost-blackhole": skipped, "packets-lost-mtu-exceeded": skipped, "packets-lost-ttl-expired": skipped,
	"ecs-cluster-arn": skipped, "ecs-cluster-name": skipped, "ecs-container-instance-arn": skipped, "ecs-container-instance-id": skipped,
	"ecs-container-id": skipped, "ecs-second-container-id": skipped, "ecs-service-name": skipped, "ecs-task-definition-arn": skipped,
	"ecs-task-arn": skipped, "ecs-task-id": skipped, "reject-reason": reason, "resource-id": skipped, "encryption-status": skipped,
	"interface-type": skipped, "next-hop-interface-id": skipped, "next-hop-subnet-id": skipped, "next-hop-az-id": skipped, "next-hop-vpc-id": skipped,
	"next-hop-interface-type": skipped,
	// As tables of Athena name them, where the words are taken.
	"interfaceid": iface, "sourceaddress": src, "destinationaddress": dst, "sourceport": srcPort, "destinationport": dstPort, "numpackets": packets,
	"numbytes": byteCount, "starttime": start, "start-time": start, "endtime": end, "end-time": end, "logstatus": status,
}

// inOrder is the default format, and what follows it where somebody chose all
// columns of further versions: lines without a header, as CloudWatch Logs has
// them, are read so.
var inOrder = []field{
	version, account, iface, src, dst, srcPort, dstPort, protocol, packets, byteCount, start, end, action, status, // 2
	vpc, subnet, instance, flags, skipped, pktSrc, pktDst, // 3
	region, skipped, skipped, skipped, // 4
	srcService, dstService, direction, path, // 5
}

const (
	maxColumns = 128
	maxText    = 256     // bytes of an id
	maxKept    = 1 << 16 // ids, and addresses of IPv6, that are kept to be used again
)

// A Reader reads the lines of one log. It is not safe for concurrent use.
type Reader struct {
	columns   []field // nil until the format is known
	plain     bool    // it is the default one, as far as is known
	separator byte
	again     *Again
	last      [reason + 1]string // of each column: most lines say the same
}

// An Again is what readers of several logs use again: records that were put back, and
// texts and addresses that came before. It is not safe for concurrent use.
type Again struct {
	*record.Spare
	ids *scan.Texts
	six map[string]netip.Addr // addresses of IPv6
}

// NewAgain returns an Again that takes records from spare.
func NewAgain(spare *record.Spare) *Again {
	return &Again{Spare: spare, ids: scan.NewTexts(), six: map[string]netip.Addr{}}
}

// NewReader returns a reader that expects a header, or lines in the default format.
func NewReader() *Reader { return NewAgain(&record.Spare{}).NewReader() }

// NewReader returns a reader that expects a header, or lines in the default format,
// and makes use of what others have read.
func (a *Again) NewReader() *Reader { return &Reader{separator: ' ', plain: true, again: a} }

// Recognise reports whether a line is a header or a record that can be read
// without one.
func Recognise(line []byte) bool {
	if columns, _ := header(line); columns != nil {
		return true
	}
	return plain(bare(line))
}

// Column reports whether a name is that of a column that is read.
func Column(name string) bool {
	return len(name) <= maxText && names[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] != skipped
}

// bare takes away the time of delivery that exports of CloudWatch Logs put before
// each line.
func bare(line []byte) []byte {
	if len(line) > 25 && line[4] == '-' && line[10] == 'T' {
		if i := bytes.IndexByte(line[:min(40, len(line))], ' '); i > 0 {
			return line[i+1:]
		}
	}
	return line
}

// header reads a line of names; nil when it is none.
func header(line []byte) ([]field, byte) {
	if len(line) > 8<<10 || bytes.IndexByte(line, '.') >= 0 {
		return nil, 0
	}
	separator := byte(' ')
	for _, s := range []byte{',', '\t'} {
		if bytes.IndexByte(line, s) >= 0 {
			separator = s
			break
		}
	}
	var columns []field
	known, found := 0, [reason + 1]bool{}
	for word := range bytes.SplitSeq(bytes.TrimSpace(line), []byte{separator}) {
		word = bytes.ToLower(bytes.ReplaceAll(bytes.Trim(word, "\" \t"), []byte{'_'}, []byte{'-'}))
		if len(word) == 0 || len(columns) == maxColumns {
			return nil, 0
		}
		f, ok := names[string(word)]
		if ok {
			known++
		}
		if f != skipped && found[f] {
			f = skipped // the first one counts
		}
		found[f] = true
		columns = append(columns, f)
	}
	if (!found[src] || !found[dst]) && (!found[pktSrc] || !found[pktDst]) || known*2 < len(columns) {
		return nil, 0
	}
	return columns, separator
}

// plain reports whether a line has the shape of the default format.
func plain(line []byte) bool {
	n := 0
	for word := range bytes.SplitSeq(bytes.TrimSpace(line), []byte{' '}) {
		switch n++; {
		case n > len(inOrder):
			return false
		case bytes.Equal(word, []byte("-")) && n > 3:
		case n == 1 && (len(word) != 1 || word[0] < '2' || word[0] > '5'),
			n == 2 && !digits(word) && !bytes.Equal(word, []byte("unknown")),
			(n == 4 || n == 5) && bytes.IndexByte(word, '.') < 0 && bytes.IndexByte(word, ':') < 0,
			n >= 6 && n <= 12 && !digits(word),
			n == 13 && !bytes.Equal(word, []byte("ACCEPT")) && !bytes.Equal(word, []byte("REJECT")),
			n == 14 && !bytes.Equal(word, []byte("OK")) && !bytes.Equal(word, []byte("NODATA")) && !bytes.Equal(word, []byte("SKIPDATA")),
			n == 15 && !bytes.HasPrefix(word, []byte("vpc-")):
			return false
		}
	}
	return n == 14 || n == 21 || n == 25 || n == 29
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

var (
	errFormat  = errors.New("flow log record: no header says what the columns are, and it is not the default format")
	errColumns = errors.New("flow log record: has more or fewer columns than the header")
	errTime    = errors.New("flow log record: no start and no end")
	errAddress = errors.New("flow log record: no addresses")
	errNumber  = errors.New("flow log record: a number is none, or too large")
	errText    = errors.New("flow log record: an id is longer than 256 bytes")
)

// Read reads a line. It returns nil without an error for headers, and for
// intervals without traffic (NODATA) and those that AWS did not record (SKIPDATA).
func (r *Reader) Read(line []byte) (*record.Record, error) {
	if r.plain {
		if rec := r.standard(line); rec != nil {
			return rec, nil
		}
	}
	return r.any(line)
}

// any reads a line of any format.
func (r *Reader) any(line []byte) (*record.Record, error) {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = bytes.TrimRight(line, "\r\n")
	}
	// A header begins with a letter, a record hardly ever; that of a file that
	// was put behind another counts from there on.
	if len(line) > 0 && (line[0] >= 'a' && line[0] <= 'z' || line[0] == '"' || r.columns == nil) {
		if columns, separator := header(line); columns != nil {
			r.columns, r.separator = columns, separator
			r.plain = separator == ' ' && slices.Equal(columns, inOrder[:standardColumns])
			return nil, nil
		}
	}
	columns, separator := r.columns, r.separator
	if columns == nil {
		line = bare(line)
		if !plain(line) {
			return nil, errFormat
		}
		columns, separator = inOrder, ' '
	}
	return r.fields(line, columns, separator)
}

func (r *Reader) fields(line []byte, columns []field, separator byte) (*record.Record, error) {
	rec := r.again.Flow()
	tells, err := r.fill(rec, line, columns, separator)
	if !tells {
		r.again.Put(rec)
		return nil, err
	}
	return rec, nil
}

// fill reads the columns of a line into a record. It does not tell anything when that
// went wrong, nor of an interval without traffic.
func (r *Reader) fill(rec *record.Record, line []byte, columns []field, separator byte) (tells bool, err error) {
	f := rec.Flow
	n := 0
	for i := 0; i <= len(line); n++ {
		k := i
		for k < len(line) && line[k] != separator {
			k++
		}
		word := line[i:k]
		i = k + 1
		if n >= len(columns) {
			if len(word) == 0 {
				break // a separator at the end
			}
			return false, errColumns
		}
		if separator == ',' && len(word) > 1 && word[0] == '"' {
			word = bytes.Trim(word, `"`)
		}
		if columns[n] == skipped || len(word) == 0 || len(word) == 1 && word[0] == '-' {
			continue
		}
		if err := r.set(rec, f, columns[n], word); err != nil {
			return false, err
		}
	}
	if n < len(columns) && (r.columns != nil || n < standardColumns) {
		return false, errColumns
	}
	if f.Status == "NODATA" || f.Status == "SKIPDATA" {
		return false, nil
	}
	if !f.Src.IsValid() {
		f.Src = f.PktSrc
	}
	if !f.Dst.IsValid() {
		f.Dst = f.PktDst
	}
	switch {
	case !f.Src.IsValid() || !f.Dst.IsValid():
		return false, errAddress
	case !f.Start.IsZero():
		rec.Time = f.Start
	case !f.End.IsZero():
		rec.Time = f.End
	default:
		return false, errTime
	}
	return true, nil
}

func (r *Reader) set(rec *record.Record, f *record.Flow, column field, word []byte) (err error) {
	switch column {
	case version:
		f.Version, err = number[int](word, 1000)
	case account:
		err = r.text((*string)(&rec.Account), column, word)
	case iface:
		err = r.text(&f.Interface, column, word)
	case src:
		err = r.address(&f.Src, word)
	case dst:
		err = r.address(&f.Dst, word)
	case srcPort:
		f.SrcPort, err = number[uint16](word, 1<<16-1)
	case dstPort:
		f.DstPort, err = number[uint16](word, 1<<16-1)
	case protocol:
		f.Protocol, err = number[uint8](word, 1<<8-1)
	case packets:
		f.Packets, err = number[uint64](word, 1<<63-1)
	case byteCount:
		f.Bytes, err = number[uint64](word, 1<<63-1)
	case start:
		err = seconds(&f.Start, word)
	case end:
		err = seconds(&f.End, word)
	case action:
		switch string(word) {
		case "REJECT":
			f.Rejected = true
		case "ACCEPT":
		default:
			return fmt.Errorf("flow log record: the action is neither ACCEPT nor REJECT")
		}
	case status:
		err = r.text(&f.Status, column, word)
	case vpc:
		err = r.text(&f.VPC, column, word)
	case subnet:
		err = r.text(&f.Subnet, column, word)
	case instance:
		err = r.text(&f.Instance, column, word)
	case flags:
		f.Flags, err = number[uint8](word, 1<<8-1)
	case pktSrc:
		err = r.address(&f.PktSrc, word)
	case pktDst:
		err = r.address(&f.PktDst, word)
	case region:
		err = r.text((*string)(&rec.Region), column, word)
	case srcService:
		err = r.text(&f.SrcService, column, word)
	case dstService:
		err = r.text(&f.DstService, column, word)
	case direction:
		switch string(word) {
		case "ingress":
			f.Direction = "ingress"
		case "egress":
			f.Direction = "egress"
		}
	case path:
		f.Path, err = number[int](word, 1000)
	case reason:
		err = r.text(&f.Reason, column, word)
	}
	return err
}

// text keeps an id, once for all records that say the same.
func (r *Reader) text(to *string, column field, word []byte) error {
	if r.last[column] != string(word) {
		if len(word) > maxText {
			return errText
		}
		r.last[column] = r.again.ids.Of(word)
	}
	*to = r.last[column]
	return nil
}

func (r *Reader) address(to *netip.Addr, word []byte) error {
	if a, end := scan.IPv4(word, 0); end == len(word) {
		*to = a
		return nil
	}
	if a, ok := r.again.six[string(word)]; ok {
		*to = a
		return nil
	}
	if len(word) > 64 {
		return errAddress
	}
	a, err := netip.ParseAddr(string(word))
	if err != nil || a.Zone() != "" {
		return errAddress
	}
	a = a.Unmap()
	if len(r.again.six) >= maxKept {
		clear(r.again.six)
	}
	r.again.six[string(word)] = a
	*to = a
	return nil
}

func number[N ~int | ~uint8 | ~uint16 | ~uint64](word []byte, most uint64) (N, error) {
	if len(word) > 19 {
		return 0, errNumber
	}
	var n uint64
	for _, c := range word {
		if c < '0' || c > '9' {
			return 0, errNumber
		}
		n = n*10 + uint64(c-'0')
	}
	if n > most {
		return 0, errNumber
	}
	return N(n), nil
}

// last is the end of the year 9999, in seconds.
const last = 253402300799

func seconds(to *time.Time, word []byte) error {
	n, err := number[uint64](word, last)
	if err == nil {
		*to = time.Unix(int64(n), 0).UTC()
	}
	return err
}
