package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcencoding "google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	exportTraces  = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	exportLogs    = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	exportMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
)

// grpcAddr serves the house's calls of gRPC.
func (h *house) grpcAddr() string {
	h.tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.tb.Fatal(err)
	}
	hs := h.srv.GRPCServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = Serve(hs, ln, nil)
	}()
	h.tb.Cleanup(func() {
		_ = hs.Close()
		<-served
	})
	return ln.Addr().String()
}

// grpcClient is a client of the field's own library.
func (h *house) grpcClient() *grpc.ClientConn {
	h.tb.Helper()
	conn, err := grpc.NewClient(h.grpcAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		h.tb.Fatal(err)
	}
	h.tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// export calls a method with the bytes of a message and returns those of the answer. md are pairs beside the
// house's key; "x-api-key" replaces it.
func (h *house) export(conn *grpc.ClientConn, method string, message []byte, md []string, options ...grpc.CallOption) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if md == nil {
		md = []string{"x-api-key", h.key}
	}
	in, out := &emptypb.Empty{}, &emptypb.Empty{} // of which all is unknown, so that it goes as it is
	in.ProtoReflect().SetUnknown(message)
	err := conn.Invoke(metadata.AppendToOutgoingContext(ctx, md...), method, in, out, options...)
	return out.ProtoReflect().GetUnknown(), err
}

// Spans, log records and metrics come over gRPC with every form of key and compression, and are answered as over HTTP.
func TestGRPC(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	conn := h.grpcClient()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+h.key))
	for i, c := range []struct {
		md      []string
		options []grpc.CallOption
	}{
		{nil, nil},
		{[]string{"authorization", "Bearer " + h.key}, nil},
		{[]string{"authorization", basic}, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}},
		{nil, []grpc.CallOption{grpc.UseCompressor("zstd")}},
	} {
		out, err := h.export(conn, exportTraces, spansOf(aSpan(i+1)), c.md, c.options...)
		if err != nil || len(out) != 0 {
			t.Errorf("%d: %v, answer %x", i, err, out)
		}
	}
	out, err := h.export(conn, exportTraces, spansOf(aSpan(9), spanMessage([]byte{1}, nil, "bad")), nil)
	if count, text := partialOf(t, out); err != nil || count != 1 || !strings.Contains(text, "trace id") {
		t.Errorf("one bad of two: %v, %d %q", err, count, text)
	}
	if out, err = h.export(conn, exportMetrics, nil, nil); err != nil || !strings.Contains(string(out), "metrics are not kept") {
		t.Errorf("metrics: %v %q", err, out)
	}
	if out, err = h.export(conn, exportLogs, logsOf("a"), nil); err != nil || len(out) != 0 {
		t.Errorf("logs: %v %x", err, out)
	}
	if n := h.stored(); n != 6 {
		t.Errorf("%d events stored, want 6", n)
	}
	if metrics := string(h.get("/metrics").body); !strings.Contains(metrics, `brokle_http_requests_total{method="POST",route="`+exportTraces+`",status="200"} 5`) {
		t.Error("the calls are not counted as the requests that they are")
	}
}

// What is refused has the code by which exporters know whether to send it again, and RetryInfo where they may.
func TestGRPCRefusals(t *testing.T) {
	t.Parallel()
	full := false
	h := open(t, setup{options: func(o *Options) {
		o.MaxBodyBytes, o.MaxDecodedBytes, o.RatePerKey = 64<<10, 1<<20, 1000
		o.Admit = func() error {
			if full {
				return fmt.Errorf("%w: full", store.ErrUnavailable)
			}
			return nil
		}
	}})
	conn := h.grpcClient()
	check := func(what, method string, message []byte, md []string, want codes.Code, retried bool, options ...grpc.CallOption) {
		t.Helper()
		_, err := h.export(conn, method, message, md, options...)
		s := status.Convert(err)
		var wait *errdetails.RetryInfo
		for _, d := range s.Details() {
			wait, _ = d.(*errdetails.RetryInfo)
		}
		if s.Code() != want || s.Message() == "" || (wait != nil) != retried {
			t.Errorf("%s: %v, %v; want %v", what, err, wait, want)
		}
		if wait != nil && (wait.RetryDelay.AsDuration() < time.Second || wait.RetryDelay.AsDuration() > 4*time.Second) {
			t.Errorf("%s: wait %v", what, wait.RetryDelay.AsDuration())
		}
	}
	good := spansOf(aSpan(1))
	zeros := make([]byte, 4<<20)
	check("no key", exportTraces, good, []string{"x-nothing", "x"}, codes.Unauthenticated, false)
	check("a key that reads", exportTraces, good, []string{"x-api-key", h.newKey("one", "read")}, codes.PermissionDenied, false)
	check("no protobuf", exportTraces, []byte{0x0a, 0x80}, nil, codes.InvalidArgument, false)
	check("JSON", exportTraces, []byte(`{"resourceSpans":[]}`), nil, codes.InvalidArgument, false)
	check("too large", exportTraces, zeros, nil, codes.ResourceExhausted, false)
	check("a bomb", exportTraces, zeros, nil, codes.ResourceExhausted, false, grpc.UseCompressor(gzip.Name))
	check("a bomb in zstd", exportTraces, zeros, nil, codes.ResourceExhausted, false, grpc.UseCompressor("zstd"))
	check("an unknown encoding", exportTraces, good, nil, codes.Unimplemented, false, grpc.UseCompressor("test-none"))
	check("an unknown method", "/opentelemetry.proto.collector.trace.v1.TraceService/Import", good, nil, codes.Unimplemented, false)
	full = true
	check("not admitted", exportTraces, good, nil, codes.Unavailable, true)
	full = false
	many := make([][]byte, 600)
	for i := range many {
		many[i] = aSpan(1)
	}
	if _, err := h.export(conn, exportTraces, spansOf(many...), nil); err != nil {
		t.Fatal(err)
	}
	check("over the rate", exportTraces, spansOf(many...), nil, codes.ResourceExhausted, true)
}

