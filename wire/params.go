package wire

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeParams decodes a call's parameters into the struct that into points to. Absent
// parameters are {}; a parameter that is null is as one that is absent. A parameter the
// struct does not have is CodeUnknownParam, one of a wrong type CodeParam, and
// Error.Param is its path ("to.user", "ids.0"). What is decoded does not alias params.
// On an error the struct is in no useful state.
func DecodeParams(params jsontext.Value, into any) *Error {
	if len(params) == 0 {
		return nil
	}
	if tooDeep(params) {
		return depthError()
	}
	err := json.Unmarshal(params, into, json.RejectUnknownMembers(true))
	if err == nil {
		if params.Kind() != '{' { // null is taken for an empty struct
			return notAnObject(params.Kind())
		}
		return nil
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return parseError(err)
	}
	if semantic.JSONPointer == "" {
		return notAnObject(params.Kind())
	}
	path := paramPath(semantic.JSONPointer)
	e := Errorf(CodeParam, "%s %s", path, paramFault(semantic))
	if errors.Is(err, json.ErrUnknownName) {
		e = Errorf(CodeUnknownParam, "there is no parameter %s", path)
	}
	e.Param = path
	return e
}

// paramPath writes a JSON pointer as people do: to.user for /to/user.
func paramPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return clip(b.String())
}

// paramFault says what is wrong with a value, after its name.
func paramFault(e *json.SemanticError) string {
	switch {
	case errors.Is(e.Err, strconv.ErrRange):
		return "is out of range"
	case e.GoType == nil:
		return "has a wrong value"
	case e.JSONKind == '0' && goKindName(e.GoType) == "a whole number":
		return "must be a whole number"
	case e.JSONKind == 0:
		return "must be " + goKindName(e.GoType)
	}
	return "must be " + goKindName(e.GoType) + ", not " + kindName(e.JSONKind)
}

func goKindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return goKindName(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	case reflect.Array:
		return "an array of " + strconv.Itoa(t.Len())
	}
	return "an object"
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "something else"
}
