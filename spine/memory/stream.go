package memory

import (
	"sort"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// A stream is guarded by the spine's lock.
type stream struct {
	keep   spine.Retention
	events []kept
	bytes  int64
	begin  uint64 // the first position ever
	next   uint64 // position of the next event
	recent *spine.Recent
	grown  chan struct{} // closed and replaced when events arrive
}

type kept struct {
	spine.Delivery
	at   time.Time
	size int64
}

func (st *stream) append(e aws.Event) {
	if !st.recent.Add(e.ID) {
		return
	}
	k := kept{spine.Delivery{Event: e, Position: st.next}, time.Now(), int64(e.Size())}
	st.events = append(st.events, k)
	st.bytes += k.size
	st.next++
	st.expire()
	close(st.grown)
	st.grown = make(chan struct{})
}

// expire removes what retention no longer covers. It runs when events come and
// when they are read, so no timer is needed.
func (st *stream) expire() {
	n, now := 0, time.Now()
	for n < len(st.events) {
		tooOld := st.keep.Age > 0 && now.Sub(st.events[n].at) > st.keep.Age
		tooMany := st.keep.Bytes > 0 && st.bytes > st.keep.Bytes && n < len(st.events)-1
		if !tooOld && !tooMany {
			break
		}
		st.bytes -= st.events[n].size
		st.events[n] = kept{} // lets go of the data before the array is copied
		n++
	}
	st.events = st.events[n:]
}

// after returns up to limit events behind position p.
func (st *stream) after(p uint64, limit int) []spine.Delivery {
	st.expire()
	i := sort.Search(len(st.events), func(i int) bool { return st.events[i].Position > p })
	n := min(limit, len(st.events)-i)
	if n == 0 {
		return nil
	}
	batch := make([]spine.Delivery, n)
	for j := range batch {
		batch[j] = st.events[i+j].Delivery
	}
	return batch
}

func (st *stream) wipe() {
	st.events, st.bytes, st.recent, st.begin = nil, 0, spine.NewRecent(), st.next
}
