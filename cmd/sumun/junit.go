package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"sumun.dev/scenario"
)

// junit writes a report that CI systems read. It is written anew after each
// scenario: one that ends the program leaves the report of those before.
type junit struct {
	file  string
	suite junitSuite
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`

	seconds float64
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Skipped *struct{}     `xml:"skipped,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (j *junit) add(r scenario.Result) error {
	if j.file == "" {
		return nil
	}
	c := junitCase{Class: r.Folder, Name: r.Name, Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
	s := &j.suite
	s.Name, s.Tests, s.seconds = "sumun test", s.Tests+1, s.seconds+r.Took.Seconds()
	s.Time = fmt.Sprintf("%.3f", s.seconds)
	switch {
	case r.Failed:
		s.Failures++
		c.Failure = &junitFailure{Message: failure(r.Log), Text: printable(r.Log)}
	case r.Skipped:
		s.Skipped++
		c.Skipped = &struct{}{}
	}
	s.Cases = append(s.Cases, c)
	text, err := xml.MarshalIndent(junitSuites{Suites: []junitSuite{*s}}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(j.file, append([]byte(xml.Header), append(text, '\n')...), 0o644)
}

// failure is the line that says what failed.
func failure(log string) string {
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "FAIL: ") {
			return printable(strings.TrimSpace(line))
		}
	}
	return "failed"
}

// printable leaves out what XML cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
