// Package conformance holds package wire to the golden requests and responses that AWS publishes with its SDKs.
package conformance
