package gunzip

import (
	"compress/flate"
	"encoding/binary"
	"math/bits"
)

// A code of at most litBits (or distBits) bits is found by its bits in the first part
// of a table; a longer one in the part that the entry there leads to.
const (
	litBits, distBits = 11, 8
	longest           = 15 // bits of a code
	// Each part beyond the first holds two codes or more.
	literals  = 1<<litBits + maxLit/2<<(longest-litBits)
	distances = 1<<distBits + maxDist/2<<(longest-distBits)

	maxLit, maxDist = 288, 32
	endOfBlock      = 256
)

// An entry of a table: how many bits the code has (0: there is no such code), how many
// more say how far beyond the value (four bits from extraAt on), the value (from valueAt
// on) and what it is.
const (
	extraAt, valueAt = 8, 12
	isLiteral        = 1 << 31
	isEnd            = 1 << 30
	isPart           = 1 << 29 // the value is where a further part of the table begins, the extra how many bits choose in it
	isWrong          = 1 << 28 // a code that means nothing
	extraMask        = 15
	valueMask        = 1<<16 - 1
)

// litEntries are what the codes of literals and lengths mean: RFC 1951, section 3.2.5.
var litEntries = func() (all [maxLit]uint32) {
	for i := range 256 {
		all[i] = isLiteral | uint32(i)<<valueAt
	}
	all[endOfBlock] = isEnd
	length := uint32(3)
	for i := 257; i < 285; i++ {
		extra := uint32(max(0, (i-261)/4))
		all[i] = length<<valueAt | extra<<extraAt
		length += 1 << extra
	}
	all[285] = 258 << valueAt
	all[286], all[287] = isWrong, isWrong
	return all
}()

// distEntries are what the codes of distances mean.
var distEntries = func() (all [maxDist]uint32) {
	distance := uint32(1)
	for i := range 30 {
		extra := uint32(max(0, i/2-1))
		all[i] = distance<<valueAt | extra<<extraAt
		distance += 1 << extra
	}
	all[30], all[31] = isWrong, isWrong
	return all
}()

// plainEntries are the codes of the lengths of codes.
var plainEntries = func() (all [19]uint32) {
	for i := range all {
		all[i] = uint32(i) << valueAt
	}
	return all
}()

// fixedLit are the lengths of the codes of blocks that bring no own: section 3.2.6.
var fixedLit, fixedDist = func() (lit [maxLit]uint8, dist [maxDist]uint8) {
	for i := range lit {
		switch {
		case i < 144:
			lit[i] = 8
		case i < 256:
			lit[i] = 9
		case i < 280:
			lit[i] = 7
		default:
			lit[i] = 8
		}
	}
	for i := range dist {
		dist[i] = 5
	}
	return lit, dist
}()

// corrupt is the error of what follows no rule, at where it was read to.
func (r *Reader) corrupt() error { return flate.CorruptInputError(int64(r.made - r.from)) }

// build makes a table of the lengths of codes, which is wrong when they leave no codes
// over and yet do not use all, or use some twice.
func build(table []uint32, first int, lengths []uint8, entries []uint32) bool {
	var count, next [longest + 1]int
	most := 0
	for _, n := range lengths {
		if n > 0 {
			count[n]++
			most = max(most, int(n))
		}
	}
	clear(table[:1<<first])
	if most == 0 {
		return true // no code may come
	}
	code := 0
	for n := 1; n <= most; n++ {
		code <<= 1
		next[n] = code
		code += count[n]
	}
	// A single code of one bit leaves the other one over.
	if code != 1<<most && (code != 1 || most != 1) {
		return false
	}
	free := 1 << first
	for i, n := range lengths {
		if n == 0 {
			continue
		}
		code := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e := entries[i] | uint32(n)
		if int(n) <= first {
			for k := code; k < 1<<first; k += 1 << n {
				table[k] = e
			}
			continue
		}
		at := &table[code&(1<<first-1)]
		if *at == 0 {
			*at = isPart | uint32(free)<<valueAt | uint32(most-first)<<extraAt | uint32(first)
			clear(table[free : free+1<<(most-first)])
			free += 1 << (most - first)
		}
		part := table[*at>>valueAt&valueMask:]
		for k := code >> first; k < 1<<(most-first); k += 1 << (int(n) - first) {
			part[k] = e
		}
	}
	return true
}

// take reads n bits, at most 16.
func (r *Reader) take(n uint) (v int, ok bool) {
	for r.n < n {
		if !r.byte() {
			return 0, false
		}
	}
	v = int(r.bits & (1<<n - 1))
	r.bits >>= n
	r.n -= n
	return v, true
}

// byte gets another byte to hand.
func (r *Reader) byte() bool {
	if r.at == len(r.in) && !r.refill() {
		return false
	}
	r.bits |= uint64(r.in[r.at]) << r.n
	r.at++
	r.n += 8
	return true
}

