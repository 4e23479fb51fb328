package otlphttp

import (
	"encoding/json"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Answer implements wireformat.Format. What failed is a partial success with the count and the
// first reason; what was a duplicate was taken before.
func (Format) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	p := partial{signal: signalOf(in), rejected: res.FailedEvents}
	if p.signal == metrics {
		p.message = "metrics are not kept here, only traces and logs"
	} else if p.rejected > 0 {
		p.message = res.Errors[0].Message + ": " + res.Errors[0].Details
	}
	if inJSON(in) {
		return p.json()
	}
	return &wireformat.Answer{Status: http.StatusOK, ContentType: protobufType, Body: p.protobuf()}, nil
}

// partial is the partial success of an Export…ServiceResponse; an empty one is a full success.
type partial struct {
	signal   string
	rejected int
	message  string
}

// protobuf is the response: partial_success is its field 1, of which 1 is the count and 2 the message.
func (p partial) protobuf() []byte {
	if p.message == "" {
		return []byte{}
	}
	var inner []byte
	if p.rejected > 0 {
		inner = protowire.AppendVarint(protowire.AppendTag(inner, 1, protowire.VarintType), uint64(p.rejected))
	}
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), p.message)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// countNames are what each signal calls the count.
var countNames = map[string]string{traces: "rejectedSpans", logs: "rejectedLogRecords", metrics: "rejectedDataPoints"}

func (p partial) json() (*wireformat.Answer, error) {
	body := map[string]any{}
	if p.message != "" {
		inner := map[string]any{"errorMessage": p.message}
		if p.rejected > 0 {
			inner[countNames[p.signal]] = strconv.Itoa(p.rejected) // 64 bits are text in OTLP's JSON
		}
		body["partialSuccess"] = inner
	}
	return answerJSON(http.StatusOK, body)
}

func answerJSON(status int, body any) (*wireformat.Answer, error) {
	b, err := json.Marshal(body)
	return &wireformat.Answer{Status: status, ContentType: jsonType, Body: b}, err
}

// Refuse implements wireformat.Format: a google.rpc.Status. Exporters send again after 429, 502, 503 and
// 504 only, so what the same request may pass later is a 503: a body that came too slowly, and a fault of
// the server.
func (Format) Refuse(in *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	status := why.Status
	if status == http.StatusRequestTimeout || status == http.StatusInternalServerError {
		status = http.StatusServiceUnavailable
	}
	code, message := codeOf(status), why.Code+": "+why.Message
	if inJSON(in) {
		return answerJSON(status, map[string]any{"code": code, "message": message})
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), message)
	return &wireformat.Answer{Status: status, ContentType: protobufType, Body: b}, nil
}

// codeOf is the code of gRPC for a status of HTTP (google/rpc/code.proto).
func codeOf(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return 16 // UNAUTHENTICATED
	case http.StatusForbidden:
		return 7 // PERMISSION_DENIED
	case http.StatusTooManyRequests:
		return 8 // RESOURCE_EXHAUSTED
	case http.StatusServiceUnavailable:
		return 14 // UNAVAILABLE
	case http.StatusRequestEntityTooLarge:
		return 8 // which without a RetryInfo nobody sends again
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return 12 // UNIMPLEMENTED
	}
	return 3 // INVALID_ARGUMENT
}
