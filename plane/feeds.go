package plane

import (
	"path/filepath"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/service/guardduty"
	"sumun.dev/store"
)

// feeds are the threat lists that the settings name. Their last good copies lie
// in the data folder, if there is one.
func feeds(cfg *config.Config, management aws.Account) guardduty.Feeds {
	f := guardduty.Feeds{Home: store.Place{Account: management, Region: aws.Region(cfg.Region)}}
	if !cfg.InMemory() {
		f.Folder = filepath.Join(cfg.Data, "feeds")
	}
	for _, c := range cfg.Feeds {
		f.Feeds = append(f.Feeds, guardduty.Feed{Name: c.Name, URL: c.URL, Kind: c.Kind, Refresh: c.Refresh})
	}
	return f
}
