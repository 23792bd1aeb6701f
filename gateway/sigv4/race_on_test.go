//go:build race

package sigv4

// raceDetector makes each request take ten times as long: fewer values are tried.
const raceDetector = true
