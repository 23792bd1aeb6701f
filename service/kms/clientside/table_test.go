package clientside

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// tables keeps items by their keys, as much of DynamoDB as the tests' programs ask
// of it: it stands where the ciphertext goes, and authorises nothing.
type tables struct {
	mu   sync.Mutex
	keys map[string][]string        // the key attributes of each table
	kept map[string]json.RawMessage // items, by table and key
}

// newTables serves tables with these key attributes, to the clients of all persons.
func newTables(t *testing.T, keys map[string][]string) *tables {
	t.Helper()
	d := &tables{keys: keys, kept: map[string]json.RawMessage{}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
	return d
}

type put struct {
	TableName                string
	Item                     json.RawMessage
	ConditionExpression      string
	ExpressionAttributeNames map[string]string
}

func (d *tables) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var in struct {
		put
		Key           json.RawMessage
		TransactItems []struct{ Put *put }
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		refuse(w, "SerializationException", err)
		return
	}
	out := map[string]json.RawMessage{}
	switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
	case "GetItem":
		name, err := d.name(in.TableName, in.Key)
		if err != nil {
			refuse(w, "ValidationException", err)
			return
		}
		if item := d.kept[name]; item != nil {
			out["Item"] = item
		}
	case "PutItem":
		if err := d.put(&in.put); err != nil {
			refuse(w, "ValidationException", err)
			return
		}
	case "TransactWriteItems":
		for _, one := range in.TransactItems {
			if err := d.may(one.Put); err != nil {
				refuse(w, "TransactionCanceledException", err)
				return
			}
		}
		for _, one := range in.TransactItems {
			if err := d.put(one.Put); err != nil {
				refuse(w, "ValidationException", err)
				return
			}
		}
	default:
		refuse(w, "UnknownOperationException", fmt.Errorf("no operation %q", operation))
		return
	}
	answerJSON(w, http.StatusOK, out)
}

func refuse(w http.ResponseWriter, code string, err error) {
	answerJSON(w, http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": err.Error()})
}

func answerJSON(w http.ResponseWriter, status int, out any) {
	body, err := json.Marshal(out)
	if err != nil {
		panic(err) // texts and what was read as JSON are always written
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// name is what an item, or its key, is kept by.
func (d *tables) name(table string, item json.RawMessage) (string, error) {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(item, &attributes); err != nil {
		return "", err
	}
	name := table
	if len(d.keys[table]) == 0 {
		return "", fmt.Errorf("no table %q", table)
	}
	for _, key := range d.keys[table] {
		if attributes[key] == nil {
			return "", fmt.Errorf("no attribute %q", key)
		}
		name += "\n" + string(attributes[key])
	}
	return name, nil
}

func (d *tables) put(p *put) error {
	if err := d.may(p); err != nil {
		return err
	}
	name, err := d.name(p.TableName, p.Item)
	if err == nil {
		d.kept[name] = p.Item
	}
	return err
}

// may reports whether the condition of a put holds. Only the two that a store of
// branch keys has are known: its item is there, or is not.
func (d *tables) may(p *put) error {
	if p == nil {
		return fmt.Errorf("only items are put in a transaction")
	}
	name, err := d.name(p.TableName, p.Item)
	if err != nil {
		return err
	}
	_, there := d.kept[name]
	function, _, _ := strings.Cut(p.ConditionExpression, "(")
	switch {
	case function == "", function == "attribute_exists" && there, function == "attribute_not_exists" && !there:
		return nil
	case function == "attribute_exists", function == "attribute_not_exists":
		return fmt.Errorf("ConditionalCheckFailed")
	}
	return fmt.Errorf("no condition %q", p.ConditionExpression)
}
