package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A model is a service-2.json with its paginators.
type model struct {
	Metadata struct {
		APIVersion     string          `json:"apiVersion"`
		EndpointPrefix string          `json:"endpointPrefix"`
		JSONVersion    string          `json:"jsonVersion"`
		Protocol       string          `json:"protocol"`
		Protocols      []string        `json:"protocols"`
		ServiceID      string          `json:"serviceId"`
		SigningName    string          `json:"signingName"`
		TargetPrefix   string          `json:"targetPrefix"`
		XMLNamespace   string          `json:"xmlNamespace"`
		Query          json.RawMessage `json:"awsQueryCompatible"`
	} `json:"metadata"`
	Operations ordered[*operation] `json:"operations"`
	Shapes     ordered[*shape]     `json:"shapes"`

	pages map[string]pagination
}

type operation struct {
	Name string `json:"name"`
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode"`
	} `json:"http"`
	Input      *ref     `json:"input"`
	Output     *ref     `json:"output"`
	Errors     []ref    `json:"errors"`
	AuthType   string   `json:"authtype"`
	Auth       []string `json:"auth"`
	Unsigned   bool     `json:"unsignedPayload"`
	Deprecated bool     `json:"deprecated"`
	Endpoint   struct {
		HostPrefix string `json:"hostPrefix"`
	} `json:"endpoint"`
}

type xmlNamespace struct {
	Prefix string `json:"prefix"`
	URI    string `json:"uri"`
}

// A ref is where one shape uses another.
type ref struct {
	Shape            string        `json:"shape"`
	Location         string        `json:"location"`
	LocationName     string        `json:"locationName"`
	QueryName        string        `json:"queryName"`
	XMLNamespace     *xmlNamespace `json:"xmlNamespace"`
	XMLAttribute     bool          `json:"xmlAttribute"`
	Flattened        bool          `json:"flattened"`
	Streaming        bool          `json:"streaming"`
	IdempotencyToken bool          `json:"idempotencyToken"`
	JSONValue        bool          `json:"jsonvalue"`
	HostLabel        bool          `json:"hostLabel"`
	EventStream      bool          `json:"eventstream"`
	TimestampFormat  string        `json:"timestampFormat"`
	ResultWrapper    string        `json:"resultWrapper"`
}

type shape struct {
	Type            string        `json:"type"`
	Members         ordered[*ref] `json:"members"`
	Required        []string      `json:"required"`
	Member          *ref          `json:"member"`
	Key             *ref          `json:"key"`
	Value           *ref          `json:"value"`
	Enum            []string      `json:"enum"`
	Pattern         string        `json:"pattern"`
	Min             json.Number   `json:"min"`
	Max             json.Number   `json:"max"`
	Sensitive       bool          `json:"sensitive"`
	Flattened       bool          `json:"flattened"`
	Streaming       bool          `json:"streaming"`
	Document        bool          `json:"document"`
	Union           bool          `json:"union"`
	EventStream     bool          `json:"eventstream"`
	JSONValue       bool          `json:"jsonvalue"`
	Payload         string        `json:"payload"`
	LocationName    string        `json:"locationName"`
	XMLNamespace    *xmlNamespace `json:"xmlNamespace"`
	XMLOrder        []string      `json:"xmlOrder"`
	TimestampFormat string        `json:"timestampFormat"`
	Exception       bool          `json:"exception"`
	Fault           bool          `json:"fault"`
	Error           *struct {
		Code           string `json:"code"`
		HTTPStatusCode int    `json:"httpStatusCode"`
		SenderFault    bool   `json:"senderFault"`
	} `json:"error"`
}

func (s *shape) isError() bool { return s.Exception || s.Error != nil }

// pagination is one entry of paginators-1.json.
type pagination struct {
	In     names `json:"input_token"`
	Out    names `json:"output_token"`
	Limit  names `json:"limit_key"`
	Result names `json:"result_key"`
	More   names `json:"more_results"`
}

// names is a name or a list of names, joined with commas.
type names string

// UnmarshalJSON reads either form.
func (n *names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*n = names(one)
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	for i, s := range many {
		if i > 0 {
			*n += ","
		}
		*n += names(s)
	}
	return nil
}

// load reads the newest version of a service's model and corrects it.
func load(root, name string, p *patches) (*model, error) {
	versions, err := filepath.Glob(filepath.Join(root, name, "*", "service-2.json*"))
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("no service-2.json below %s", filepath.Join(root, name))
	}
	newest := versions[len(versions)-1] // Glob sorts, and versions are dates
	text, err := readModel(newest)
	if err != nil {
		return nil, err
	}
	if text, err = p.apply(name, text); err != nil {
		return nil, err
	}
	m := &model{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", newest, err)
	}
	return m, m.readPages(filepath.Join(filepath.Dir(newest), "paginators-1.json"))
}

func (m *model) readPages(file string) error {
	text, err := readModel(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var p struct {
		Pagination map[string]pagination `json:"pagination"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	m.pages = p.Pagination
	return nil
}

func readModel(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if filepath.Ext(file) != ".gz" {
		return io.ReadAll(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return io.ReadAll(z)
}

// shape returns the shape r refers to.
func (m *model) shape(r *ref) (*shape, error) {
	s, ok := m.Shapes.values[r.Shape]
	if !ok {
		return nil, fmt.Errorf("shape %s is not in the model", r.Shape)
	}
	return s, nil
}
