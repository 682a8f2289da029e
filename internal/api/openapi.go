package api

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

type object = map[string]any

// OpenAPI makes the OpenAPI 3.1 document of the HTTP API.
func (t *Table) OpenAPI() ([]byte, error) {
	s := schemas{defs: object{}}
	paths := object{}
	for _, m := range t.methods {
		if m.Live {
			continue
		}
		op := object{
			"operationId": m.Name, "summary": m.Doc,
			"description": fmt.Sprintf("Called by: %s. A server key needs the scope: %s. Repeated: %s.", m.Access, m.Scope, m.Repeat),
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": s.of(m.Params)}}},
			"responses":   responses("done", "application/json", s.of(m.Result)),
		}
		if m.Access == Anybody {
			op["security"] = []any{object{}}
		}
		paths["/v1/"+m.Name] = object{"post": op}
	}
	for _, l := range listeners() {
		paths[l.path] = object{"get": l.operation(&s)}
	}
	s.defs["Problem"] = problemSchema()
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Linnet", "version": "1", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "Every method of Linnet that needs no live connection. The same methods are called over sockets.",
		},
		"servers":    []any{object{"url": "/"}},
		"security":   []any{object{"bearer": []any{}}},
		"paths":      paths,
		"components": object{"schemas": s.defs, "securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}},
	}
	b, err := json.Marshal(doc, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return append(b, '\n'), nil
}

func responses(what, contentType string, schema object) object {
	return object{
		"200":     object{"description": what, "content": object{contentType: object{"schema": schema}}},
		"default": object{"description": "an error", "content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}},
	}
}

func problemSchema() object {
	var codes []any
	for _, c := range wire.Codes() {
		codes = append(codes, string(c.Code))
	}
	return object{
		"type": "object", "description": "RFC 9457 problem details",
		"required": []any{"title", "status", "code", "outcome"},
		"properties": object{
			"type": object{"type": "string"}, "title": object{"type": "string"},
			"status": object{"type": "integer"}, "detail": object{"type": "string"},
			"code":           object{"type": "string", "enum": codes},
			"outcome":        object{"type": "string", "enum": []any{"no", "retry", "unknown"}, "description": "what became of the call"},
			"retry_after_ms": object{"type": "integer"}, "param": object{"type": "string"},
		},
	}
}

// schemas makes JSON schemas of Go types; named structs become definitions.
type schemas struct{ defs object }

func (s *schemas) of(t reflect.Type) object {
	if t == reflect.TypeFor[jsontext.Value]() {
		return object{"type": "object"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		if t.Elem() == reflect.TypeFor[jsontext.Value]() { // any JSON
			return object{"type": "object", "additionalProperties": true}
		}
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		if _, done := s.defs[t.Name()]; !done {
			s.defs[t.Name()] = object{} // a type that holds itself ends here
			s.defs[t.Name()] = s.structOf(t)
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	}
	panic("no schema for " + t.String())
}

func (s *schemas) structOf(t reflect.Type) object {
	properties, required := object{}, []any{}
	for _, f := range Fields(t) {
		schema := s.of(f.Type)
		if f.Doc != "" {
			schema["description"] = f.Doc
		}
		properties[f.Name] = schema
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	out := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	if strings.HasSuffix(t.Name(), "Params") || t == reflect.TypeFor[wire.To]() || t == reflect.TypeFor[wire.Device]() {
		out["additionalProperties"] = false
	}
	return out
}

// Field is a field of a parameters or result type as the documents show it.
type Field struct {
	Name     string
	Type     reflect.Type
	Optional bool
	Doc      string
}

// Fields lists the fields of a struct type by their JSON names.
func Fields(t reflect.Type) []Field {
	var list []Field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous { // its fields stand in its place
			list = append(list, Fields(f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		list = append(list, Field{Name: name, Type: f.Type, Optional: strings.Contains(options, "omitzero"), Doc: f.Tag.Get("doc")})
	}
	return list
}
