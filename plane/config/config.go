// Package config is every setting of a plane, each with its meaning, default and bounds.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/intel"
)

// Memory is the data folder's name for a plane that keeps nothing.
const Memory = ":memory:"

// maxMiB bounds what a stream may be told to keep: an exbibyte is too much.
const maxMiB = 1 << 30

// Config is what a plane is told. The tags are the reference page
// (docs/configuration.md): doc says what a setting means.
type Config struct {
	Data           string         `yaml:"data" doc:"Folder that keeps everything, made with mode 0700; ':memory:' keeps nothing and offers POST /reset on the admin listener." default:"$XDG_DATA_HOME/sumun"`
	Listen         string         `yaml:"listen" doc:"Address of the AWS APIs. Beyond loopback it needs tls or insecure-http." default:"127.0.0.1:4566"`
	Admin          string         `yaml:"admin" doc:"Address of health, readiness and metrics; loopback only." default:"127.0.0.1:4567"`
	TLS            TLS            `yaml:"tls" doc:"Certificate of the AWS APIs."`
	InsecureHTTP   bool           `yaml:"insecure-http" doc:"Serve the AWS APIs beyond loopback without TLS. Signatures protect requests, nothing hides what they say." default:"false"`
	AccountID      string         `yaml:"account-id" doc:"Number of the management account; read at the first start only." default:"a random one"`
	Region         string         `yaml:"region" doc:"Region that 'sumun env' names." default:"us-east-1"`
	NoAdmin        bool           `yaml:"no-administrator" doc:"Do not create the IAM user 'administrator' at the first start." default:"false"`
	ReplaceRootKey bool           `yaml:"replace-root-key" doc:"At this start, make the key in SUMUN_ROOT_ACCESS_KEY_ID and SUMUN_ROOT_SECRET_ACCESS_KEY the only one of root: the way back when the keys of the first start are lost." default:"false"`
	Quotas         string         `yaml:"quotas" doc:"'aws' applies AWS's request rates and the limit of total domains; 'objects' only AWS's limits of objects." default:"objects"`
	DNS            DNS            `yaml:"dns" doc:"The resolver with DNS Firewall."`
	Hosts          []Host         `yaml:"hosts" doc:"Who asks the resolver from which address; stands for EC2 instances."`
	Metadata       Metadata       `yaml:"metadata" doc:"What hosts ask for their role's credentials, as EC2's instances do."`
	Feeds          []Feed         `yaml:"feeds" doc:"Threat lists that GuardDuty's detectors use besides the account's own."`
	Addresses      Addresses      `yaml:"addresses" doc:"What GuardDuty's detectors know of addresses: files, read again within a minute of a change."`
	Lists          []List         `yaml:"domain-lists" doc:"Domain list files loaded into Route 53 Resolver DNS Firewall lists."`
	Parameters     string         `yaml:"public-parameters" doc:"JSON file with public parameters (/aws/service/…) of Parameter Store besides those that come with Sumun: a list of objects with Name and Value, or Values by region; Image true for ids of machine images."`
	Providers      Providers      `yaml:"identity-providers" doc:"How OpenID Connect providers, of whom STS takes web identity tokens, are reached."`
	IdentityCenter IdentityCenter `yaml:"identity-center" doc:"Where the people of IAM Identity Center come from."`
	KeyStores      KeyStores      `yaml:"key-stores" doc:"How the proxies of external key stores, which KMS keys can stand on, are reached."`
	Databases      []Database     `yaml:"databases" doc:"Database servers on which Secrets Manager rotates passwords; they stand for RDS. Rotation connects to these and no others, whatever host a secret names."`
	RootKey        RootKey        `yaml:"root-key" doc:"Where the root keys, under which everything at rest is sealed, come from."`
	Store          Store          `yaml:"store" doc:"Where state is kept."`
	Spine          Spine          `yaml:"spine" doc:"Where the event log is kept."`
	Log            Log            `yaml:"log" doc:"The program's own log, on standard error."`
	Trusted        []string       `yaml:"trusted-proxies" doc:"Addresses or CIDR blocks whose X-Forwarded-For and X-Forwarded-Proto are believed."`
}

