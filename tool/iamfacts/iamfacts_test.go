package main

import (
	"bytes"
	"os"
	"testing"
)

// The table is what the tool makes of the data, when they are there.
func TestTableIsWhatTheDataSay(t *testing.T) {
	folder := os.Getenv("IAM_DATA")
	if folder == "" {
		t.Skip("IAM_DATA names no unpacked " + packageName)
	}
	want, err := write(folder)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../policy/facts/facts.gz")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("facts.gz (%d bytes) differs from what %s makes (%d bytes): go run ./tool/iamfacts", len(got), folder, len(want))
	}
}

func TestReadRefusesOtherPackages(t *testing.T) {
	folder := t.TempDir()
	if _, err := write(folder); err == nil {
		t.Error("an empty folder was taken")
	}
}
