// Package foreignkey finds data that is encrypted anew with a key of another account.
package foreignkey

import (
	"bytes"
	"strings"
	"time"

	"sumun.dev/detect/declared"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "Impact:IAMUser/AnomalousBehavior"

// objects is how many of a bucket make a suspicion: one or two are handed over.
const objects = 5

// Rule reports what the account will not be able to read by its own keys.
var Rule = rule.Rule{
	Name: "foreignkey", Types: []string{typ}, Class: record.APIActivity, See: see,
	State: func() rule.State { return window.New(objects, 10*time.Minute, 1<<12) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || a.Failed() || a.ByService() || r.Account == "" || !bytes.Contains(a.Request.Raw(), []byte(":kms:")) {
		return
	}
	single := false
	switch a.Operation {
	case "PutObject", "CopyObject", "CreateMultipartUpload":
	case "PutBucketEncryption", "ModifyEbsDefaultKmsKeyId", "UpdateTrail", "UpdateSecret", "AssociateKmsKey", "UpdateEventDataStore":
		single = true // what is there, or comes, is encrypted with it from now on
	default:
		return
	}
	key := ""
	a.Request.Leaves(func(_, value string) bool {
		if strings.HasPrefix(value, "arn:") && strings.Contains(value, ":kms:") && declared.External(string(r.Account), value) {
			key = value
		}
		return key == ""
	})
	if key == "" {
		return
	}
	out := s.Call(typ, "EncryptedWithForeignKey", r)
	out.Severity, out.API.OtherAccount = 8, key
	bucket := a.Request.Str("bucketName")
	if bucket != "" {
		out.Buckets, out.Key = []finding.Bucket{{Name: bucket}}, bucket
	}
	if !single {
		all := s.State.(*window.Counter).Add(a.Actor.Principal()+" "+bucket, window.Event{At: r.Time, Value: a.Request.Str("key"), Note: r.ID})
		if all == nil {
			return
		}
		for _, e := range all[:len(all)-1] {
			out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At})
		}
		out.Evidence = append(out.Evidence, rule.Evidence(r))
	}
	s.Report(out)
}
