package access

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"sumun.dev/detect/record"
)

// operations are the calls that S3's own names mean. Those that set something are
// absent: the log does not say what they set, and CloudTrail does.
var operations = map[string]string{
	"REST.GET.OBJECT": "GetObject", "REST.HEAD.OBJECT": "HeadObject", "REST.PUT.OBJECT": "PutObject", "REST.POST.OBJECT": "PutObject",
	"REST.COPY.OBJECT": "CopyObject", "REST.DELETE.OBJECT": "DeleteObject", "BATCH.DELETE.OBJECT": "DeleteObject",
	"WEBSITE.GET.OBJECT": "GetObject", "WEBSITE.HEAD.OBJECT": "HeadObject",
	"REST.POST.UPLOADS": "CreateMultipartUpload", "REST.POST.UPLOAD": "CompleteMultipartUpload", "REST.PUT.PART": "UploadPart", "REST.DELETE.UPLOAD": "AbortMultipartUpload",
	"REST.GET.BUCKET": "ListObjects", "REST.GET.BUCKETVERSIONS": "ListObjectVersions", "REST.HEAD.BUCKET": "HeadBucket",
	"REST.GET.LOCATION": "GetBucketLocation", "REST.GET.BUCKETPOLICY": "GetBucketPolicy", "REST.DELETE.BUCKETPOLICY": "DeleteBucketPolicy",
	"REST.DELETE.BUCKET": "DeleteBucket", "REST.GET.LOGGING_STATUS": "GetBucketLogging", "REST.GET.VERSIONING": "GetBucketVersioning",
}

const clock = "02/Jan/2006:15:04:05 -0700"

// IsS3 reports whether a line is of S3's server access log.
func IsS3(line []byte) bool {
	f, err := split(line)
	if err != nil || len(f) < 17 {
		return false
	}
	_, err = time.Parse(clock, f[2])
	return err == nil && strings.Count(f[6], ".") >= 2
}

// S3 reads a line of S3's server access log: User Guide, "Amazon S3 server access
// log format". It becomes the call that CloudTrail would have recorded as a data
// event. What follows the client's name in the line is not used: a client can put
// into its name what looks like it.
func S3(line []byte) (*record.Record, error) {
	f, err := split(line)
	if err != nil {
		return nil, err
	}
	if len(f) < 17 {
		return nil, errFields
	}
	at, err := time.Parse(clock, f[2])
	if err != nil {
		return nil, fmt.Errorf("S3 access log: %w", err)
	}
	a := &record.API{Service: "s3.amazonaws.com", Operation: f[6], Type: "AwsApiCall", RequestID: known(f[5]), Source: known(f[3]), Agent: known(f[16])}
	if name, ok := operations[f[6]]; ok {
		a.Operation = name
	}
	a.ReadOnly = strings.Contains(f[6], ".GET.") || strings.Contains(f[6], ".HEAD.")
	if ip, err := netip.ParseAddr(f[3]); err == nil {
		a.IP = ip.Unmap()
	}
	if n := status(f[9]); n >= 400 {
		if a.Error = known(f[10]); a.Error == "" {
			a.Error = f[9]
		}
	}
	about := map[string]string{"bucketName": f[1]}
	if key := known(f[7]); key != "" {
		if plain, err := url.PathUnescape(key); err == nil {
			key = plain
		}
		about["key"] = key
	}
	b, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	a.Request = record.NewDocument(b)
	a.Additional = record.NewDocument(fmt.Appendf(nil, `{"bytesTransferredOut":%d}`, whole(f[11])))
	a.Resources = []record.Resource{{ARN: "arn:aws:s3:::" + f[1], Type: "AWS::S3::Bucket"}}
	a.Actor = requester(f[4])
	return &record.Record{Class: record.APIActivity, Time: at.UTC(), ID: a.RequestID, API: a}, nil
}

// requester reads who asked: nobody, an IAM ARN, a canonical user id, or S3 itself.
func requester(s string) record.Actor {
	parts := strings.SplitN(s, ":", 6)
	switch {
	case s == "-":
		return record.Actor{Type: "AWSAccount", Account: "ANONYMOUS_PRINCIPAL"}
	case s == "AmazonS3" || strings.HasPrefix(s, "svc:"):
		return record.Actor{Type: "AWSService", InvokedBy: "s3.amazonaws.com"}
	case len(parts) != 6 || parts[0] != "arn":
		return record.Actor{Type: "AWSAccount", ID: s}
	}
	who := record.Actor{Type: "IAMUser", ARN: s, Account: parts[4]}
	name := strings.Split(parts[5], "/")
	switch {
	case name[0] == "assumed-role" && len(name) == 3:
		who.Type, who.ID = "AssumedRole", ":"+name[2]
		who.Issuer = record.Issuer{Type: "Role", ARN: "arn:" + parts[1] + ":iam::" + parts[4] + ":role/" + name[1], Account: parts[4], Name: name[1]}
	case name[0] == "federated-user":
		who.Type = "FederatedUser"
	case name[0] == "root":
		who.Type = "Root"
	default:
		who.Name = name[len(name)-1]
	}
	return who
}