// What is no call of gRPC, or one that is not framed as such, is told so; a body that does not come is not waited for.
func TestGRPCFraming(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.ReadHeaderTimeout, o.BodyTimeout = 300*time.Millisecond, 300*time.Millisecond }})
	addr := "http://" + h.grpcAddr()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	call := func(media, encoding string, body io.Reader) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, addr+exportTraces, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"X-Api-Key": {h.key}, "Content-Type": {media}, "Grpc-Encoding": {encoding}}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		rep := read(t, res)
		for name, values := range res.Trailer {
			rep.header[name] = values
		}
		return rep
	}
	good := spansOf(aSpan(1))
	frame := func(compressed byte, said int, message []byte) []byte {
		return append([]byte{compressed, 0, byte(said >> 16), byte(said >> 8), byte(said)}, message...)
	}
	stalls, hold := io.Pipe()
	begins, more := io.Pipe()
	defer func() { _, _ = hold.Close(), more.Close() }()
	go func() { _, _ = more.Write(frame(0, len(good), good[:3])) }()
	for _, c := range []struct {
		what, encoding string
		body           io.Reader
		status         codes.Code
	}{
		{"a good one", "", bytes.NewReader(frame(0, len(good), good)), codes.OK},
		{"an encoding that is not used", "gzip", bytes.NewReader(frame(0, len(good), good)), codes.OK},
		{"no message", "", bytes.NewReader(nil), codes.Internal},
		{"a cut prefix", "", bytes.NewReader([]byte{0, 0}), codes.Internal},
		{"a cut message", "", bytes.NewReader(frame(0, len(good)+1, good)), codes.InvalidArgument},
		{"two messages", "", bytes.NewReader(append(frame(0, len(good), good), frame(0, len(good), good)...)), codes.InvalidArgument},
		{"compressed, nobody says how", "", bytes.NewReader(frame(1, len(good), good)), codes.Internal},
		{"not compressed as said", "gzip", bytes.NewReader(frame(1, len(good), good)), codes.InvalidArgument},
		{"a message that does not come", "", stalls, codes.Internal},
		{"a message that stops", "", begins, codes.Unavailable},
	} {
		rep := call("application/grpc", c.encoding, c.body)
		if got := rep.header.Get("Grpc-Status"); rep.status != 200 || got != fmt.Sprint(int(c.status)) {
			t.Errorf("%s: %d, status %s %q, want %d", c.what, rep.status, got, rep.header.Get("Grpc-Message"), c.status)
		}
	}
	if rep := call("application/json", "", strings.NewReader("{}")); rep.status != http.StatusUnsupportedMediaType {
		t.Errorf("no gRPC: %d", rep.status)
	}
	if rep := h.send("POST", addr+exportTraces, good, "Content-Type", "application/grpc"); rep.status != http.StatusUnsupportedMediaType {
		t.Errorf("HTTP/1.1: %d %s", rep.status, rep.body)
	}
}

func init() {
	grpcencoding.RegisterCompressor(coder{"zstd", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }})
	grpcencoding.RegisterCompressor(coder{"test-none", func(w io.Writer) (io.WriteCloser, error) { return asItIs{w}, nil }})
}

// coder is a compressor of the client that the server may know.
type coder struct {
	name string
	to   func(io.Writer) (io.WriteCloser, error)
}

func (c coder) Name() string                                 { return c.name }
func (c coder) Compress(w io.Writer) (io.WriteCloser, error) { return c.to(w) }
func (c coder) Decompress(r io.Reader) (io.Reader, error)    { return r, nil }

type asItIs struct{ io.Writer }

func (asItIs) Close() error { return nil }
