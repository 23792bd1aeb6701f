package guardduty

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/intel/format"
	"sumun.dev/store"
)

// Feeds are threat lists that count in all accounts, fetched again and again.
type Feeds struct {
	Feeds  []Feed
	Folder string       // keeps the last good copies; empty: none are kept
	Client *http.Client // nil: the default one
	Home   store.Place  // whose due records fetch them: the management account's
}

// A Feed is a threat list by URL.
type Feed struct {
	Name    string // that findings show
	URL     string // http, https or file
	Kind    string // of intel.Feeds
	Refresh time.Duration
}

const (
	jobFeed      = "guardduty.feed"
	maxFeed      = 256 << 20        // bytes
	feedTimeout  = 20 * time.Second // a job has 25 s, and is to note that it failed
	feedRetry    = 5 * time.Minute  // after a failure, or sooner if the feed is
	feedRefresh  = time.Hour
	minimumAfter = time.Minute
)

// Follow has feeds fetched that count in all accounts. It comes before Start.
func (s *Service) Follow(f Feeds) { s.feeds = f }

// Locate says who tells what is known of addresses, at any time. It comes before Start.
func (s *Service) Locate(net func() *enrich.Net) { s.net = net }

// Start takes the feeds' last good copies, and has all of them fetched.
func (s *Service) Start(ctx context.Context) error {
	if len(s.feeds.Feeds) == 0 {
		return nil
	}
	for _, f := range s.feeds.Feeds {
		if err := s.takeCopy(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.env.Log.Warn("the last copy of a feed cannot be used", "feed", f.Name, "error", err)
		}
	}
	return s.env.Store.Update(ctx, func(ctx context.Context) error {
		for _, f := range s.feeds.Feeds {
			store.Schedule(ctx, store.Due{Kind: jobFeed, ID: f.id(), At: time.Now(), Place: s.feeds.Home})
		}
		return nil
	})
}

// id names a feed's due record and its copy.
func (f Feed) id() string {
	sum := sha256.Sum256([]byte(f.Name + "\x00" + f.Kind + "\x00" + f.URL))
	return hex.EncodeToString(sum[:16])
}

// feedDue fetches a feed and orders the next time. What was good stays in use
// until something better has come. One that is no longer configured is dropped.
func (s *Service) feedDue(ctx context.Context, due store.Due) error {
	for _, f := range s.feeds.Feeds {
		if f.id() != due.ID {
			continue
		}
		after := f.Refresh
		if after <= 0 {
			after = feedRefresh
		}
		if err := s.fetch(ctx, f); err != nil {
			s.env.Log.Warn("a feed cannot be fetched, its last good copy stays in use", "feed", f.Name, "error", err)
			after = min(after, feedRetry)
		}
		store.Schedule(ctx, store.Due{Kind: jobFeed, ID: due.ID, At: time.Now().Add(max(after, minimumAfter)), Place: s.feeds.Home})
	}
	return nil
}

// fetch reads a feed, puts it to use, and keeps a copy.
func (s *Service) fetch(ctx context.Context, f Feed) error {
	ctx, cancel := context.WithTimeout(ctx, feedTimeout)
	defer cancel()
	content, err := s.download(ctx, f.URL)
	if err != nil {
		return err
	}
	if err := s.use(f, content); err != nil {
		return err
	}
	if s.feeds.Folder == "" {
		return nil
	}
	return keepCopy(s.feeds.Folder, f.id(), content)
}

func (s *Service) download(ctx context.Context, location string) ([]byte, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, errors.New("the feed's URL is not valid")
	}
	if u.Scheme == "file" {
		file, err := os.Open(filepath.FromSlash(u.Path))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return readBounded(file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	client := s.feeds.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	var failure *url.Error
	if errors.As(err, &failure) {
		return nil, failure.Err // without the URL, in which a subscriber's key may stand: this goes to the log
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
	return readBounded(response.Body)
}

func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFeed+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFeed {
		return nil, fmt.Errorf("the feed has more than %d bytes", maxFeed)
	}
	return b, nil
}

// inUse remembers what the feeds in use said, by their ids: most say the same
// when they are fetched again.
type inUse struct {
	mu   sync.Mutex
	sums map[string][sha256.Size]byte
}

// put notes what a feed says.
func (u *inUse) put(id string, sum [sha256.Size]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sums[id] = sum
}

func (u *inUse) has(id string, sum [sha256.Size]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	before, ok := u.sums[id]
	return ok && before == sum
}

// use compiles a feed and swaps it for what was there. A feed without a single
// domain or address is taken for a broken one, and so is one without any that rules look up.
func (s *Service) use(f Feed, content []byte) error {
	sum := sha256.Sum256(content)
	if s.inUse.has(f.id(), sum) {
		return nil
	}
	var addresses []netip.Prefix
	var skipped int
	var failure error
	kind := intel.Kind(f.Kind)
	list, err := intel.Below(f.Name, kind, func(yield func(string) bool) {
		addresses, skipped, failure = format.Feed(bytes.NewReader(content), yield)
	})
	switch {
	case failure != nil:
		return failure
	case err != nil:
		return err
	}
	domains := list.Len()
	if !kind.Named() {
		skipped += domains
		if list, err = intel.Below(f.Name, kind, slices.Values([]string(nil))); err != nil {
			return err
		}
		domains = 0
	}
	if !kind.Addressed() {
		skipped += len(addresses)
		addresses = nil
	}
	if domains == 0 && len(addresses) == 0 {
		return fmt.Errorf("it has nothing that counts for a list of kind %s", kind)
	}
	s.book.Share(list.With(addresses))
	s.inUse.put(f.id(), sum)
	s.env.Log.Info("feed in use", "feed", f.Name, "domains", domains, "addresses", len(addresses), "skipped", skipped)
	return nil
}

func (s *Service) takeCopy(f Feed) error {
	if s.feeds.Folder == "" {
		return nil
	}
	file, err := os.Open(filepath.Join(s.feeds.Folder, f.id()))
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := readBounded(file)
	if err != nil {
		return err
	}
	return s.use(f, content)
}

// keepCopy replaces a feed's copy at once or not at all.
func keepCopy(folder, id string, content []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(folder, id+".*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // fails once it has been renamed
	_, err = t.Write(content)
	err = errors.Join(err, t.Sync(), t.Close())
	if err != nil {
		return err
	}
	return os.Rename(t.Name(), filepath.Join(folder, id))
}
