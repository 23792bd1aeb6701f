package clientside

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	keystoretypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographykeystoresmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestItems encrypts a field of an item before it is put into a table: an
// administrator of the database reads all of the item but that.
func TestItems(t *testing.T) {
	table := newTables(t, map[string][]string{"patients": {"id"}})
	primary, replica := newMultiRegionKey(t)
	app := user(t, "app", may("kms:GenerateDataKey", primary), may("kms:Decrypt", primary))
	dba := user(t, "dba", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`)
	clinic := user(t, "clinic", mayField("diagnosis", replica))
	among(t, func(t *testing.T, writes, reads library) {
		for id, diagnosis := range map[string]string{"1": "measles", "2": "mumps"} {
			sealed, err := writes.encrypt(t, app, keyring{Kind: "mrk", Generator: primary}, signed,
				map[string]string{"table": "patients", "id": id, "attribute": "diagnosis"}, diagnosis)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dynamodb.NewFromConfig(app.config(t, home)).PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("patients"), Item: map[string]types.AttributeValue{
					"id": &types.AttributeValueMemberS{Value: id}, "ward": &types.AttributeValueMemberS{Value: "north"}, "diagnosis": &types.AttributeValueMemberB{Value: sealed}},
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, kept := range table.kept {
			if bytes.Contains(kept, []byte("measles")) || bytes.Contains(kept, []byte("mumps")) {
				t.Errorf("the table holds %s", kept)
			}
		}
		field := func(p person, id string) []byte {
			t.Helper()
			out, err := dynamodb.NewFromConfig(p.config(t, home)).GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: aws.String("patients"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}})
			if err != nil {
				t.Fatal(err)
			}
			if ward, ok := out.Item["ward"].(*types.AttributeValueMemberS); !ok || ward.Value != "north" {
				t.Errorf("%s reads the ward as %v", p.name, out.Item["ward"])
			}
			return out.Item["diagnosis"].(*types.AttributeValueMemberB).Value
		}
		if got, _, err := reads.decrypt(t, app, keyring{Kind: "mrk", Keys: []string{primary}}, field(app, "1")); err != nil || got != "measles" {
			t.Errorf("the application reads %q, %v", got, err)
		}
		for _, with := range []keyring{{Kind: "mrk", Keys: []string{primary}}, {Kind: "mrk", Keys: []string{replica}}} {
			if got, _, err := reads.decrypt(t, dba, with, field(dba, "1")); got != "" || !says(err, "kms:Decrypt") {
				t.Errorf("the administrator of the database reads %q, %v", got, err)
			}
		}

		// The table's other region opens it by the replica; a field in another's row says whose it is.
		got, context, err := reads.decrypt(t, clinic, keyring{Kind: "mrk", Keys: []string{replica}}, field(clinic, "2"))
		if err != nil || got != "mumps" || context["id"] != "2" {
			t.Errorf("the clinic reads %q of %v, %v", got, context, err)
		}
		if _, _, err := reads.decrypt(t, clinic, keyring{Kind: "mrk", Keys: []string{replica}}, bytes.Replace(field(clinic, "2"), []byte("patients"), []byte("visitors"), 1)); !says(err, "InvalidCiphertext") {
			t.Errorf("as a field of another table: %v", err)
		}
	})
}

// mayField allows Decrypt for one field of the table.
func mayField(attribute, key string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":%q,"Condition":{"StringEquals":{"kms:EncryptionContext:attribute":%q}}}`, key, attribute)
}

// TestBranchKeys keeps branch keys in a table, sealed by KMS: a key store makes them
// by GenerateDataKeyWithoutPlaintext and ReEncrypt, and a message opens for whoever
// may decrypt its branch key, also after a new version was made.
func TestBranchKeys(t *testing.T) {
	table := newTables(t, map[string][]string{"branches": {"branch-key-id", "type"}})
	key := newKey(t, home, &kms.CreateKeyInput{})
	maker := user(t, "maker", may("kms:GenerateDataKeyWithoutPlaintext", key), may("kms:ReEncrypt*", key))
	half := user(t, "half", may("kms:GenerateDataKeyWithoutPlaintext", key))
	app := user(t, "app", may("kms:Decrypt", key))
	dba := user(t, "dba")

	if _, err := keyStore(t, half, "branches", key).CreateKey(t.Context(), keystoretypes.CreateKeyInput{}); !says(err, "kms:ReEncrypt") {
		t.Errorf("without kms:ReEncrypt: %v", err)
	}
	if len(table.kept) != 0 {
		t.Errorf("a branch key that was refused is in the table: %v", table.kept)
	}
	made, err := keyStore(t, maker, "branches", key).CreateKey(t.Context(), keystoretypes.CreateKeyInput{
		BranchKeyIdentifier: aws.String("tenant-blue"), EncryptionContext: map[string]string{"tenant": "blue"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(table.kept) != 3 { // the active branch key, its version, the beacon key
		t.Errorf("the table holds %d items", len(table.kept))
	}
	var asked []string
	for _, r := range maker.recorded(t, home) {
		asked = append(asked, r.EventName)
		if r.EventName == "GenerateDataKeyWithoutPlaintext" && r.RequestParameters.EncryptionContext["aws-crypto-ec:tenant"] != "blue" {
			t.Errorf("the trail has %+v", r)
		}
	}
	slices.Sort(asked)
	if want := []string{"GenerateDataKeyWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}; !slices.Equal(asked, want) {
		t.Errorf("the trail has %q", asked)
	}

	ring := keyring{Kind: "hierarchical", Generator: key, Branch: made.BranchKeyIdentifier, Table: "branches"}
	messages := map[string][]byte{}
	for name, writes := range libraries {
		t.Run(name, func(t *testing.T) {
			m, err := writes.encrypt(t, app, ring, signed, map[string]string{"a": "b"}, "by "+name)
			if err != nil {
				t.Fatal(err)
			}
			messages[name] = m
			if _, err := writes.encrypt(t, dba, ring, signed, nil, "x"); !says(err, "kms:Decrypt") {
				t.Errorf("without kms:Decrypt: %v", err)
			}
		})
	}
	before := maps.Clone(table.kept)
	if _, err := keyStore(t, maker, "branches", key).VersionKey(t.Context(), keystoretypes.VersionKeyInput{BranchKeyIdentifier: made.BranchKeyIdentifier}); err != nil {
		t.Fatal(err)
	}
	if len(table.kept) != len(before)+1 {
		t.Errorf("the new version left %d items", len(table.kept))
	}
	for name, reads := range libraries {
		t.Run(name+" after the new version", func(t *testing.T) {
			for writer, m := range messages {
				if got, _, err := reads.decrypt(t, app, ring, m); err != nil || got != "by "+writer {
					t.Errorf("the message of %s: %q, %v", writer, got, err)
				}
				if _, _, err := reads.decrypt(t, dba, ring, m); !says(err, "kms:Decrypt") {
					t.Errorf("the message of %s without kms:Decrypt: %v", writer, err)
				}
			}
		})
	}
}
