package jsonbody

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Accepts says what Content-Type must be when it is not JSON's; "" when it is. Absent is taken for JSON.
func Accepts(h http.Header) (must string) {
	value := h.Get("Content-Type")
	if value == "" {
		return ""
	}
	name, params, err := mime.ParseMediaType(value)
	utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8") || strings.EqualFold(params["charset"], "utf8")
	if err != nil || !utf8 || name != "application/json" && !(strings.HasPrefix(name, "application/") && strings.HasSuffix(name, "+json")) {
		return "application/json in UTF-8"
	}
	return ""
}

// Object has read walk over the members of body, which must be one object; a byte-order mark
// may stand before it. payloadDepth is how deep a payload in it may nest.
//
// The error is that of read, or the one of a body that is no JSON anywhere, which comes
// first: read may have been given half of such a body, so what it made of it must be thrown
// away. read is called a second time when only what nests too deep for any payload makes the
// body no JSON: as only the events that nest so may fail, that is cut out then.
func Object(body []byte, payloadDepth int, read func(*Walk) error) error {
	const envelope = 8 // more levels than stand above a payload
	most := payloadDepth + envelope
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	w, err := walk(body, read)
	if w.deepest > most && (w.bad || w.words > 0) {
		if pruned, ok := prune(body, most); ok {
			w, err = walk(pruned, read)
		}
	}
	if w.bad {
		return syntaxError(body)
	}
	return err
}

func walk(body []byte, read func(*Walk) error) (w *Walk, err error) {
	w = &Walk{data: body}
	w.open = w.room[:0]
	if w.Kind() == '{' {
		err = read(w)
	} else {
		err = &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body must be a JSON object"}
	}
	if err != nil { // what was not read because of it must be JSON, too
		w = &Walk{data: body}
		w.value(0)
	}
	w.space()
	w.bad = w.bad || w.pos != len(body)
	return w, err
}

// prune returns data with every container below level most emptied; ok is false when one is
// not closed, so that it is no JSON anyway.
func prune(data []byte, most int) (pruned []byte, ok bool) {
	depth, kept := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth == most+1 {
				pruned = append(pruned, data[kept:i+1]...)
			}
		case '}', ']':
			if depth--; depth == most {
				kept = i
			}
		}
	}
	return append(pruned, data[kept:]...), depth <= most
}

// syntaxError says where the body stops being JSON, without repeating any of it.
func syntaxError(body []byte) error {
	e := &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body is not valid JSON"}
	if len(bytes.TrimSpace(body)) == 0 {
		e.Message = "the body is empty; it must be a JSON object"
		return e
	}
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, err := dec.ReadValue()
	at := dec.InputOffset() // behind the value, where something else stands
	if s := (*jsontext.SyntacticError)(nil); errors.As(err, &s) {
		at = s.ByteOffset
	} else if err != nil {
		at = int64(len(body))
	}
	e.Message += fmt.Sprintf(" at byte %d", at)
	return e
}
