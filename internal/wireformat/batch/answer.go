package batch

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Answer implements wireformat.Format.
func (Format) Answer(_ *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	if res.JobID != "" {
		return answer(http.StatusAccepted, http.Header{"Location": {"/v1/telemetry/jobs/" + res.JobID}}, res)
	}
	return answer(http.StatusOK, nil, res)
}

// Refusal is the envelope of a 409: the batch's answer with the error beside it.
type Refusal struct {
	Error wire.ErrorBody `json:"error"`
	*wire.BatchResponse
}

// Refuse implements wireformat.Format.
func (Format) Refuse(_ *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	return answer(why.Status, nil, Refusal{why.ErrorBody, why.Batch})
}

func answer(status int, header http.Header, body any) (*wireformat.Answer, error) {
	b, err := json.Marshal(body, jsontext.AllowInvalidUTF8(true), json.Deterministic(true)) // an error may repeat what was sent
	return &wireformat.Answer{Status: status, Header: header, ContentType: "application/json; charset=utf-8", Body: b}, err
}
