// Package scenario plays scripts of AWS calls and DNS queries against a plane: tests in virtual time, rehearsals in real time.
//
// README.md describes the language. Reading order: script.go (what a script may
// do), command.go (the table of commands), world.go (who calls, and where),
// stage.go (the plane that a script plays on), play.go (how scripts are run).
package scenario
