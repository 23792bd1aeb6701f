package gateway

import (
	"net/http"
	"testing"
)

func TestHeadersThatComeTwiceAreServedAsTheyWereSigned(t *testing.T) {
	h := http.Header{"X-Amz-Meta-A": {"1", "2"}, "Host": {"h"}}
	if got := oneValueEach(h); got.Get("X-Amz-Meta-A") != "1,2" || got.Get("Host") != "h" || len(h["X-Amz-Meta-A"]) != 2 {
		t.Errorf("%v from %v", got, h)
	}
}