// TLS names the files of a certificate and its key.
type TLS struct {
	Cert string `yaml:"cert" doc:"PEM file of the certificate chain."`
	Key  string `yaml:"key" doc:"PEM file of the private key."`
}

// DNS is the resolver's part.
type DNS struct {
	Listen    string   `yaml:"listen" doc:"UDP and TCP address of the resolver; empty switches it off." default:"127.0.0.1:5354"`
	Upstreams []string `yaml:"upstreams" doc:"Resolvers that answer what is not in a zone here (address or address:port)." default:"those of /etc/resolv.conf"`
	Zones     []Zone   `yaml:"zones" doc:"Zones that the resolver answers itself."`
	CacheMiB  int      `yaml:"cache-mib" doc:"Memory for cached answers, in MiB." default:"32" min:"1" max:"4096"`
}

// Zone is a zone answered here.
type Zone struct {
	Name    string   `yaml:"name" doc:"Name of the zone, such as 'corp.internal'."`
	Records []string `yaml:"records" doc:"Records in zone-file form: 'www 60 IN A 192.0.2.1'."`
}

// Host is somebody who asks the resolver.
type Host struct {
	Name     string `yaml:"name" doc:"What people call it."`
	Instance string `yaml:"instance" doc:"Instance id: 'i-' and 8 or 17 hexadecimal digits."`
	Address  string `yaml:"address" doc:"IP address it asks from."`
	VPC      string `yaml:"vpc" doc:"VPC id: 'vpc-' and 8 or 17 hexadecimal digits." default:"vpc-00000000"`
	Account  string `yaml:"account" doc:"Account number." default:"the management account"`
	Region   string `yaml:"region" doc:"Region." default:"the plane's region"`
	Profile  string `yaml:"instance-profile" doc:"Name of the instance profile whose role the host gets from the metadata service."`
}

// Metadata is the instance metadata service.
type Metadata struct {
	Listen string `yaml:"listen" doc:"Address of the instance metadata service (IMDSv2), a loopback or link-local one; empty switches it off. Hosts find it by AWS_EC2_METADATA_SERVICE_ENDPOINT."`
}

// Feed is a threat list by URL or file.
type Feed struct {
	Name    string        `yaml:"name" doc:"Name that findings show."`
	URL     string        `yaml:"url" doc:"http, https or file URL. The last good copy is kept in the data folder and used when the URL cannot be read."`
	Kind    string        `yaml:"kind" doc:"What its names and addresses are: 'c2', 'mining', 'malicious', 'blackhole', 'abused', 'coins', 'dga', 'driveby', 'droppoint', 'low-reputation', 'phishing', 'scanner', 'suspicious' or 'tor'. Names count but for 'scanner' and 'tor'; addresses for 'c2', 'mining', 'malicious', 'blackhole', 'droppoint', 'scanner' and 'tor'."`
	Refresh time.Duration `yaml:"refresh" doc:"Time between two readings." default:"1h"`
}

// Addresses are the files that say where addresses are, and whose.
type Addresses struct {
	MMDB    []string `yaml:"mmdb" doc:"Files in MaxMind's format: countries, cities, networks, anonymous addresses."`
	Clouds  []string `yaml:"clouds" doc:"Published ranges of clouds: ip-ranges.json of AWS, cloud.json of Google Cloud, ServiceTags of Azure."`
	Tor     []string `yaml:"tor-exits" doc:"Lists of Tor's exits, an address a line."`
	VPNs    []string `yaml:"vpns" doc:"Lists of VPN providers' addresses and prefixes."`
	Proxies []string `yaml:"proxies" doc:"Lists of open proxies' addresses and prefixes."`
}

