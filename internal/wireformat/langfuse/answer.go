package langfuse

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// The answers to a batch: every event is a success or an error.
type (
	batchAnswer struct {
		Successes []success `json:"successes"`
		Errors    []failed  `json:"errors"`
	}
	success struct {
		ID     string `json:"id"`
		Status int    `json:"status"`
	}
	failed struct {
		ID      string `json:"id"`
		Status  int    `json:"status"`
		Message string `json:"message"`
		Error   string `json:"error"` // the code
	}
)

// Answer implements wireformat.Format. A duplicate is a success: it was stored before.
func (Format) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	if in.Path == scores {
		return answerScores(in, res)
	}
	a := batchAnswer{Successes: []success{}, Errors: []failed{}}
	errors := res.Errors // in the order of the request
	for _, id := range sentIDs(trimmed(in.Body)) {
		if len(errors) > 0 && (errors[0].EventID == id || len(id) > wire.MaxIDLength) {
			a.Errors = append(a.Errors, failed{id, http.StatusBadRequest, sentence(&errors[0]), errors[0].Code})
			errors = errors[1:]
		} else {
			a.Successes = append(a.Successes, success{id, http.StatusCreated})
		}
	}
	return answer(http.StatusMultiStatus, a)
}

func sentence(e *wire.BatchEventError) string { return e.Message + ": " + e.Details }

// sentIDs are the ids of a batch that was decoded, "" where an event has none.
func sentIDs(body []byte) []string {
	var list []byte
	members(body, func(key string, value []byte) {
		if key == "batch" {
			list = value
		}
	})
	out := []string{}
	for e := rawjson.ElementsOf(list); ; {
		one, ok := e.Next()
		if !ok {
			return out
		}
		id := ""
		if one[0] == '{' {
			members(one, func(key string, value []byte) {
				if key == "id" {
					id, _ = rawjson.Unquote(value)
				}
			})
		}
		out = append(out, id)
	}
}

func members(object []byte, each func(key string, value []byte)) {
	for m := rawjson.MembersOf(object); ; {
		key, value, ok := m.Next()
		if !ok {
			return
		}
		each(string(key), value)
	}
}

// The answers to scores.
type (
	accepted struct {
		Message string `json:"message"`
		ID      string `json:"id,omitempty"` // of one score that was sent alone
	}
	someAccepted struct {
		Accepted int       `json:"accepted"`
		Rejected int       `json:"rejected"`
		Errors   []message `json:"errors"`
	}
	message struct {
		Message string `json:"message"`
		Error   string `json:"error,omitempty"` // the code
	}
)

func answerScores(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	body := trimmed(in.Body)
	alone := bytes.HasPrefix(body, []byte("{"))
	if res.FailedEvents == 0 {
		ok := accepted{Message: "Accepted"}
		if alone {
			ok.ID = scoreID(in.Project, body)
		}
		return answer(http.StatusAccepted, ok)
	}
	if alone {
		e := &res.Errors[0]
		return answer(http.StatusBadRequest, refusal{sentence(e), wire.ErrorBody{Code: e.Code, Message: sentence(e)}})
	}
	some := someAccepted{Accepted: res.ProcessedEvents + res.DuplicateEvents, Rejected: res.FailedEvents}
	for i := range res.Errors {
		some.Errors = append(some.Errors, message{sentence(&res.Errors[i]), res.Errors[i].Code})
	}
	return answer(http.StatusMultiStatus, some)
}

// scoreID is the id of the score that a body is: its own, or else that of its event.
func scoreID(project string, body []byte) string {
	given := ""
	members(body, func(key string, value []byte) {
		if key == "id" {
			given, _ = rawjson.Unquote(value)
		}
	})
	if given == "" {
		given = derivedID(project, body)
	}
	return given
}

// trimmed is a body without what may stand around its value.
func trimmed(body []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(body, []byte("\uFEFF")), " \t\r\n")
}

type refusal struct {
	Message string         `json:"message"`
	Error   wire.ErrorBody `json:"error"`
}

// Refuse implements wireformat.Format.
func (Format) Refuse(_ *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	return answer(why.Status, refusal{why.Message, why.ErrorBody})
}

func answer(status int, body any) (*wireformat.Answer, error) {
	b, err := json.Marshal(body)
	return &wireformat.Answer{Status: status, ContentType: "application/json; charset=utf-8", Body: b}, err
}
