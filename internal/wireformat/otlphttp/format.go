package otlphttp

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Format implements wireformat.Format.
type Format struct{}

// Name implements wireformat.Format. No request of it becomes a job.
func (Format) Name() string { return "otlp" }

// bases are the paths below which exporters are told to find their signals.
var bases = []string{"/v1", "/otlp/v1", "/v1/otlp", "/api/public/otel/v1", "/v1/private/otel/v1"}

// Paths implements wireformat.Format.
func (Format) Paths() []string {
	var paths []string
	for _, base := range bases {
		for _, signal := range []string{traces, logs, metrics} {
			paths = append(paths, base+"/"+signal)
		}
	}
	return paths
}

// The signals, each the end of a path.
const (
	traces  = "traces"
	logs    = "logs"
	metrics = "metrics"
)

func signalOf(in *wireformat.Incoming) string {
	return in.Path[strings.LastIndexByte(in.Path, '/')+1:]
}

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// Accepts implements wireformat.Format. Parameters are allowed; without a type the body tells.
func (Format) Accepts(h http.Header) (must string) {
	switch media(h) {
	case "", protobufType, jsonType, "application/protobuf", "application/octet-stream":
		return ""
	}
	return protobufType + " or " + jsonType
}

// media is the media type that a request is labelled with, without its parameters; "" when it has no label.
func media(h http.Header) string {
	value := h.Get("Content-Type")
	if name, _, err := mime.ParseMediaType(value); err == nil {
		return name
	}
	return value
}

// inJSON says in which encoding a request came. The body tells, not the label: some clients send
// protobuf labelled as JSON. No request in protobuf begins with a brace, which would be a group.
func inJSON(in *wireformat.Incoming) bool {
	body := bytes.TrimLeft(bytes.TrimPrefix(in.Body, []byte("\uFEFF")), " \t\r\n")
	if len(body) == 0 {
		return media(in.Header) == jsonType
	}
	return body[0] == '{'
}

// Decode implements wireformat.Format. The limit on the number of events is not for spans: an
// exporter that is told so drops them all.
func (Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	r := &ingest.Request{Environment: environment(in.Header), Dedup: store.Dedup{Enabled: true, TTL: wire.MaxDedupTTL * time.Second}}
	origin := originOf(in)
	origin.Forwarded = in.Header.Get(forwardedHeader) != ""
	d := decoder{in: in, r: r, origin: origin, ids: wireformat.NewIDs("otlp_", in.Project)}
	var err error
	switch body := in.Body; {
	case len(body) == 0:
	case inJSON(in):
		err = d.json(signalOf(in))
	case signalOf(in) != metrics:
		err = d.read(signalOf(in), body, false)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// forwardedHeader marks what another server of ours sends on (package forward): it goes no further.
const forwardedHeader = "Brokle-Forwarded"

// originOf says whose client it is.
func originOf(in *wireformat.Incoming) otlp.Origin {
	sdk := wireformat.LangfuseSDK(in.Header)
	if sdk == "" && !strings.HasPrefix(in.Path, "/api/public/") {
		return otlp.Origin{Door: "otlp"}
	}
	return otlp.Origin{Door: "langfuse", SDK: sdk}
}