// refill gets more when all that was at hand is used, but for the bits that were taken.
func (r *Reader) refill() bool {
	for r.at == len(r.in) {
		if r.end != nil {
			return false
		}
		// What was taken and not used may have to be put back.
		back := int(r.n / 8)
		r.in, r.at = r.in[:copy(r.in, r.in[r.at-back:])], back
		var k int
		k, r.end = r.src.Read(r.in[len(r.in):cap(r.in)])
		r.in = r.in[:len(r.in)+k]
	}
	return true
}

// symbol reads a code, when there are at least as many bits as the stream has to have.
func (r *Reader) symbol(table []uint32, first, least uint) (e uint32, err error) {
	for r.n < least {
		if !r.byte() {
			return 0, r.short()
		}
	}
	for {
		e = table[r.bits&(1<<first-1)]
		if e&isPart != 0 {
			e = table[uint64(e>>valueAt&valueMask)+r.bits>>first&(1<<(e>>extraAt&extraMask)-1)]
		}
		if n := uint(e & 0xff); n > 0 && n <= r.n {
			r.bits >>= n
			r.n -= n
			if e&isWrong != 0 {
				return 0, r.corrupt()
			}
			return e, nil
		}
		if r.n >= longest {
			return 0, r.corrupt()
		}
		if !r.byte() {
			// Nothing of what may follow makes a code where none begins so.
			return 0, r.short()
		}
	}
}

// block reads the header of a block.
func (r *Reader) block() error {
	if r.last {
		return errCheck
	}
	head, ok := r.take(3)
	if !ok {
		return r.short()
	}
	r.last = head&1 == 1
	switch head >> 1 {
	case 0:
		return r.beginStored()
	case 1:
		build(r.lit[:], litBits, fixedLit[:], litEntries[:])
		build(r.dist[:], distBits, fixedDist[:], distEntries[:])
		r.least = uint(fixedLit[endOfBlock])
	case 2:
		if err := r.tables(); err != nil {
			return err
		}
	default:
		return r.corrupt()
	}
	r.next = (*Reader).symbols
	return nil
}

func (r *Reader) beginStored() error {
	r.bits >>= r.n % 8
	r.n -= r.n % 8
	if !r.more(4) {
		return r.short()
	}
	n := binary.LittleEndian.Uint16(r.in[r.at:])
	if n != ^binary.LittleEndian.Uint16(r.in[r.at+2:]) {
		r.at += 4
		return r.corrupt()
	}
	r.at += 4
	r.stored, r.next = int(n), (*Reader).copyStored
	return nil
}

func (r *Reader) copyStored() error {
	for r.stored > 0 {
		if r.made > window+room {
			return nil
		}
		if !r.more(1) {
			return r.short()
		}
		n := copy(r.out[r.made:], r.in[r.at:min(len(r.in), r.at+r.stored)])
		r.at += n
		r.made += n
		r.stored -= n
	}
	r.next = (*Reader).block
	return nil
}

