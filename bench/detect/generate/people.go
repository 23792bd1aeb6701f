package generate

import (
	"fmt"
	"time"
)

// A who is somebody who calls: a person, a pipeline, a program.
type who struct {
	kind    string // IAMUser, AssumedRole, Root
	name    string // of the user or role
	path    string // of the role
	session func(*world) string
	account string
	ip      string
	agent   string
	id      string
	key     string
	console bool
	invoked string
	web     string // federated provider
	pace    int    // milliseconds between calls, at most

}

func (p *who) region(service string) string {
	switch service {
	case "iam", "sts", "organizations", "route53", "cloudfront", "signin":
		return "us-east-1"
	}
	return region
}

func (p *who) identity(w *world) m {
	out := m{"type": p.kind, "accountId": p.account, "accessKeyId": p.key}
	if p.invoked != "" {
		out["invokedBy"] = p.invoked
	}
	switch p.kind {
	case "Root":
		out["principalId"], out["arn"] = p.account, "arn:aws:iam::"+p.account+":root"
		out["sessionContext"] = m{"attributes": m{"creationDate": w.now.UTC().Format(time.RFC3339), "mfaAuthenticated": "true"}}
	case "IAMUser":
		out["principalId"], out["arn"], out["userName"] = p.id, "arn:aws:iam::"+p.account+":user/"+p.name, p.name
		if p.console {
			out["sessionContext"] = m{"attributes": m{"creationDate": w.now.UTC().Format(time.RFC3339), "mfaAuthenticated": "true"}}
		}
	default:
		session := p.session(w)
		out["principalId"] = p.id + ":" + session
		out["arn"] = "arn:aws:sts::" + p.account + ":assumed-role/" + p.name + "/" + session
		ctx := m{
			"sessionIssuer": m{"type": "Role", "principalId": p.id, "arn": "arn:aws:iam::" + p.account + ":role/" + p.path + p.name, "accountId": p.account, "userName": p.name},
			"attributes":    m{"creationDate": w.now.UTC().Truncate(time.Hour).Format(time.RFC3339), "mfaAuthenticated": "false"},
		}
		if p.web != "" {
			ctx["webIdFederationData"] = m{"federatedProvider": p.web}
		}
		out["sessionContext"] = ctx
	}
	return out
}

// as returns p working in another way: a copy to change.
func (p *who) as(change func(*who)) *who {
	q := *p
	change(&q)
	return &q
}

func called(name string) func(*world) string { return func(*world) string { return name } }

const (
	browser   = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	cli       = "aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.9 cfg/retry-mode#standard"
	linuxCLI  = "aws-cli/2.17.40 md/awscrt#0.20.11 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.11.9"
	terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.66.0 aws-sdk-go-v2/1.30.4 ua/2.1 os/linux lang/go#1.22.6 md/GOARCH#amd64 api/ec2#1.177.0"
	boto      = "Boto3/1.34.162 md/Botocore#1.34.162 ua/2.0 os/linux#5.10.223 md/arch#x86_64 lang/python#3.12.5 exec-env/AWS_Lambda_python3.12"
	java      = "aws-sdk-java/2.27.3 Linux/5.10.223 OpenJDK_64-Bit_Server_VM/21.0.4 Java/21.0.4 vendor/Amazon.com_Inc. exec-env/AWS_ECS_FARGATE"
	node      = "aws-sdk-js/3.637.0 ua/2.0 os/linux#5.10.223 lang/js md/nodejs#20.16.0"
)