// List is a domain list loaded from a file.
type List struct {
	Name    string `yaml:"name" doc:"Name of the firewall domain list."`
	File    string `yaml:"file" doc:"File with one domain a line."`
	Account string `yaml:"account" doc:"Account number." default:"the management account"`
	Region  string `yaml:"region" doc:"Region." default:"the plane's region"`
}

// Providers says where identity providers may be, and by which authorities.
type Providers struct {
	CA       string   `yaml:"ca" doc:"PEM file of authorities, besides the system's, that sign certificates of OpenID Connect providers. A provider's thumbprints do as well."`
	Networks []string `yaml:"networks" doc:"CIDR blocks, besides the public addresses, where OpenID Connect providers may be: '10.0.0.0/8'. Others are not asked, whatever URL a provider has."`
}

// KeyStores says where proxies of external key stores may be, and by which authorities.
type KeyStores struct {
	CA       string        `yaml:"ca" doc:"PEM file of authorities, besides the system's, that sign certificates of external key store proxies."`
	Networks []string      `yaml:"networks" doc:"CIDR blocks, besides the public addresses, where external key store proxies may be: '10.0.0.0/8'. Others are not asked, whatever endpoint a key store has."`
	Timeout  time.Duration `yaml:"timeout" doc:"How long a proxy may take to answer; at most 10s." default:"250ms"`
}

// Store says where state is kept.
type Store struct {
	Postgres string `yaml:"postgres" doc:"URL of a PostgreSQL database; empty keeps state in SQLite in the data folder. May hold a password: prefer a PGPASSFILE."`
}

// Spine says where the event log is kept.
type Spine struct {
	NATS     string `yaml:"nats" doc:"URL of a NATS cluster with JetStream; empty runs one in the process."`
	Prefix   string `yaml:"prefix" doc:"Begins the names of the streams on a NATS cluster." default:"sumun"`
	Replicas int    `yaml:"replicas" doc:"Replicas of each stream on a NATS cluster." default:"1" min:"1" max:"5"`
	MaxMiB   int    `yaml:"max-mib" doc:"Most that one stream of the event log keeps, in MiB; its oldest events go first. 0: by stream, 8 GiB for the trail, 4 GiB for DNS queries, 1 GiB for findings and buses." default:"0" min:"0"`

	Retention Retention `yaml:"retention" doc:"How long a durable plane's event log keeps what it is told, by stream; the first bound that is reached removes the oldest events."`
}

// Retention says how long each stream of the event log keeps its events.
type Retention struct {
	Trail    Keep `yaml:"trail" doc:"Records of API calls. LookupEvents looks 90 days back."`
	DNS      Keep `yaml:"dns" doc:"DNS queries."`
	Findings Keep `yaml:"findings" doc:"GuardDuty findings."`
	Bus      Keep `yaml:"bus" doc:"Events of EventBridge buses. A delivery is tried again for a day."`
}

// Keep bounds one stream.
type Keep struct {
	Age    time.Duration `yaml:"age" doc:"Age at which events are removed, such as '720h'; at least 1h. 0: 90 days for the trail and findings, 7 days for DNS queries, 1 day for buses." default:"0"`
	MaxMiB int           `yaml:"max-mib" doc:"Most that the stream keeps, in MiB; wins over spine.max-mib. 0: that one's." default:"0" min:"0"`
}

// Log is the program's own log.
type Log struct {
	Level  string `yaml:"level" doc:"'debug', 'info', 'warn' or 'error'." default:"info"`
	Format string `yaml:"format" doc:"'text' or 'json'." default:"text"`
}

// Default returns the settings of a plane that is told nothing.
func Default() Config {
	return Config{
		Data: defaultData(), Listen: "127.0.0.1:4566", Admin: "127.0.0.1:4567", Region: "us-east-1", Quotas: "objects",
		DNS:   DNS{Listen: "127.0.0.1:5354", CacheMiB: 32},
		Spine: Spine{Prefix: "sumun", Replicas: 1},
		Log:   Log{Level: "info", Format: "text"},
	}
}

