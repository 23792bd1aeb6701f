package securityhub

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
)

// The products that send findings by themselves. AWS lists some hundred more,
// whose services are not here.
var sending = [...]struct{ name, title, company, about string }{
	{guardDuty, "GuardDuty", "Amazon", "Amazon GuardDuty is a threat detection service that continuously monitors for malicious activity and unauthorized behavior."},
}

func productARN(call *aws.Call, name string) string {
	return aws.ARN{Partition: call.Partition, Service: "securityhub", Region: call.Region, Resource: "product/" + name}.String()
}

func subscriptionARN(call *aws.Call, name string) string {
	return call.ARN("securityhub", "product-subscription/"+name).String()
}

func (s *Service) describeProducts(ctx context.Context, in *securityhubapi.DescribeProductsRequest) (*securityhubapi.DescribeProductsResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	if value(in.NextToken) != "" {
		return nil, invalid("NextToken", "The token is not valid") // there is one page
	}
	out := &securityhubapi.DescribeProductsResponse{Products: []securityhubapi.Product{}}
	for _, p := range sending {
		arn := productARN(aws.CallOf(ctx), p.name)
		if in.ProductArn != nil && *in.ProductArn != arn {
			continue
		}
		out.Products = append(out.Products, securityhubapi.Product{
			ProductArn: arn, ProductName: &p.title, CompanyName: &p.company, Description: &p.about,
			IntegrationTypes: []securityhubapi.IntegrationType{securityhubapi.IntegrationTypeSendFindingsToSecurityHub},
		})
	}
	if in.ProductArn != nil && len(out.Products) == 0 {
		return nil, fail(securityhubapi.ResourceNotFoundException, "The product %s is not found", *in.ProductArn)
	}
	return out, nil
}

// enableImportFindingsForProduct lets a product's findings in from now on.
func (s *Service) enableImportFindingsForProduct(ctx context.Context, in *securityhubapi.EnableImportFindingsForProductRequest) (*securityhubapi.EnableImportFindingsForProductResponse, error) {
	h, err := s.hub(ctx)
	if err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	for _, p := range sending {
		if productARN(call, p.name) != in.ProductArn {
			continue
		}
		if slices.Contains(h.Products, p.name) {
			return nil, fail(securityhubapi.ResourceConflictException, "Account %s is already subscribed to the product %s", call.Account, in.ProductArn)
		}
		h.Products = append(h.Products, p.name)
		return &securityhubapi.EnableImportFindingsForProductResponse{ProductSubscriptionArn: new(subscriptionARN(call, p.name))}, s.hubs.Put(ctx, hubID, h)
	}
	return nil, invalid("ProductArn", "The product "+in.ProductArn+" is not found")
}

func (s *Service) disableImportFindingsForProduct(ctx context.Context, in *securityhubapi.DisableImportFindingsForProductRequest) (*securityhubapi.DisableImportFindingsForProductResponse, error) {
	h, err := s.hub(ctx)
	if err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	at := slices.IndexFunc(h.Products, func(name string) bool { return subscriptionARN(call, name) == in.ProductSubscriptionArn })
	if at < 0 {
		return nil, fail(securityhubapi.ResourceNotFoundException, "The product subscription %s is not found", in.ProductSubscriptionArn)
	}
	h.Products = slices.Delete(h.Products, at, at+1)
	return &securityhubapi.DisableImportFindingsForProductResponse{}, s.hubs.Put(ctx, hubID, h)
}

func (s *Service) listEnabledProductsForImport(ctx context.Context, in *securityhubapi.ListEnabledProductsForImportRequest) (*securityhubapi.ListEnabledProductsForImportResponse, error) {
	h, err := s.hub(ctx)
	if err != nil {
		return nil, err
	}
	if value(in.NextToken) != "" {
		return nil, invalid("NextToken", "The token is not valid") // there is one page
	}
	out := &securityhubapi.ListEnabledProductsForImportResponse{ProductSubscriptions: []string{}}
	for _, name := range h.Products {
		out.ProductSubscriptions = append(out.ProductSubscriptions, subscriptionARN(aws.CallOf(ctx), name))
	}
	slices.SortFunc(out.ProductSubscriptions, strings.Compare)
	return out, nil
}
