// Package clientside holds KMS to AWS's own libraries for encryption in the client, which run unchanged against the built program.
package clientside
