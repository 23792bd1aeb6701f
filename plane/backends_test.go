package plane

import (
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/spine"
)

func TestRetentionIsAsTold(t *testing.T) {
	c := config.Spine{MaxMiB: 64}
	c.Retention.Trail = config.Keep{Age: 48 * time.Hour, MaxMiB: 128}
	c.Retention.DNS.Age = time.Hour
	got := retention(c)
	for stream, want := range map[string]spine.Retention{
		aws.TrailStream:    {Age: 48 * time.Hour, Bytes: 128 << 20},
		aws.DNSStream:      {Age: time.Hour, Bytes: 64 << 20},
		aws.FindingsStream: {Age: spine.DefaultRetention(aws.FindingsStream).Age, Bytes: 64 << 20},
	} {
		if got[stream] != want {
			t.Errorf("%s: %+v, want %+v", stream, got[stream], want)
		}
	}
	if got := retention(config.Spine{})[aws.BusStream]; got != spine.DefaultRetention(aws.BusStream) {
		t.Errorf("told nothing: %+v", got)
	}
}
