package api_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/wire"
)

var update = flag.Bool("update", false, "write the documents made from the table to docs/api")

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The documents in docs/api are what the table says; -update writes them.
func TestReference(t *testing.T) {
	table := lobbyWorld(t).table
	openAPI, err := table.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"README.md": table.Reference(), "openapi.json": openAPI} {
		path := filepath.Join("..", "..", "docs", "api", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/api/%s is not what the table says; go test ./internal/api -update writes it", name)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	table := lobbyWorld(t).table
	raw, err := table.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string                               `json:"openapi"`
		Paths      map[string]map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	n := 0
	for _, m := range table.Methods() {
		op := doc.Paths["/v1/"+m.Name]["post"]
		if m.Live {
			if op != nil {
				t.Errorf("%s needs a live connection and is there", m.Name)
			}
			continue
		}
		n++
		if op == nil || op["operationId"] != m.Name || op["requestBody"] == nil {
			t.Errorf("%s: %v", m.Name, op)
		}
	}
	for _, path := range []string{"/v1/events", "/v1/poll"} {
		if n++; doc.Paths[path]["get"]["parameters"] == nil {
			t.Errorf("%s is not described", path)
		}
	}
	if len(doc.Paths) != n {
		t.Errorf("%d paths for %d methods", len(doc.Paths), n)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	refs := 0
	walk(tree, func(ref string) {
		refs++
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		schema, known := doc.Components.Schemas[name].(map[string]any)
		if !ok || !known || schema["type"] != "object" {
			t.Errorf("%s leads to %v", ref, schema)
		}
	})
	if refs == 0 {
		t.Error("no references")
	}
}

// walk calls f for every $ref in a JSON document.
func walk(v any, f func(ref string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if ref, ok := value.(string); ok && key == "$ref" {
				f(ref)
			}
			walk(value, f)
		}
	case []any:
		for _, value := range v {
			walk(value, f)
		}
	}
}

// Every row says what a repetition does, and one that is told apart by client_id takes one.
func TestEveryRowIsWhole(t *testing.T) {
	for _, m := range lobbyWorld(t).table.Methods() {
		if m.Doc == "" || m.Access == "" || m.Repeat == "" || m.Params == nil || m.Result == nil {
			t.Errorf("%s: %+v", m.Name, m)
			continue
		}
		_, takes := m.Params.FieldByName("ClientID")
		if byID := strings.Contains(string(m.Repeat), "client_id"); takes != byID {
			t.Errorf("%s: repeated %q, and takes a client_id: %v", m.Name, m.Repeat, takes)
		}
		if !strings.Contains(string(lobbyWorld(t).table.Reference()), "\n## "+m.Name+"\n") {
			t.Errorf("%s is not in the reference", m.Name)
		}
	}
	if _, err := lobbyWorld(t).table.Find("no.such"); err == nil || err.Code != wire.CodeMethod {
		t.Errorf("an unknown method: %v", err)
	}
}
