package main

import (
	"strings"
	"testing"
)

// The URL of the database server may hold a password, which 'help' must not show.
func TestHelpKeepsThePasswordOfThePostgres(t *testing.T) {
	t.Setenv(postgresVariable, "postgres://admin:hunter2@localhost/postgres")
	help := rehearse().UsageString()
	if !strings.Contains(help, postgresVariable) || strings.Contains(help, "hunter2") {
		t.Error(help)
	}
}
