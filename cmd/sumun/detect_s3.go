package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"sumun.dev/detect/source"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/client"
	"sumun.dev/plane/client/bucket"
	"sumun.dev/policy/facts"
)

// maxObjects bounds what one path of s3:// means.
const maxObjects = 1_000_000

// buckets is where paths of s3:// lead.
type buckets struct {
	endpoint, region, profile string
	unsigned                  bool

	store *bucket.Store // once one is asked for
}

func (b *buckets) flags(f *pflag.FlagSet) {
	f.StringVar(&b.endpoint, "endpoint-url", "", "URL of the store for paths of s3://, also $AWS_ENDPOINT_URL_S3 or $AWS_ENDPOINT_URL; without one, AWS")
	f.StringVar(&b.region, "region", "", "region of records that do not name theirs, and of the buckets, for which $AWS_REGION counts too; without one, us-east-1, and AWS says where a bucket is")
	f.StringVar(&b.profile, "profile", "", "profile of the shared credentials file, also $AWS_PROFILE")
	f.BoolVar(&b.unsigned, "no-sign-request", false, "read buckets that are open to everyone, without credentials")
}

// open finds the store and what to sign with.
func (b *buckets) open() (*bucket.Store, error) {
	if b.store != nil {
		return b.store, nil
	}
	s := &bucket.Store{Region: b.region}
	var err error
	if s.Region == "" {
		if s.Region, err = client.Region(b.profile); err != nil {
			return nil, err
		}
	}
	if at := cmp.Or(b.endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")); at != "" {
		if s.Endpoint, err = bucket.Endpoint(at); err != nil {
			return nil, err
		}
	}
	if b.unsigned {
		s.Key = sigv4.Credentials{}
	} else if s.Key, _, err = client.Credentials(b.profile); err != nil {
		return nil, fmt.Errorf("%w; --no-sign-request reads what is open to everyone", err)
	}
	b.store = s
	return s, nil
}

// objects lists what s3://bucket/prefix means: all objects whose keys begin so, or
// are like it where * stands for anything.
func (b *buckets) objects(ctx context.Context, path string) ([]source.File, error) {
	name, pattern, err := bucket.Split(path)
	if err != nil {
		return nil, err
	}
	store, err := b.open()
	if err != nil {
		return nil, err
	}
	prefix, _, wild := strings.Cut(pattern, "*")
	var files []source.File
	for o, err := range store.List(ctx, name, prefix) {
		if err != nil {
			return nil, err
		}
		if o.Size == 0 || strings.HasSuffix(o.Key, "/") || wild && !facts.Glob(pattern, o.Key) {
			continue
		}
		if len(files) == maxObjects {
			return nil, fmt.Errorf("%s: has more than %d objects: name more of it", path, maxObjects)
		}
		files = append(files, source.File{Name: "s3://" + name + "/" + o.Key, Size: o.Size, Far: true, Open: func() (io.ReadCloser, error) {
			return store.Open(ctx, name, o)
		}})
	}
	return files, nil
}
