package rotate_test

import (
	"strings"
	"testing"

	"sumun.dev/engine/database/databasetest"
	"sumun.dev/service/secretsmanager/rotate"
)

// Whoever can write a secret names its user. That user's other must not be the
// administrator, whose password would then stand in the secret.
func TestTheAdministratorIsNobodysOther(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, "CREATE ROLE app LOGIN PASSWORD 'first'", "CREATE ROLE app_clone LOGIN SUPERUSER PASSWORD 'admin'")
	admin := s.Admin
	s.Admin.User, s.Admin.Password = "app_clone", "admin"
	w := newWorld(t, s, "PostgreSQL")
	s.Admin = admin
	w.secrets.stages[secretARN]["AWSPENDING"] = "v2"
	if err := w.invoke(t, "MultiUser", rotate.Create, "v2"); err != nil {
		t.Fatal(err)
	}
	if err := w.invoke(t, "MultiUser", rotate.Set, "v2"); err == nil || !strings.Contains(err.Error(), "is the administrator") {
		t.Error(err)
	}
	w.logsIn(t, w.secrets.login(t, "AWSPENDING"), false)
}
