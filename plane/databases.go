package plane

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"os"

	"sumun.dev/aws"
	"sumun.dev/engine/database"
	"sumun.dev/plane/config"
	"sumun.dev/service/secretsmanager/rotate"
)

// databases are the servers on which Secrets Manager rotates passwords.
func databases(cfg *config.Config, management aws.Account) ([]rotate.Database, error) {
	all := make([]rotate.Database, 0, len(cfg.Databases))
	for i := range cfg.Databases {
		d := &cfg.Databases[i]
		r := rotate.Database{
			Server:  database.Server{Engine: database.Engine(d.Engine), Host: d.Host, Port: d.PortOrDefault(), TLS: d.Encrypted()},
			Account: cmp.Or(aws.Account(d.Account), management), Admin: d.AdminSecret,
		}
		if d.CA != "" {
			pem, err := os.ReadFile(d.CA)
			if err != nil {
				return nil, fmt.Errorf("databases[%d].ca: %w", i, err)
			}
			r.Roots = x509.NewCertPool()
			if !r.Roots.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("databases[%d].ca: %s holds no certificate", i, d.CA)
			}
		}
		all = append(all, r)
	}
	return all, nil
}
