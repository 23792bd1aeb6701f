package iam

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"sumun.dev/api/iamapi"
)

func TestPasswordPolicies(t *testing.T) {
	strict := &passwordPolicy{Length: 10, Symbols: true, Numbers: true, Uppercase: true, Lower: true}
	for _, c := range []struct {
		name   string
		policy *passwordPolicy
		text   string
		want   string
	}{
		{"default", nil, "Passw0rd", "<nil>"},
		{"default_short", nil, "Passw0r", "PasswordPolicyViolation: Password should have a minimum length of 8"},
		{"default_plain", nil, "Password", "PasswordPolicyViolation: Password should have a minimum of 3 of the following: uppercase letters, lowercase letters, numbers, and symbols"},
		{"strict", strict, "Passw0rd!x", "<nil>"},
		{"strict_short", strict, "Passw0rd!", "PasswordPolicyViolation: Password should have a minimum length of 10"},
		{"strict_no_upper", strict, "passw0rd!x", "PasswordPolicyViolation: Password should have at least one uppercase letter"},
		{"strict_no_lower", strict, "PASSW0RD!X", "PasswordPolicyViolation: Password should have at least one lowercase letter"},
		{"strict_no_number", strict, "Password!x", "PasswordPolicyViolation: Password should have at least one number"},
		{"strict_no_symbol", strict, "Passw0rdxx", "PasswordPolicyViolation: Password should have at least one symbol"},
		{"own_but_lax", &passwordPolicy{Length: customLength}, "aaaaaa", "<nil>"},
	} {
		if got := fmt.Sprint(c.policy.check(c.text)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice := w.as(userOf(account, w.user("alice")))
		change := func(from, to string) *iamapi.ChangePasswordRequest {
			return &iamapi.ChangePasswordRequest{OldPassword: from, NewPassword: to}
		}
		refused(alice, &iamapi.ChangePassword, change("x", "Passw0rd1"), "NoSuchEntity", "Login Profile for User alice cannot be found.")
		must(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("Passw0rd1"), PasswordResetRequired: new(true)})
		refused(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("Passw0rd1")}, "EntityAlreadyExists", "Login Profile for user alice already exists.")
		must(w, &iamapi.UpdateAccountPasswordPolicy, &iamapi.UpdateAccountPasswordPolicyRequest{PasswordReusePrevention: new(int32(2)), MaxPasswordAge: new(int32(90)), HardExpiry: new(true)})
		refused(alice, &iamapi.ChangePassword, change("wrong", "Passw0rd2"), "AccessDenied", "The old password was incorrect.")
		refused(alice, &iamapi.ChangePassword, change("Passw0rd1", "short"), "PasswordPolicyViolation", "Password should have a minimum length of 6")
		refused(alice, &iamapi.ChangePassword, change("Passw0rd1", "Passw0rd1"), "PasswordPolicyViolation", "Password cannot be one of the last 2 passwords")
		must(alice, &iamapi.ChangePassword, change("Passw0rd1", "Passw0rd2"))
		if *must(w, &iamapi.GetLoginProfile, &iamapi.GetLoginProfileRequest{UserName: new("alice")}).LoginProfile.PasswordResetRequired {
			t.Error("the new password must still be changed")
		}
		refused(alice, &iamapi.ChangePassword, change("Passw0rd2", "Passw0rd1"), "PasswordPolicyViolation", "Password cannot be one of the last 2 passwords")
		must(alice, &iamapi.ChangePassword, change("Passw0rd2", "Passw0rd3"))
		must(alice, &iamapi.ChangePassword, change("Passw0rd3", "Passw0rd1"))
		refused(w, &iamapi.ChangePassword, change("x", "y"), "InvalidUserType", "Only IAM Users can change their own password")
		time.Sleep(90 * 24 * time.Hour)
		refused(alice, &iamapi.ChangePassword, change("Passw0rd1", "Passw0rd4"), "AccessDenied", "The password has expired. An administrator has to set a new one.")
		for range guessesMost {
			refused(alice, &iamapi.ChangePassword, change("wrong", "Passw0rd4"), "AccessDenied", "The old password was incorrect.")
		}
		refused(alice, &iamapi.ChangePassword, change("Passw0rd1", "Passw0rd4"), "EntityTemporarilyUnmodifiable", "The old password was given wrongly too often. Try again in a minute.")
		refused(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "alice"}, "DeleteConflict", "Cannot delete entity, must delete login profile first.")
		must(w, &iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileRequest{UserName: new("alice")})
		must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "alice"})
	})
}

