package secretsmanager

import (
	"context"
	"errors"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/store"
)

// The store's pages come in the order of ids. So that a million secrets can be
// listed page by page, each stands in a table of its own under its dates,
// "created-date/20260101T000000.000000000/NAME-xxxxxx", and under its name,
// "name/NAME NAME-xxxxxx": a space comes before all that a name can have, so that a
// name stands before those that it begins.

// dates are what secrets are ordered by besides their names.
type dates struct{ created, changed, accessed time.Time }

func (s *secret) dates() dates { return dates{s.Created, s.Changed, s.Accessed} }

func (d dates) of(by api.SortByType) time.Time {
	switch by {
	case api.SortByTypeLastChangedDate:
		return d.changed
	case api.SortByTypeLastAccessedDate:
		return d.accessed
	}
	return d.created
}

var byDate = []api.SortByType{api.SortByTypeCreatedDate, api.SortByTypeLastChangedDate, api.SortByTypeLastAccessedDate}

func placeID(by api.SortByType, at time.Time, id string) string {
	return string(by) + "/" + at.UTC().Format("20060102T150405.000000000") + "/" + id
}

func namePlace(sec *secret) string {
	return string(api.SortByTypeName) + "/" + sec.Name + " " + sec.ID
}

// placed returns the id of the secret that an entry is for.
func placed(entry string) string {
	by, rest, _ := strings.Cut(entry, "/")
	until := "/"
	if by == string(api.SortByTypeName) {
		until = " "
	}
	_, id, _ := strings.Cut(rest, until)
	return id
}

// reorder moves a secret to where its dates are now. One that was never kept has
// no places yet.
func (s *Service) reorder(ctx context.Context, sec *secret) error {
	now, table := sec.dates(), s.order.At(sec.arn)
	for _, by := range byDate {
		if sec.kept != (dates{}) {
			if now.of(by).Equal(sec.kept.of(by)) {
				continue
			}
			if err := table.Delete(ctx, placeID(by, sec.kept.of(by), sec.ID)); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if err := table.Put(ctx, placeID(by, now.of(by), sec.ID), &place{}); err != nil {
			return err
		}
	}
	if sec.kept == (dates{}) {
		if err := table.Put(ctx, namePlace(sec), &place{}); err != nil {
			return err
		}
	}
	sec.kept = now
	return nil
}

// displace takes a secret that is gone out of the order.
func (s *Service) displace(ctx context.Context, sec *secret) error {
	places := []string{namePlace(sec)}
	for _, by := range byDate {
		places = append(places, placeID(by, sec.kept.of(by), sec.ID))
	}
	for _, at := range places {
		if err := s.order.At(sec.arn).Delete(ctx, at); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