// order is how the lengths of the codes of lengths come: section 3.2.7.
var order = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tables reads the codes of a block.
func (r *Reader) tables() error {
	sizes, ok := r.take(14)
	if !ok {
		return r.short()
	}
	lit, dist, some := sizes&31+257, sizes>>5&31+1, sizes>>10+4
	if lit > 286 || dist > 30 {
		return r.corrupt()
	}
	var lengths [maxLit + maxDist]uint8
	for _, i := range order[:some] {
		n, ok := r.take(3)
		if !ok {
			return r.short()
		}
		lengths[i] = uint8(n)
	}
	// The table of distances serves.
	if !build(r.dist[:], distBits, lengths[:19], plainEntries[:]) {
		return r.corrupt()
	}
	clear(lengths[:19])
	for i := 0; i < lit+dist; {
		e, err := r.symbol(r.dist[:], distBits, 1)
		if err != nil {
			return err
		}
		n := e >> valueAt & valueMask
		if n < 16 {
			lengths[i] = uint8(n)
			i++
			continue
		}
		repeat, more, value := 3, uint(2), uint8(0)
		switch n {
		case 16:
			if i == 0 {
				return r.corrupt()
			}
			value = lengths[i-1]
		case 17:
			more = 3
		default:
			repeat, more = 11, 7
		}
		k, ok := r.take(more)
		if !ok {
			return r.short()
		}
		if repeat += k; i+repeat > lit+dist {
			return r.corrupt()
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	if !build(r.lit[:], litBits, lengths[:lit], litEntries[:]) || !build(r.dist[:], distBits, lengths[lit:lit+dist], distEntries[:]) {
		return r.corrupt()
	}
	r.least = uint(lengths[endOfBlock]) // each block ends so
	return nil
}

// symbols unpacks a block, or as much of it as there is room for.
func (r *Reader) symbols() error {
	for r.made <= window+room {
		if len(r.in)-r.at >= 16 {
			if done, err := r.quick(); done || err != nil {
				return err
			}
			continue
		}
		if r.end == nil && !r.more(16) {
			continue
		}
		if len(r.in)-r.at >= 16 {
			continue
		}
		// The end is near.
		e, err := r.symbol(r.lit[:], litBits, r.least)
		switch {
		case err != nil:
			return err
		case e&isLiteral != 0:
			r.out[r.made] = byte(e >> valueAt)
			r.made++
			continue
		case e&isEnd != 0:
			r.next = (*Reader).block
			return nil
		}
		k, ok := r.take(uint(e >> extraAt & extraMask))
		if !ok {
			return r.short()
		}
		length := int(e>>valueAt&valueMask) + k
		if e, err = r.symbol(r.dist[:], distBits, 1); err != nil {
			return err
		}
		if k, ok = r.take(uint(e >> extraAt & extraMask)); !ok {
			return r.short()
		}
		distance := int(e>>valueAt&valueMask) + k
		if distance > r.made-r.from {
			return r.corrupt()
		}
		repeat(r.out, r.made, distance, length)
		r.made += length
	}
	return nil
}

// quick unpacks as long as there is room, and enough at hand to look at eight bytes at
// once; done says that the block ended. It uses the bits that were taken and the next
// eight bytes before it looks whether there are more.
func (r *Reader) quick() (done bool, err error) {
	in, at, out, made := r.in, r.at, r.out, r.made
	bitsAt, n := r.bits, r.n
	lit, dist := &r.lit, &r.dist
	for made <= window+room && at <= len(in)-8 {
		bitsAt |= binary.LittleEndian.Uint64(in[at:]) << (n & 63)
		at += int((63 - n) >> 3 & 7)
		n |= 56
		// At least 56 bits are there: up to three literals of 11 bits, or a length and a
		// distance of 48.
		e := lit[bitsAt&(1<<litBits-1)]
		if e&isLiteral != 0 {
			k := uint(e & 63)
			bitsAt >>= k
			n -= k
			out[made] = byte(e >> valueAt)
			made++
			e = lit[bitsAt&(1<<litBits-1)]
			if e&isLiteral != 0 {
				k := uint(e & 63)
				bitsAt >>= k
				n -= k
				out[made] = byte(e >> valueAt)
				made++
				e = lit[bitsAt&(1<<litBits-1)]
				if e&isLiteral != 0 {
					k := uint(e & 63)
					bitsAt >>= k
					n -= k
					out[made] = byte(e >> valueAt)
					made++
				}
				continue
			}
			// There may be too few bits for all of what follows.
			if n < 48 {
				if at > len(in)-8 {
					break
				}
				bitsAt |= binary.LittleEndian.Uint64(in[at:]) << (n & 63)
				at += int((63 - n) >> 3 & 7)
				n |= 56
			}
		}
		if e&isPart != 0 {
			e = lit[uint64(e>>valueAt&valueMask)+bitsAt>>litBits&(1<<(e>>extraAt&extraMask)-1)]
			if e&isLiteral != 0 {
				k := uint(e & 63)
				bitsAt >>= k
				n -= k
				out[made] = byte(e >> valueAt)
				made++
				continue
			}
		}
		k := uint(e & 63)
		if k == 0 || e&(isEnd|isWrong) != 0 {
			bitsAt >>= k
			n -= k
			if e&isEnd != 0 {
				done, r.next = true, (*Reader).block
			} else {
				err = r.corrupt()
			}
			break
		}
		bitsAt >>= k
		n -= k
		k = uint(e >> extraAt & extraMask)
		length := int(e>>valueAt&valueMask) + int(bitsAt&(1<<k-1))
		bitsAt >>= k
		n -= k
		e = dist[bitsAt&(1<<distBits-1)]
		if e&isPart != 0 {
			e = dist[uint64(e>>valueAt&valueMask)+bitsAt>>distBits&(1<<(e>>extraAt&extraMask)-1)]
		}
		k = uint(e & 63)
		if k == 0 || e&isWrong != 0 {
			err = r.corrupt()
			break
		}
		bitsAt >>= k
		n -= k
		k = uint(e >> extraAt & extraMask)
		distance := int(e>>valueAt&valueMask) + int(bitsAt&(1<<k-1))
		bitsAt >>= k
		n -= k
		if distance > made-r.from {
			err = r.corrupt()
			break
		}
		if from := made - distance; distance >= 8 {
			// Eight bytes at once, up to seven too many: what follows is written over them.
			for i := 0; i < length; i += 8 {
				binary.LittleEndian.PutUint64(out[made+i:], binary.LittleEndian.Uint64(out[from+i:]))
			}
		} else {
			repeat(out, made, distance, length)
		}
		made += length
	}
	r.at, r.made = at, made
	r.bits, r.n = bitsAt&(1<<(n&63)-1), n
	return done, err
}

// repeat copies what stands before, of which what is copied may be a part.
func repeat(out []byte, made, distance, length int) {
	to, from := out[made:made+length], out[made-distance:]
	for i := range to {
		to[i] = from[i]
	}
}
