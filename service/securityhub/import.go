package securityhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxFinding is how many bytes a finding can have. API Reference, BatchImportFindings.
const maxFinding = 240 << 10

const tooLarge = "Finding exceeds the maximum size of 240 KB."

// batchImportFindings takes each finding for itself: one that cannot be imported
// is told of, the others are imported.
func (s *Service) batchImportFindings(ctx context.Context, in *securityhubapi.BatchImportFindingsRequest) (*securityhubapi.BatchImportFindingsResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	out := &securityhubapi.BatchImportFindingsResponse{FailedFindings: []securityhubapi.ImportFindingsError{}}
	now := time.Now()
	for i := range in.Findings {
		f := &in.Findings[i]
		code, why, err := s.importOne(ctx, f, now)
		if err != nil {
			return nil, err
		}
		if why == "" {
			out.SuccessCount++
			continue
		}
		out.FailedCount++
		out.FailedFindings = append(out.FailedFindings, securityhubapi.ImportFindingsError{Id: f.Id, ErrorCode: code, ErrorMessage: why})
	}
	return out, nil
}

// importOne imports a finding, or says why not.
func (s *Service) importOne(ctx context.Context, f *securityhubapi.AwsSecurityFinding, now time.Time) (code, why string, err error) {
	if code, why := s.refuses(ctx, f); why != "" {
		return code, why, nil
	}
	label(ctx, f)
	// What was written of a finding that turns out too large is undone.
	err = s.env.Store.Update(ctx, func(ctx context.Context) error { return s.take(ctx, f, anyOrder, now) })
	if errors.Is(err, store.ErrTooLarge) {
		return "InvalidInput", tooLarge, nil
	}
	return "", "", err
}

// refuses says why a finding cannot be imported.
func (s *Service) refuses(ctx context.Context, f *securityhubapi.AwsSecurityFinding) (code, why string) {
	document, err := encode(f)
	if err != nil {
		return "InternalFailure", "The finding cannot be written."
	}
	if len(document) > maxFinding {
		return "InvalidInput", tooLarge
	}
	var doc map[string]any
	if err := json.Unmarshal(document, &doc); err != nil {
		return "InternalFailure", "The finding cannot be written."
	}
	problems := append(s.format.problems("data", doc), provider(f)...)
	if len(problems) > 0 {
		return "InvalidInput", "Finding does not adhere to Amazon Finding Format. " + strings.Join(problems, ", ") + "."
	}
	return authorised(aws.CallOf(ctx), f)
}

// provider checks what must stand at the top or in FindingProviderFields.
func provider(f *securityhubapi.AwsSecurityFinding) []string {
	p := f.FindingProviderFields
	var lacking []string
	if f.Severity == nil && (p == nil || p.Severity == nil) {
		lacking = append(lacking, "data should have required property 'Severity'")
	}
	if f.Types == nil && (p == nil || p.Types == nil) {
		lacking = append(lacking, "data should have required property 'Types'")
	}
	if len(lacking) == 0 {
		return nil
	}
	if p == nil {
		lacking = append(lacking, "data should have required property 'FindingProviderFields'")
	}
	return append(lacking, "data should match some schema in anyOf")
}

// authorised checks that the account may send findings of the product. Customers
// have one product of their own in each region; AWS's own products and partners
// send theirs themselves. User Guide, "Sending findings from custom products".
func authorised(call *aws.Call, f *securityhubapi.AwsSecurityFinding) (code, why string) {
	product, err := aws.ParseARN(f.ProductArn)
	if err != nil || product.Service != "securityhub" || !strings.HasPrefix(product.Resource, "product/") {
		return "InvalidInput", "Finding does not adhere to Amazon Finding Format. data.ProductArn should be the ARN of a product."
	}
	if product.Region != call.Region || product.Partition != call.Partition {
		return "InvalidInput", fmt.Sprintf("ProductArn %s is not a product of Region %s.", f.ProductArn, call.Region)
	}
	if product != defaultProduct(call) {
		return "AccessDeniedException", fmt.Sprintf("Account %s is not allowed to import findings of the product %s.", call.Account, f.ProductArn)
	}
	if aws.Account(f.AwsAccountId) != call.Account {
		return "AccessDeniedException", fmt.Sprintf("Account %s is not allowed to import findings for account %s.", call.Account, f.AwsAccountId)
	}
	return "", ""
}

// defaultProduct names the product of an account's own findings.
func defaultProduct(call *aws.Call) aws.ARN {
	return call.ARN("securityhub", "product/"+string(call.Account)+"/default")
}

// reserved begins the product fields that AWS fills in.
const reserved = "aws/securityhub/"

// label says whose finding it is.
func label(ctx context.Context, f *securityhubapi.AwsSecurityFinding) {
	call := aws.CallOf(ctx)
	f.Region = new(string(call.Region))
	if f.ProductName == nil {
		f.ProductName = new("Default")
	}
	if f.CompanyName == nil {
		f.CompanyName = new("Personal")
	}
	fields := map[string]string{}
	for key, v := range f.ProductFields {
		fields[key] = v
	}
	fields[reserved+"FindingId"] = f.ProductArn + "/" + f.Id
	fields[reserved+"ProductName"] = *f.ProductName
	fields[reserved+"CompanyName"] = *f.CompanyName
	f.ProductFields = fields
}

// products lists the distinct products that an import names, for its touches.
func products(in *securityhubapi.BatchImportFindingsRequest) []string {
	var all []string
	for i := range in.Findings {
		if arn := in.Findings[i].ProductArn; !slices.Contains(all, arn) {
			all = append(all, arn)
		}
	}
	return all
}
