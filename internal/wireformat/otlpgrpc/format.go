// Package otlpgrpc is the format of OpenTelemetry's protocol over gRPC: the messages of package
// otlphttp in protobuf, by other paths. How gRPC frames messages and says what failed is the server's.
//
// Source: opentelemetry-proto 1.x, the services of collector/trace, collector/logs and collector/metrics.
package otlpgrpc

import (
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
)

// Format implements wireformat.Format.
type Format struct{ otlphttp.Format }

// methods are the calls, each with the path of OTLP/HTTP that takes the same message.
var methods = map[string]string{
	"/opentelemetry.proto.collector.trace.v1.TraceService/Export":     "/v1/traces",
	"/opentelemetry.proto.collector.logs.v1.LogsService/Export":       "/v1/logs",
	"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "/v1/metrics",
}

// Paths implements wireformat.Format.
func (Format) Paths() []string {
	var paths []string
	for path := range methods {
		paths = append(paths, path)
	}
	return paths
}

// Accepts implements wireformat.Format: what gRPC frames is protobuf.
func (Format) Accepts(http.Header) (must string) { return "" }

// Decode implements wireformat.Format.
func (f Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	if len(in.Body) > 0 && in.Body[0] == '{' {
		return nil, &ingest.RequestError{Code: otlphttp.CodeInvalidOTLP, Message: "the message is JSON, and must be protobuf"}
	}
	same := *in
	same.Path = methods[in.Path]
	return f.Format.Decode(&same)
}

// Answer implements wireformat.Format.
func (f Format) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	return f.Format.Answer(inProtobuf(in), res)
}

// Refuse implements wireformat.Format.
func (f Format) Refuse(in *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	return f.Format.Refuse(inProtobuf(in), why)
}

// inProtobuf is a request of which nothing says that it is JSON.
func inProtobuf(in *wireformat.Incoming) *wireformat.Incoming {
	return &wireformat.Incoming{Path: methods[in.Path]}
}