func TestPasswordsAreNotKept(t *testing.T) {
	w := newWorld(t)
	id := w.user("alice").UserId
	must(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("Passw0rd1")})
	c, err := w.service.credentials.Get(w.ctx(), id)
	if err != nil || bytes.Contains(c.Login.Password.Hash, []byte("Passw0rd1")) || len(c.Login.Password.Hash) != hashLength || len(c.Login.Password.Salt) != saltLength {
		t.Errorf("kept is %+v, %v", c, err)
	}
}

func sshBody(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(public))
}

func TestSSHPublicKeys(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	body := sshBody(t, 2048)
	k := must(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: body}).SSHPublicKey
	if !strings.HasPrefix(k.SSHPublicKeyId, "APKA") || len(k.Fingerprint) != 47 {
		t.Errorf("uploaded %+v", k)
	}
	got := must(w, &iamapi.GetSSHPublicKey, &iamapi.GetSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId, Encoding: iamapi.EncodingTypePem}).SSHPublicKey
	if block, _ := pem.Decode([]byte(got.SSHPublicKeyBody)); block == nil {
		t.Errorf("as PEM it is %s", got.SSHPublicKeyBody)
	}
	refused(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: got.SSHPublicKeyBody}, "DuplicateSSHPublicKey", "The SSH public key is already associated with the specified IAM user.")
	refused(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: "hello"}, "UnrecognizedPublicKeyEncoding", "The public key encoding format is unsupported or unrecognized.")
	refused(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: "ssh-rsa AAAA"}, "InvalidPublicKey", "The public key is malformed.")
	refused(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: sshBody(t, 1024)}, "InvalidPublicKey", "The public key must be an RSA key of at least 2048 bits.")
	must(w, &iamapi.UpdateSSHPublicKey, &iamapi.UpdateSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId, Status: iamapi.StatusTypeInactive})
	if list := must(w, &iamapi.ListSSHPublicKeys, &iamapi.ListSSHPublicKeysRequest{UserName: new("alice")}).SSHPublicKeys; len(list) != 1 || list[0].Status != iamapi.StatusTypeInactive {
		t.Errorf("the list is %v", list)
	}
	for range sshKeysPerUser - 1 {
		must(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: sshBody(t, 2048)})
	}
	refused(w, &iamapi.UploadSSHPublicKey, &iamapi.UploadSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyBody: sshBody(t, 2048)}, "LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5")
	stranger := w.as(rootOf(other))
	stranger.user("alice")
	missing := "The Public Key with id " + k.SSHPublicKeyId + " cannot be found."
	refused(stranger, &iamapi.GetSSHPublicKey, &iamapi.GetSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId}, "NoSuchEntity", missing)
	refused(stranger, &iamapi.UpdateSSHPublicKey, &iamapi.UpdateSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId}, "NoSuchEntity", missing)
	refused(stranger, &iamapi.DeleteSSHPublicKey, &iamapi.DeleteSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId}, "NoSuchEntity", missing)
	must(w, &iamapi.DeleteSSHPublicKey, &iamapi.DeleteSSHPublicKeyRequest{UserName: "alice", SSHPublicKeyId: k.SSHPublicKeyId})
}

// pemOf returns a certificate, and its key, as people hold them.
func pemOf(t *testing.T, from, until time.Time) (certificate, key string) {
	t.Helper()
	der, private := certified(t, "www.example.com", from, until)
	k, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}))
}

