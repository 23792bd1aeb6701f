package conformance

import (
	"encoding/json"
	"os/exec"
	"testing"

	"sumun.dev/api/acmapi"
	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/ec2api"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/lambdaapi"
	"sumun.dev/api/logsapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/s3api"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/api/snsapi"
	"sumun.dev/api/sqsapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/stepfunctionsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/wire"
)

// A service is one of ours with the SDK module that has its golden files.
type service struct {
	module     string // below aws-sdk-go-v2/service
	about      *wire.Service
	operations []wire.AnyOperation
}

func services() []service {
	return []service{
		{"acm", &acmapi.Service, acmapi.Operations()},
		{"cloudtrail", &cloudtrailapi.Service, cloudtrailapi.Operations()},
		{"cloudwatchlogs", &logsapi.Service, logsapi.Operations()},
		{"ec2", &ec2api.Service, ec2api.Operations()},
		{"eventbridge", &eventsapi.Service, eventsapi.Operations()},
		{"guardduty", &guarddutyapi.Service, guarddutyapi.Operations()},
		{"iam", &iamapi.Service, iamapi.Operations()},
		{"kms", &kmsapi.Service, kmsapi.Operations()},
		{"lambda", &lambdaapi.Service, lambdaapi.Operations()},
		{"organizations", &organizationsapi.Service, organizationsapi.Operations()},
		{"route53resolver", &route53resolverapi.Service, route53resolverapi.Operations()},
		{"s3", &s3api.Service, s3api.Operations()},
		{"secretsmanager", &secretsmanagerapi.Service, secretsmanagerapi.Operations()},
		{"securityhub", &securityhubapi.Service, securityhubapi.Operations()},
		{"sfn", &stepfunctionsapi.Service, stepfunctionsapi.Operations()},
		{"sns", &snsapi.Service, snsapi.Operations()},
		{"sqs", &sqsapi.Service, sqsapi.Operations()},
		{"ssm", &ssmapi.Service, ssmapi.Operations()},
		{"sts", &stsapi.Service, stsapi.Operations()},
	}
}

func (s service) operation(name string) wire.AnyOperation {
	for _, op := range s.operations {
		if op.About().Name == name {
			return op
		}
	}
	return nil
}

// moduleDir downloads a module that go.mod pins and returns its folder.
func moduleDir(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", path).Output()
	var m struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &m); jsonErr != nil || m.Dir == "" {
		t.Fatalf("module %s with the golden files is not to be had: %v %s", path, err, m.Error)
	}
	return m.Dir
}