// hire makes everybody there is.
func (w *world) hire() {
	role := func(name, session, ip, agent string) *who {
		return &who{kind: "AssumedRole", name: name, session: called(session), account: Account, ip: ip, agent: agent, id: "AROA" + w.upper(17), key: "ASIA" + w.upper(16), pace: 900}
	}
	office := fmt.Sprintf("203.0.113.%d", 2+w.IntN(250))
	for i, name := range []string{"ann", "bert", "chloe", "dan"} {
		p := role("AWSReservedSSO_AdministratorAccess_"+w.hex(16), name+"@example.com", office, cli)
		if i > 1 {
			p.name = "AWSReservedSSO_PowerUserAccess_" + w.hex(16)
		}
		p.path, p.pace = "aws-reserved/sso.amazonaws.com/", 9000 // single sign-on does not tell CloudTrail of MFA
		w.people = append(w.people, p)
	}
	w.dev = &who{kind: "IAMUser", name: "erik", account: Account, ip: fmt.Sprintf("198.51.100.%d", 2+w.IntN(250)), agent: linuxCLI, id: "AIDA" + w.upper(17), key: "AKIA" + w.upper(16), pace: 20000}
	for i := range 6 {
		name := w.word()
		var p *who
		switch i % 3 {
		case 0:
			p = role(fmt.Sprintf("%s-fn-%d", name, i), name+"-fn", fmt.Sprintf("34.240.%d.%d", w.IntN(250), w.IntN(250)), boto)
		case 1:
			p = role(fmt.Sprintf("%s-task-%d", name, i), w.hex(32), fmt.Sprintf("10.0.%d.%d", w.IntN(250), w.IntN(250)), java)
		default:
			p = role(fmt.Sprintf("%s-web-%d", name, i), "i-0"+w.hex(16), fmt.Sprintf("52.208.%d.%d", w.IntN(250), w.IntN(250)), node)
		}
		w.apps = append(w.apps, p)
	}
	w.ci = role("ci-deploy", "GitHubActions", "", linuxCLI)
	w.ci.web = "arn:aws:iam::" + Account + ":oidc-provider/token.actions.githubusercontent.com"
	w.tf = role("terraform", "x", "", terraform)
	w.tf.session = func(w *world) string { return fmt.Sprint(w.now.Unix()) }
	w.tf.pace = 250
	w.cdk = role("cdk-hnb659fds-deploy-role-"+Account+"-"+region, "aws-cdk-ann", office, "aws-sdk-js/3.600.0 ua/2.0 os/darwin#23.5.0 lang/js md/nodejs#20.16.0")
	w.images = role("image-pipeline", "packer", "34.250.10.9", "APN/1.0 HashiCorp/1.0 Packer/1.11.2 aws-sdk-go/1.55.5 (go1.22.6; linux; amd64)")
	w.scanner = role("posture-audit", "audit", "52.18.7.44", "Boto3/1.34.50 md/Botocore#1.34.50 ua/2.0 os/linux#5.15.0 md/arch#x86_64 lang/python#3.11.2")
	w.scanner.pace = 700
	w.monitor = role("watch-integration", "watch", "3.248.20.30", "aws-sdk-go/1.50.1 (go1.21.9; linux; amd64)")
	w.backup = role("backup-copy", "backup", "34.250.10.9", boto)
	w.ml = role("training", "job", "34.250.10.9", boto)
	w.cleaner = role("cleanup-fn", "cleanup", "34.240.1.7", boto)
	w.sister = role("AWSReservedSSO_ReadOnlyAccess_"+w.hex(16), "ann@example.com", office, cli)
	w.sister.account, w.sister.path = Sister, "aws-reserved/sso.amazonaws.com/"
}

// runner is a machine that a pipeline runs on: another one every time.
func (w *world) runner() string {
	return fmt.Sprintf("20.%d.%d.%d", 40+w.IntN(200), w.IntN(250), 1+w.IntN(250))
}

// sits says where a person works today: mostly at the office, else at home or
// on the way.
func (w *world) sits(p *who) *who {
	return p.as(func(q *who) {
		q.key = "ASIA" + w.upper(16)
		switch n := w.IntN(20); {
		case n < 7:
			q.ip = fmt.Sprintf("198.18.%d.%d", int(p.session(w)[0])%250, 7+int(w.now.Unix()/86400/9)%200) // at home
		case n == 7:
			q.ip = fmt.Sprintf("100.%d.%d.%d", 128+w.IntN(100), w.IntN(250), 1+w.IntN(250)) // on the way
		}
	})
}