func TestSigningCertificates(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	upload := func(user, body string) *iamapi.UploadSigningCertificateRequest {
		return &iamapi.UploadSigningCertificateRequest{UserName: &user, CertificateBody: body}
	}
	at := time.Now()
	one, _ := pemOf(t, at.Add(-time.Hour), at.Add(time.Hour))
	two, _ := pemOf(t, at.Add(-time.Hour), at.Add(time.Hour))
	three, _ := pemOf(t, at.Add(-time.Hour), at.Add(time.Hour))
	old, _ := pemOf(t, at.Add(-2*time.Hour), at.Add(-time.Hour))
	early, _ := pemOf(t, at.Add(time.Hour), at.Add(2*time.Hour))
	id := must(w, &iamapi.UploadSigningCertificate, upload("alice", one)).Certificate.CertificateId
	refused(w, &iamapi.UploadSigningCertificate, upload("bob", one), "DuplicateCertificate", "The certificate is already associated with an IAM user in the account.")
	must(w.as(rootOf(other)), &iamapi.UploadSigningCertificate, &iamapi.UploadSigningCertificateRequest{CertificateBody: one}) // another account's affair
	refused(w, &iamapi.UploadSigningCertificate, upload("alice", "x"), "MalformedCertificate", "Unable to parse certificate. Please ensure the certificate is in PEM format.")
	refused(w, &iamapi.UploadSigningCertificate, upload("alice", one+two), "MalformedCertificate", "Certificate body contains more than one certificate.")
	refused(w, &iamapi.UploadSigningCertificate, upload("alice", old), "InvalidCertificate", "The certificate is not valid at this time.")
	refused(w, &iamapi.UploadSigningCertificate, upload("alice", early), "InvalidCertificate", "The certificate is not valid at this time.")
	must(w, &iamapi.UploadSigningCertificate, upload("alice", two))
	refused(w, &iamapi.UploadSigningCertificate, upload("alice", three), "LimitExceeded", "Cannot exceed quota for SigningCertificatesPerUser: 2")
	must(w, &iamapi.UpdateSigningCertificate, &iamapi.UpdateSigningCertificateRequest{UserName: new("alice"), CertificateId: id, Status: iamapi.StatusTypeInactive})
	refused(w, &iamapi.UpdateSigningCertificate, &iamapi.UpdateSigningCertificateRequest{UserName: new("bob"), CertificateId: id, Status: iamapi.StatusTypeInactive}, "NoSuchEntity", "The Certificate with id "+id+" cannot be found.")
	must(w, &iamapi.DeleteSigningCertificate, &iamapi.DeleteSigningCertificateRequest{UserName: new("alice"), CertificateId: id})
	must(w, &iamapi.UploadSigningCertificate, upload("bob", one))
	if n := len(must(w, &iamapi.ListSigningCertificates, &iamapi.ListSigningCertificatesRequest{UserName: new("alice")}).Certificates); n != 1 {
		t.Errorf("alice has %d", n)
	}
}

