package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"sumun.dev/bench/detect/generate"
	"sumun.dev/detect"
	"sumun.dev/detect/triage"
)

// cloudtrailRows measures what `sumun detect` does with the files of a trail.
func cloudtrailRows(b *bench) error {
	folder, err := os.MkdirTemp("", "sumun-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	history, trail, tiny := filepath.Join(folder, "history"), filepath.Join(folder, "trail"), filepath.Join(folder, "tiny")
	work := generate.Records(1, 75)
	cut := len(work) / 5
	learnt, err := writeTrail(history, work[:cut])
	if err != nil {
		return err
	}
	size, err := writeTrail(trail, work[cut:])
	if err != nil {
		return err
	}
	if _, err := writeTrail(tiny, work[cut:cut+1]); err != nil {
		return err
	}
	n, rules := len(work)-cut, len(detect.Rules())
	fmt.Printf("CloudTrail: %d records of %d bytes on average in .json.gz files of %d records; %d more to learn from\n", n, size/int64(n), perFile, cut)
	// What decoding alone costs with the standard library, to compare machines by.
	if _, err := b.measure(row{"for comparison: encoding/json into map[string]any, nothing else", 0, func() (int, int64, error) {
		all := int64(0)
		for _, body := range work[cut:] {
			var v map[string]any
			if err := json.Unmarshal(body, &v); err != nil {
				return 0, 0, err
			}
			all += int64(len(body))
		}
		return n, all, nil
	}}); err != nil {
		return err
	}
	judge := func(paths, baseline string, want int) error {
		o := triage.Options{Paths: []string{paths}}
		if baseline != "" {
			o.Baseline = []string{baseline}
		}
		r, err := triage.Run(context.Background(), o)
		if err == nil && (r.Judged != want || r.Read.Unread() > 0) {
			err = fmt.Errorf("%d records of %d judged, %d pieces unread", r.Judged, want, r.Read.Unread())
		}
		return err
	}
	_, err = b.measure(row{"CloudTrail .json.gz → findings, --baseline learnt before", rules, func() (int, int64, error) {
		// What learning took is taken away again: it is measured with a single record to judge.
		began := spent()
		if err := judge(tiny, history, 1); err != nil {
			return 0, 0, err
		}
		learning := spent() - began
		if err := judge(trail, history, n); err != nil {
			return 0, 0, err
		}
		b.off = 2 * learning
		return n, size, nil
	}})
	if err != nil {
		return err
	}
	if _, err := b.measure(row{"  the same with learning counted, both sets of files", rules, func() (int, int64, error) {
		return n + cut, size + learnt, judge(trail, history, n)
	}}); err != nil {
		return err
	}
	_, err = b.measure(row{"CloudTrail .json.gz → findings, two passes (default)", rules, func() (int, int64, error) {
		return n, size, judge(trail, "", n)
	}})
	return err
}

const perFile = 1000

// writeTrail lays records down as CloudTrail does, and returns their size unpacked.
func writeTrail(folder string, work [][]byte) (size int64, err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	for i := 0; i < len(work); i += perFile {
		var file bytes.Buffer
		file.WriteString(`{"Records":[`)
		for k, r := range work[i:min(i+perFile, len(work))] {
			if k > 0 {
				file.WriteByte(',')
			}
			file.Write(bytes.TrimSpace(r))
		}
		file.WriteString(`]}`)
		size += int64(file.Len())
		if err := pack(filepath.Join(folder, fmt.Sprintf("%06d.json.gz", i/perFile)), file.Bytes()); err != nil {
			return 0, err
		}
	}
	return size, nil
}

func pack(name string, content []byte) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, packed.Bytes(), 0o600)
}