func defaultData() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "sumun")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share", "sumun")
}

// InMemory reports whether the plane keeps nothing.
func (c *Config) InMemory() bool { return c.Data == Memory }

// Check says what is wrong with the settings, naming the setting.
func (c *Config) Check() error {
	for _, check := range []func() error{c.checkPlace, c.checkListeners, c.checkDNS, c.checkHosts, c.checkLists, c.checkBackends, c.checkRootKey, c.checkLog, c.checkIdentityCenter, c.checkDatabases} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkPlace() error {
	if c.Data == "" {
		return fmt.Errorf("data: no home folder is known; name the data folder with --data")
	}
	if c.AccountID != "" {
		if _, err := aws.ParseAccount(c.AccountID); err != nil {
			return fmt.Errorf("account-id: %w", err)
		}
	}
	if !aws.KnownRegion(aws.Region(c.Region)) {
		return fmt.Errorf("region: %q is not a region of the aws partition", c.Region)
	}
	if c.Quotas != "aws" && c.Quotas != "objects" {
		return fmt.Errorf("quotas: %q is neither 'aws' nor 'objects'", c.Quotas)
	}
	return nil
}

func (c *Config) checkListeners() error {
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return fmt.Errorf("tls: cert and key go together")
	}
	loop, err := loopback(c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if !loop && c.TLS.Cert == "" && !c.InsecureHTTP {
		return fmt.Errorf("listen: %s is not a loopback address: give tls (--tls-cert, --tls-key), or say insecure-http (--insecure-http)", c.Listen)
	}
	loop, err = loopback(c.Admin)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	if !loop {
		return fmt.Errorf("admin: %s is not a loopback address; the admin listener is never offered beyond", c.Admin)
	}
	return c.checkMetadata()
}

// checkMetadata keeps credentials, which the metadata service tells without TLS, on
// the machine.
func (c *Config) checkMetadata() error {
	if c.Metadata.Listen == "" {
		return nil
	}
	loop, err := loopback(c.Metadata.Listen)
	if err != nil {
		return fmt.Errorf("metadata.listen: %w", err)
	}
	if at, err := netip.ParseAddrPort(c.Metadata.Listen); !loop && (err != nil || !at.Addr().IsLinkLocalUnicast()) {
		return fmt.Errorf("metadata.listen: %s is neither a loopback nor a link-local address; credentials are not told beyond", c.Metadata.Listen)
	}
	return nil
}

func loopback(addr string) (bool, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("%q is not host:port", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return false, fmt.Errorf("%q has no port between 0 and 65535", addr)
	}
	if host == "localhost" {
		return true, nil
	}
	ip := net.ParseIP(host)
	if ip == nil && host != "" {
		return false, fmt.Errorf("%q is not an IP address and port", addr)
	}
	return ip != nil && ip.IsLoopback(), nil
}

func (c *Config) checkDNS() error {
	if c.DNS.Listen != "" {
		if _, err := loopback(c.DNS.Listen); err != nil {
			return fmt.Errorf("dns.listen: %w", err)
		}
	}
	if c.DNS.CacheMiB < 1 || c.DNS.CacheMiB > 4096 {
		return fmt.Errorf("dns.cache-mib: %d is not between 1 and 4096", c.DNS.CacheMiB)
	}
	for i, u := range c.DNS.Upstreams {
		host := u
		if h, _, err := net.SplitHostPort(u); err == nil {
			host = h
		}
		if net.ParseIP(host) == nil {
			return fmt.Errorf("dns.upstreams[%d]: %q is not an IP address, with or without a port", i, u)
		}
	}
	for i, z := range c.DNS.Zones {
		if z.Name == "" {
			return fmt.Errorf("dns.zones[%d]: has no name", i)
		}
	}
	return nil
}

func (c *Config) checkHosts() error {
	seen := map[string]bool{}
	for i, h := range c.Hosts {
		ip := net.ParseIP(h.Address)
		switch {
		case ip == nil:
			return fmt.Errorf("hosts[%d].address: %q is not an IP address", i, h.Address)
		case seen[ip.String()]:
			return fmt.Errorf("hosts[%d].address: %s is listed twice", i, ip)
		case !id(h.Instance, "i-"):
			return fmt.Errorf("hosts[%d].instance: %q is not 'i-' and 8 or 17 hexadecimal digits", i, h.Instance)
		case h.VPC != "" && !id(h.VPC, "vpc-"):
			return fmt.Errorf("hosts[%d].vpc: %q is not 'vpc-' and 8 or 17 hexadecimal digits", i, h.VPC)
		}
		if err := checkOwner(h.Account, h.Region); err != nil {
			return fmt.Errorf("hosts[%d].%w", i, err)
		}
		seen[ip.String()] = true
	}
	return nil
}

func checkOwner(account, region string) error {
	if account != "" {
		if _, err := aws.ParseAccount(account); err != nil {
			return fmt.Errorf("account: %w", err)
		}
	}
	if region != "" && !aws.KnownRegion(aws.Region(region)) {
		return fmt.Errorf("region: %q is not a region of the aws partition", region)
	}
	return nil
}

func id(s, prefix string) bool {
	hex, ok := strings.CutPrefix(s, prefix)
	return ok && (len(hex) == 8 || len(hex) == 17) && strings.Trim(hex, "0123456789abcdef") == ""
}

func (c *Config) checkLists() error {
	for i, f := range c.Feeds {
		u, err := url.Parse(f.URL)
		switch {
		case f.Name == "":
			return fmt.Errorf("feeds[%d]: has no name", i)
		case err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file":
			return fmt.Errorf("feeds[%d].url: not an http, https or file URL", i)
		case !slices.Contains(intel.Feeds, intel.Kind(f.Kind)):
			return fmt.Errorf("feeds[%d].kind: %q is none of %q", i, f.Kind, intel.Feeds)
		case f.Refresh != 0 && f.Refresh < time.Minute:
			return fmt.Errorf("feeds[%d].refresh: %s is under a minute", i, f.Refresh)
		}
	}
	for i, l := range c.Lists {
		if l.Name == "" || l.File == "" {
			return fmt.Errorf("domain-lists[%d]: name and file are both needed", i)
		}
		if err := checkOwner(l.Account, l.Region); err != nil {
			return fmt.Errorf("domain-lists[%d].%w", i, err)
		}
	}
	return nil
}

func (c *Config) checkBackends() error {
	if c.InMemory() && (c.Store.Postgres != "" || c.Spine.NATS != "") {
		return fmt.Errorf("data: ':memory:' keeps nothing, so store.postgres and spine.nats cannot be used with it")
	}
	if c.Spine.Replicas < 1 || c.Spine.Replicas > 5 {
		return fmt.Errorf("spine.replicas: %d is not between 1 and 5", c.Spine.Replicas)
	}
	if c.Spine.MaxMiB < 0 || c.Spine.MaxMiB > maxMiB {
		return fmt.Errorf("spine.max-mib: %d is not between 0 and %d", c.Spine.MaxMiB, maxMiB)
	}
	r := c.Spine.Retention
	return errors.Join(r.Trail.check("trail"), r.DNS.check("dns"), r.Findings.check("findings"), r.Bus.check("bus"))
}

func (k Keep) check(stream string) error {
	switch {
	case k.Age != 0 && k.Age < time.Hour:
		return fmt.Errorf("spine.retention.%s.age: %s is under an hour", stream, k.Age)
	case k.MaxMiB < 0 || k.MaxMiB > maxMiB:
		return fmt.Errorf("spine.retention.%s.max-mib: %d is not between 0 and %d", stream, k.MaxMiB, maxMiB)
	}
	return nil
}

func (c *Config) checkLog() error {
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf("log.format: %q is neither 'text' nor 'json'", c.Log.Format)
	}
	return nil
}
