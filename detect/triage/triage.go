// Package triage judges folders of logs at once: it learns what is normal from them, applies all rules, and adds suspicions up to findings.
package triage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source"
	"sumun.dev/finding"
)

// Options say what to read and what counts.
type Options struct {
	Paths    []string // files, folders, globs, "-", s3://
	From     source.From
	Baseline []string    // what to learn from; none: from what is judged, in a first pass over it
	Now      time.Time   // when that is; zero: by the clock
	Since    time.Time   // judge what happened at or after; zero: all
	Until    time.Time   // judge what happened before; zero: all
	Account  aws.Account // whose records are that do not say
	Region   aws.Region  // where records are from that do not say
	Engine   detect.Options
	Suppress []Suppression // findings that are counted and not told

	// Progress hears now and then how far it is.
	Progress func(Progress)

	most int // findings kept; 0: maxFindings
}

// A Progress is how far a triage is.
type Progress struct {
	Learning bool
	Records  int
	Files    int   // that were begun
	All      int   // files there are
	Bytes    int64 // that were read, packed as they lie there
	Size     int64 // of all files; 0 when it is not known
}

// A Result is what a triage found.
type Result struct {
	Findings []*finding.Finding // the most severe first, then the earliest
	Judged   int                // records within Since and Until
	Outside  int                // records that are not
	From, To time.Time          // of those
	Rules    int
	Read     source.Report
	Baseline source.Report // of Options.Baseline
	Learnt   int           // records learnt from
	Copies   int           // records that were seen before, word for word, and count once
	Strange  int           // records that were judged apart, since no clock of AWS can have told their time

	// Dropped counts findings that were let go since there were too many, the least
	// severe of them; one that came again after that is counted again.
	Dropped int

	Suppressed []Suppressed // in the order of Options.Suppress; those that hid nothing too
}

// A Suppressed says how many findings a suppression hid.
type Suppressed struct {
	Suppression
	Findings int
}

// Run reads, learns and judges. It fails when nothing can be read at all, or when
// ctx ends.
func Run(ctx context.Context, o Options) (*Result, error) {
	files, err := source.Expand(ctx, o.Paths, o.From)
	if err != nil {
		return nil, err
	}
	files, clean, err := source.Shelve(files)
	if err != nil {
		return nil, err
	}
	defer clean()
	// To learn from what is judged, it is read twice.
	if len(o.Baseline) == 0 {
		again, clean, err := source.Spool(ctx, files)
		if err != nil {
			return nil, err
		}
		defer clean()
		files = again
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	out, err := attempt(ctx, o, files, source.Likely)
	if errors.Is(err, source.ErrPassed) {
		// There is more to learn from than it looked like.
		out, err = attempt(ctx, o, files, source.Records)
	}
	return out, err
}

// attempt learns and judges. To learn, it reads records by read.
func attempt(ctx context.Context, o Options, files []source.File, read reading) (*Result, error) {
	e := detect.NewEngine(o.Engine)
	out := &Result{Rules: e.Rules()}
	if err := learn(ctx, o, e, files, read, out); err != nil {
		return nil, err
	}
	found := newKept(o)
	var apart *detect.Engine
	var seen copies
	var judged *record.Record
	add := func(s finding.Suspicion) { found.add(home(judged), s) }
	for r, err := range source.Records(ctx, files, &out.Read) {
		if err != nil {
			return nil, err
		}
		o.settle(r)
		if !o.Since.IsZero() && r.Time.Before(o.Since) || !o.Until.IsZero() && !r.Time.Before(o.Until) {
			out.Outside++
			continue
		}
		if seen.again(r) {
			out.Copies++
			continue
		}
		if out.Judged++; o.Progress != nil && out.Judged%4096 == 0 {
			o.Progress(progress(false, out.Judged, &out.Read, files))
		}
		// A forged time would end all windows and make all habits old.
		judge := e
		if r.Strange(o.Now) {
			if out.Strange++; apart == nil {
				apart = detect.NewEngine(o.Engine)
			}
			judge = apart
		} else {
			if out.From.IsZero() || r.Time.Before(out.From) {
				out.From = r.Time
			}
			if r.Time.After(out.To) {
				out.To = r.Time
			}
		}
		judged = r
		judge.See(r, add)
	}
	out.Findings, out.Suppressed, out.Dropped = found.told()
	return out, nil
}

// A reading is a way to read the records of some formats.
type reading = func(context.Context, []source.File, *source.Report, ...string) iter.Seq2[*record.Record, error]

// learns are the formats that something can be learnt from.
var learns = []string{source.CloudTrail, source.S3Access}

// learn takes in what is normal. From what can be read once only, since it is too
// large to be laid down, nothing is learnt.
func learn(ctx context.Context, o Options, e *detect.Engine, files []source.File, read reading, out *Result) error {
	from := slices.DeleteFunc(slices.Clone(files), func(f source.File) bool { return f.Once })
	aside := &source.Report{} // what is judged is told of then
	if len(o.Baseline) > 0 {
		var err error
		if from, err = source.Expand(ctx, o.Baseline, source.From{Stdin: strings.NewReader(""), Objects: o.From.Objects}); err != nil {
			return err
		}
		aside, read = &out.Baseline, source.Records
	}
	from, clean, err := source.Shelve(from)
	if err != nil {
		return err
	}
	defer clean()
	for r, err := range read(ctx, from, aside, learns...) {
		if err != nil {
			return err
		}
		if r.Strange(o.Now) {
			continue
		}
		o.settle(r)
		e.Learn(r)
		if out.Learnt++; o.Progress != nil && out.Learnt%4096 == 0 {
			o.Progress(progress(true, out.Learnt, aside, from))
		}
	}
	if len(o.Baseline) > 0 && out.Learnt == 0 {
		return fmt.Errorf("the baseline has no record that can be read, and %d pieces that cannot", aside.Unread())
	}
	return nil
}

func progress(learning bool, records int, read *source.Report, files []source.File) Progress {
	p := Progress{Learning: learning, Records: records, Files: read.Files, All: len(files), Bytes: read.Bytes}
	for _, f := range files {
		if f.Size == 0 && f.Once {
			p.Size = 0
			break
		}
		p.Size += f.Size
	}
	return p
}

// detector is the id of the detector that findings of a triage belong to; ids of
// findings follow from it.
var detector = func() string {
	sum := sha256.Sum256([]byte("sumun detect"))
	return hex.EncodeToString(sum[:16])
}()

// settle says whose a record is, and where it is from, when it does not say.
func (o *Options) settle(r *record.Record) {
	if r.Account == "" {
		r.Account = o.Account
	}
	if r.Region == "" {
		r.Region = o.Region
	}
}

func home(r *record.Record) finding.Home {
	return finding.Home{Partition: partition(r.Region), Account: r.Account, Region: r.Region, Detector: detector}
}

func partition(r aws.Region) string {
	switch {
	case strings.HasPrefix(string(r), "cn-"):
		return "aws-cn"
	case strings.HasPrefix(string(r), "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
