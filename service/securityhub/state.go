package securityhub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// A hub says that Security Hub is enabled in an account and region. It is the
// place's one row, under hubID.
type hub struct {
	Subscribed         time.Time
	AutoEnableControls bool
	Generator          securityhubapi.ControlFindingGenerator
	Tags               map[string]string
	Products           []string // whose findings are let in: "aws/guardduty"
}

const hubID = "default"

// A kept finding stands under a row id that begins with its UpdatedAt, so that
// the newest are found first. What indexes need is beside the document, which is
// the finding as the API shows it.
type kept struct {
	ProductArn string
	ID         string
	Record     securityhubapi.RecordState
	Status     securityhubapi.WorkflowStatus
	Resources  []string        // ids of its resources
	Overridden []string        // what the customer has set and the provider cannot change any more
	Document   json.RawMessage // wire's JSON of AwsSecurityFinding
	Row        string          `json:"-"` // where it stands
	seen       map[string]any  // the document, parsed
}

// The indexes of findings. Ids and resources may be long, so digests stand for them.
const (
	byKey      = "key"
	byID       = "id"
	byResource = "resource"
	byState    = "state"
)

func (k *kept) keys() []string { return []string{keyOf(k.ProductArn, k.ID)} }
func (k *kept) ids() []string  { return []string{digest(k.ID)} }

func (k *kept) resources() []string {
	var all []string
	for _, id := range k.Resources {
		all = append(all, digest(id))
	}
	return all
}

func (k *kept) states() []string { return []string{stateOf(k.Record, k.Status)} }

func stateOf(r securityhubapi.RecordState, w securityhubapi.WorkflowStatus) string {
	return string(r) + "/" + string(w)
}

// keyOf names a finding: product and id together are unique.
func keyOf(product, id string) string { return digest(product, id) }

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// rowTime orders rows by time in the order of their bytes.
const rowTime = "2006-01-02T15:04:05.000000000Z"

func rowOf(f *securityhubapi.AwsSecurityFinding) string {
	at, _ := parseTime(f.UpdatedAt) // was checked at import
	return at.UTC().Format(rowTime) + "/" + keyOf(f.ProductArn, f.Id)
}

// parseTime reads a time as ASFF has it.
func parseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

// stamp writes a time as Security Hub does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// hub returns the place's hub, or the error of one that is not there.
func (s *Service) hub(ctx context.Context) (*hub, error) {
	h, err := s.hubs.Get(ctx, hubID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fail(securityhubapi.InvalidAccessException, "Account %s is not subscribed to AWS Security Hub", aws.CallOf(ctx).Account)
	}
	return h, err
}

// find returns the finding of that product and id, nil when there is none.
func (s *Service) find(ctx context.Context, product, id string) (*kept, error) {
	return s.findKey(ctx, keyOf(product, id))
}

func (s *Service) findKey(ctx context.Context, key string) (*kept, error) {
	page, err := s.findings.PageBy(ctx, byKey, key, store.Range{Limit: 1})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	k := page[0].Value
	k.Row = page[0].ID
	return k, nil
}

// maxDocument bounds a finding with what customers have added to it, so that it
// fits a row and an event.
const maxDocument = 512 << 10

// put keeps a finding, in place of what it was. It answers store.ErrTooLarge when
// customers have added too much.
func (s *Service) put(ctx context.Context, k *kept, f *securityhubapi.AwsSecurityFinding, now time.Time) error {
	b, err := encode(f)
	if err != nil {
		return err
	}
	// As rows and events have it, which write some characters as six.
	if b, err = json.Marshal(b); err != nil {
		return fmt.Errorf("keep finding %s: %w", f.Id, err)
	}
	if len(b) > maxDocument {
		return fmt.Errorf("%w: finding %s has %d bytes", store.ErrTooLarge, f.Id, len(b))
	}
	row := rowOf(f)
	if k.Row != "" && k.Row != row {
		if err := s.findings.Delete(ctx, k.Row); err != nil {
			return err
		}
	}
	k.ProductArn, k.ID, k.Row, k.Document, k.seen = f.ProductArn, f.Id, row, b, nil
	k.Record, k.Status = value(f.RecordState), status(f)
	k.Resources = nil
	for _, r := range f.Resources {
		k.Resources = append(k.Resources, r.Id)
	}
	store.Schedule(ctx, store.Due{Kind: jobExpire, ID: keyOf(k.ProductArn, k.ID), At: now.Add(k.keep())})
	return s.findings.Put(ctx, row, k)
}

func status(f *securityhubapi.AwsSecurityFinding) securityhubapi.WorkflowStatus {
	if f.Workflow == nil {
		return ""
	}
	return value(f.Workflow.Status)
}

// value is what p points to, or nothing.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// fail is an error in the shape of Security Hub, which repeats the code in its body.
func fail(kind aws.ErrorKind, format string, args ...any) error {
	return kind.New(format, args...).With("Code", kind.Code)
}

func invalid(parameter, why string) error {
	return fail(securityhubapi.InvalidInputException, "Invalid parameter '%s'. %s.", parameter, why)
}
