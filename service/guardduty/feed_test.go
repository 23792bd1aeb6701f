package guardduty

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sumun.dev/engine/dns"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

var home = store.Place{Account: account, Region: "us-east-1"}

func TestFeedsAreFetchedAgainAndAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		file := filepath.Join(w.lists, "feed.txt")
		w.file("feed.txt", "c2.example\n")
		w.feeds = Feeds{Folder: filepath.Join(w.lists, "copies"), Home: home, Feeds: []Feed{{Name: "my feed", URL: "file://" + file, Kind: "c2", Refresh: time.Hour}}}
		d := w.detector()
		w.begin()
		w.advance(time.Second)
		if w.asked(d, "www.c2.example") != 1 {
			t.Fatal("the feed is not in use")
		}
		if f := w.findings(d)[0]; f.Type != "Backdoor:EC2/C&CActivity.B!DNS" || *f.Service.Evidence.ThreatIntelligenceDetails[0].ThreatListName != "my feed" {
			t.Errorf("%+v", f)
		}
		w.file("feed.txt", "other.example\n")
		if w.asked(d, "other.example") != 1 {
			t.Error("read before its time")
		}
		w.advance(time.Hour)
		if w.asked(d, "other.example") != 2 {
			t.Error("not read again")
		}

		// Neither a broken feed nor a missing one takes away what was good, not
		// even over a restart.
		w.file("feed.txt", "<html>the server is down</html>\n")
		w.advance(time.Hour)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Hour)
		w.begin()
		w.query("x.other.example")
		for _, f := range w.findings(d) {
			if *f.Service.Action.DnsRequestAction.Domain == "x.other.example" && *f.Service.Count == 2 {
				return
			}
		}
		t.Error("the last good copy is not in use")
	})
}

func TestFeedsByHTTP(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte("# feed\n0.0.0.0 pool.example\n"))
	}))
	defer server.Close()
	s := New(service.Env{Store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), Log: slog.New(slog.DiscardHandler)})
	feed := Feed{Name: "http", URL: server.URL, Kind: "mining"}
	s.Follow(Feeds{Feeds: []Feed{feed}, Client: server.Client(), Home: home})
	if err := s.fetch(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	n, err := dns.ParseName("eu.pool.example")
	if err != nil {
		t.Fatal(err)
	}
	if list, entry := s.book.At(home).Find("mining", n); list == nil || entry != "pool.example" {
		t.Errorf("%v %q", list, entry)
	}
	status.Store(http.StatusServiceUnavailable)
	if err := s.fetch(t.Context(), feed); err == nil {
		t.Error("an error page is taken for a feed")
	}
	if list, _ := s.book.At(home).Find("mining", n); list == nil {
		t.Error("the good list is gone")
	}
	server.Close()
	feed.URL += "/list?key=secret"
	if err := s.fetch(t.Context(), feed); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the key in the URL is told: %v", err)
	}
}