func TestServerCertificates(t *testing.T) {
	w := newWorld(t)
	at := time.Now()
	body, key := pemOf(t, at, at.Add(time.Hour))
	otherBody, otherKey := pemOf(t, at, at.Add(time.Hour))
	upload := func(name, body, key string, chain *string) *iamapi.UploadServerCertificateRequest {
		return &iamapi.UploadServerCertificateRequest{ServerCertificateName: name, Path: new("/web/"), CertificateBody: body, PrivateKey: key, CertificateChain: chain}
	}
	refused(w, &iamapi.UploadServerCertificate, upload("www", body, otherKey, nil), "KeyPairMismatch", "Key pair mismatch. The private key does not match the public key of the certificate.")
	refused(w, &iamapi.UploadServerCertificate, upload("www", body, "x", nil), "MalformedCertificate", "Unable to parse private key. Please ensure the private key is in PEM format and not encrypted.")
	refused(w, &iamapi.UploadServerCertificate, upload("www", "x", key, nil), "MalformedCertificate", "Unable to parse certificate. Please ensure the certificate is in PEM format.")
	refused(w, &iamapi.UploadServerCertificate, upload("www", body, key, &otherBody), "MalformedCertificate",
		"Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: 0")
	made := must(w, &iamapi.UploadServerCertificate, upload("www", body, key, nil)).ServerCertificateMetadata
	if made.Arn != "arn:aws:iam::111122223333:server-certificate/web/www" || !strings.HasPrefix(made.ServerCertificateId, "ASCA") {
		t.Errorf("made %+v", made)
	}
	refused(w, &iamapi.UploadServerCertificate, upload("WWW", otherBody, otherKey, nil), "EntityAlreadyExists", "The Server Certificate with name WWW already exists.")
	for i := range serverCertificatesQuota.most - 1 {
		must(w, &iamapi.UploadServerCertificate, upload(fmt.Sprint("c", i), body, key, nil))
	}
	refused(w, &iamapi.UploadServerCertificate, upload("more", body, key, nil), "LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20")
	refused(w, &iamapi.UpdateServerCertificate, &iamapi.UpdateServerCertificateRequest{ServerCertificateName: "www", NewServerCertificateName: new("c1")}, "EntityAlreadyExists", "The Server Certificate with name c1 already exists.")
	touches := w.touched(&iamapi.UpdateServerCertificate, &iamapi.UpdateServerCertificateRequest{ServerCertificateName: "www", NewServerCertificateName: new("web")})
	if len(touches) != 2 || touches[0].Resource.Resource != "server-certificate/web/www" || touches[1].Resource.Resource != "server-certificate/web/web" {
		t.Errorf("a new name touches %v", touches)
	}
	must(w, &iamapi.UpdateServerCertificate, &iamapi.UpdateServerCertificateRequest{ServerCertificateName: "www", NewServerCertificateName: new("web"), NewPath: new("/new/")})
	got := must(w, &iamapi.GetServerCertificate, &iamapi.GetServerCertificateRequest{ServerCertificateName: "web"}).ServerCertificate
	if got.CertificateBody != body || got.ServerCertificateMetadata.Path != "/new/" || got.ServerCertificateMetadata.ServerCertificateId != made.ServerCertificateId {
		t.Errorf("got %+v", got)
	}
	if n := len(must(w, &iamapi.ListServerCertificates, &iamapi.ListServerCertificatesRequest{PathPrefix: new("/new/")}).ServerCertificateMetadataList); n != 1 {
		t.Errorf("below the path there are %d", n)
	}
	s := w.as(rootOf(other))
	missing := "The Server Certificate with name web cannot be found."
	refused(s, &iamapi.GetServerCertificate, &iamapi.GetServerCertificateRequest{ServerCertificateName: "web"}, "NoSuchEntity", missing)
	refused(s, &iamapi.UpdateServerCertificate, &iamapi.UpdateServerCertificateRequest{ServerCertificateName: "web"}, "NoSuchEntity", missing)
	refused(s, &iamapi.DeleteServerCertificate, &iamapi.DeleteServerCertificateRequest{ServerCertificateName: "web"}, "NoSuchEntity", missing)
	refused(s, &iamapi.TagServerCertificate, &iamapi.TagServerCertificateRequest{ServerCertificateName: "web"}, "NoSuchEntity", missing)
	must(w, &iamapi.DeleteServerCertificate, &iamapi.DeleteServerCertificateRequest{ServerCertificateName: "WEB"})
	must(w, &iamapi.UploadServerCertificate, upload("more", body, key, nil))
}

func TestServiceSpecificCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("alice")
		create := func(service string, days *int32) *iamapi.CreateServiceSpecificCredentialRequest {
			return &iamapi.CreateServiceSpecificCredentialRequest{UserName: "alice", ServiceName: service, CredentialAgeDays: days}
		}
		one := must(w, &iamapi.CreateServiceSpecificCredential, create("codecommit.amazonaws.com", nil)).ServiceSpecificCredential
		two := must(w, &iamapi.CreateServiceSpecificCredential, create("codecommit.amazonaws.com", nil)).ServiceSpecificCredential
		if *one.ServiceUserName != "alice-at-111122223333" || *two.ServiceUserName != "alice+1-at-111122223333" || len(*one.ServicePassword) < 40 || *one.ServicePassword == *two.ServicePassword {
			t.Errorf("made %s and %s", *one.ServiceUserName, *two.ServiceUserName)
		}
		refused(w, &iamapi.CreateServiceSpecificCredential, create("codecommit.amazonaws.com", nil), "LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")
		refused(w, &iamapi.CreateServiceSpecificCredential, create("s3.amazonaws.com", nil), "NotSupportedService", "No such service s3.amazonaws.com is supported for Service Specific Credentials")
		refused(w, &iamapi.CreateServiceSpecificCredential, create("cassandra.amazonaws.com", new(int32(1))), "InvalidInput", "CredentialAgeDays is not supported for cassandra.amazonaws.com")
		key := must(w, &iamapi.CreateServiceSpecificCredential, create("bedrock.amazonaws.com", new(int32(1)))).ServiceSpecificCredential
		if !strings.HasPrefix(*key.ServiceCredentialSecret, "ABSK") || key.ServicePassword != nil {
			t.Errorf("made the key %+v", key)
		}
		again := must(w, &iamapi.ResetServiceSpecificCredential, &iamapi.ResetServiceSpecificCredentialRequest{UserName: new("alice"), ServiceSpecificCredentialId: one.ServiceSpecificCredentialId}).ServiceSpecificCredential
		if *again.ServicePassword == *one.ServicePassword || *again.ServiceUserName != *one.ServiceUserName {
			t.Error("the reset has changed the name or kept the password")
		}
		time.Sleep(24 * time.Hour)
		list := must(w, &iamapi.ListServiceSpecificCredentials, &iamapi.ListServiceSpecificCredentialsRequest{UserName: new("alice"), ServiceName: new("bedrock.amazonaws.com")}).ServiceSpecificCredentials
		if len(list) != 1 || list[0].Status != iamapi.StatusTypeExpired {
			t.Errorf("after a day the list is %+v", list)
		}
		w.user("bob")
		w.user("carol")
		bobs := must(w, &iamapi.CreateServiceSpecificCredential, &iamapi.CreateServiceSpecificCredentialRequest{UserName: "bob", ServiceName: "codecommit.amazonaws.com"}).ServiceSpecificCredential
		w.as(rootOf(other)).user("bob")
		must(w.as(rootOf(other)), &iamapi.CreateServiceSpecificCredential, &iamapi.CreateServiceSpecificCredentialRequest{UserName: "bob", ServiceName: "codecommit.amazonaws.com"})
		all := map[string]string{} // all users', page by page: whose each is
		for marker := (*string)(nil); ; {
			out := must(w, &iamapi.ListServiceSpecificCredentials, &iamapi.ListServiceSpecificCredentialsRequest{AllUsers: new(true), MaxItems: new(int32(1)), Marker: marker})
			for _, c := range out.ServiceSpecificCredentials {
				all[c.ServiceSpecificCredentialId] = c.UserName
			}
			if marker = out.Marker; marker == nil {
				break
			}
		}
		alices := must(w, &iamapi.ListServiceSpecificCredentials, &iamapi.ListServiceSpecificCredentialsRequest{UserName: new("alice")}).ServiceSpecificCredentials
		if len(all) != len(alices)+1 || all[bobs.ServiceSpecificCredentialId] != "bob" || all[key.ServiceSpecificCredentialId] != "alice" {
			t.Errorf("of all users: %v", all)
		}
		every := w.touched(&iamapi.ListServiceSpecificCredentials, &iamapi.ListServiceSpecificCredentialsRequest{AllUsers: new(true)})[0]
		if every.Resource.String() != "arn:aws:iam::111122223333:user/*" {
			t.Errorf("all users' touch is %v", every)
		}
		refused(w, &iamapi.ListServiceSpecificCredentials, &iamapi.ListServiceSpecificCredentialsRequest{AllUsers: new(true), UserName: new("bob")}, "InvalidInput", "UserName cannot be specified together with AllUsers.")
		touch := w.touched(&iamapi.UpdateServiceSpecificCredential, &iamapi.UpdateServiceSpecificCredentialRequest{UserName: new("alice"), ServiceSpecificCredentialId: key.ServiceSpecificCredentialId})[0]
		if fmt.Sprint(touch.Conditions["iam:ServiceSpecificCredentialServiceName"]) != "[bedrock.amazonaws.com]" {
			t.Errorf("touches %v", touch)
		}
		must(w, &iamapi.DeleteServiceSpecificCredential, &iamapi.DeleteServiceSpecificCredentialRequest{UserName: new("alice"), ServiceSpecificCredentialId: key.ServiceSpecificCredentialId})
		s := w.as(rootOf(other))
		s.user("alice")
		refused(s, &iamapi.DeleteServiceSpecificCredential, &iamapi.DeleteServiceSpecificCredentialRequest{UserName: new("alice"), ServiceSpecificCredentialId: one.ServiceSpecificCredentialId}, "NoSuchEntity", "No such credential "+one.ServiceSpecificCredentialId+" exists")
	})
}
