package sts

import "strings"

// keys are the condition keys that the assertion fixes. IAM User Guide, "Available
// keys for SAML-based AWS STS federation".
func (a *asserted) keys() map[string][]string {
	keys := map[string][]string{
		"saml:aud": {a.assertion.Recipient}, "saml:iss": {a.assertion.Issuer}, "saml:sub": {a.assertion.Subject}, "saml:sub_type": {a.subjectType()},
		"saml:namequalifier": {a.nameQualifier()},
		"saml:doc":           {string(a.provider.Account) + "/" + strings.TrimPrefix(a.provider.Resource, "saml-provider/")},
	}
	for name, values := range a.assertion.Attributes {
		if key := attributeKey(name); key != "" {
			keys["saml:"+key] = values
		}
	}
	return keys
}

// attributeKey is the condition key of an attribute that has one, without "saml:".
func attributeKey(name string) string {
	const (
		eduPerson = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
		eduOrg    = "urn:oid:1.3.6.1.4.1.5923.1.2.1."
		claims    = "http://schemas.xmlsoap.org/"
	)
	switch name {
	case eduPerson + "1":
		return "edupersonaffiliation"
	case eduPerson + "2":
		return "edupersonnickname"
	case eduPerson + "3":
		return "edupersonorgdn"
	case eduPerson + "4":
		return "edupersonorgunitdn"
	case eduPerson + "5":
		return "edupersonprimaryaffiliation"
	case eduPerson + "6":
		return "edupersonprincipalname"
	case eduPerson + "7":
		return "edupersonentitlement"
	case eduPerson + "8":
		return "edupersonprimaryorgunitdn"
	case eduPerson + "9":
		return "edupersonscopedaffiliation"
	case eduPerson + "10":
		return "edupersontargetedid"
	case eduPerson + "11":
		return "edupersonassurance"
	case eduOrg + "2":
		return "eduorghomepageuri"
	case eduOrg + "3":
		return "eduorgidentityauthnpolicyuri"
	case eduOrg + "4":
		return "eduorglegalname"
	case eduOrg + "5":
		return "eduorgsuperioruri"
	case eduOrg + "6":
		return "eduorgwhitepagesuri"
	case "urn:oid:2.5.4.3":
		return "cn"
	case "urn:oid:2.5.4.45":
		return "x500UniqueIdentifier"
	case "urn:oid:0.9.2342.19200300.100.1.1":
		return "uid"
	case "urn:oid:0.9.2342.19200300.100.1.3":
		return "mail"
	case "urn:oid:0.9.2342.19200300.100.1.45":
		return "organizationStatus"
	case "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid":
		return "primaryGroupSID"
	case claims + "claims/CommonName":
		return "commonName"
	case claims + "claims/Group":
		return "groups"
	case claims + "ws/2005/05/identity/claims/givenname":
		return "givenName"
	case claims + "ws/2005/05/identity/claims/surname":
		return "surname"
	case claims + "ws/2005/05/identity/claims/name":
		return "name"
	}
	return ""
}
