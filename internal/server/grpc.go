package server

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// gRPC is HTTP/2 with five bytes before each message and the outcome in trailers (gRPC over HTTP2,
// github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md). Each call that is served here has one message each
// way, so it is made a request of a route and goes the way of all others: its key is checked before
// its message is read, and that is read at its pace, into memory that is counted.

// GRPCServer returns a server of the formats that come over gRPC. Serve it with Serve, like those of
// HTTPServer.
func (s *Server) GRPCServer() *http.Server {
	hs := s.HTTPServer(s.grpc)
	hs.Protocols = new(http.Protocols)
	hs.Protocols.SetHTTP1(true) // whose requests are told what is spoken here
	hs.Protocols.SetUnencryptedHTTP2(true)
	return hs
}

// grpcMux serves the calls of gRPC.
func (s *Server) grpcMux() http.Handler {
	calls := map[string]http.Handler{}
	for _, rt := range formatRoutes(formats.GRPC()) {
		calls[rt.path] = s.serve(rt)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if begins(r) {
			w.Header().Set("Connection", "close")
		}
		media := r.Header.Get("Content-Type")
		if r.ProtoMajor != 2 || r.Method != http.MethodPost || media != grpcMedia && media != grpcMedia+"+proto" {
			http.Error(w, "this address speaks gRPC, over HTTP/2; HTTP is at the address of the API", http.StatusUnsupportedMediaType)
			return
		}
		c := &grpcCall{w: w, header: http.Header{}}
		if h := calls[r.URL.Path]; h == nil {
			c.fail(code.Code_UNIMPLEMENTED, "there is no such method; docs/api.md lists them")
		} else if err := c.unframe(r, s.o.ReadHeaderTimeout); err != nil {
			c.fail(code.Code_INTERNAL, err.Error())
		} else {
			h.ServeHTTP(c, r)
			c.end()
		}
	})
}

const (
	grpcMedia = "application/grpc"
	// grpcPrefix is what stands before a message: whether it is compressed, and its length.
	grpcPrefix = 5
	// grpcEncodings are those of contentCoding.
	grpcEncodings = "identity,gzip,deflate,zstd"
)

// unframe makes a request of r whose body is the one message of the call.
func (c *grpcCall) unframe(r *http.Request, timeout time.Duration) error {
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(timeout))
	var prefix [grpcPrefix]byte
	if _, err := io.ReadFull(r.Body, prefix[:]); err != nil {
		return fmt.Errorf("the call has no message: %w", err)
	}
	encoding := r.Header.Get("Grpc-Encoding")
	switch {
	case prefix[0] == 0:
		encoding = ""
	case prefix[0] != 1 || encoding == "" || encoding == string(codingIdentity):
		return fmt.Errorf("the message is compressed, and grpc-encoding does not say how")
	}
	r.Header.Del("Content-Encoding")
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	r.ContentLength = int64(binary.BigEndian.Uint32(prefix[1:]))
	r.Body = &grpcMessage{ReadCloser: r.Body, left: r.ContentLength}
	return nil
}

// grpcMessage reads the message behind its prefix; what follows it is an error.
type grpcMessage struct {
	io.ReadCloser
	left int64
}

func (m *grpcMessage) Read(p []byte) (int, error) {
	if m.left == 0 {
		var more [1]byte
		n, err := m.ReadCloser.Read(more[:])
		if n > 0 {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, err
	}
	n, err := m.ReadCloser.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if err == io.EOF && m.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// grpcCall takes the answer of a route, and writes it as that of a call.
type grpcCall struct {
	w      http.ResponseWriter
	header http.Header // of the route
	status int
	body   []byte
}

// Unwrap gives http.ResponseController the connection's deadlines.
func (c *grpcCall) Unwrap() http.ResponseWriter { return c.w }

// Header implements http.ResponseWriter.
func (c *grpcCall) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *grpcCall) WriteHeader(status int) { c.status = status }

func (c *grpcCall) Write(b []byte) (int, error) {
	c.body = append(c.body, b...)
	return len(b), nil
}

// end writes the answer: a message, or the google.rpc.Status that a format refuses with.
func (c *grpcCall) end() {
	if c.status == http.StatusOK {
		h := c.w.Header()
		h.Set("Content-Type", grpcMedia)
		h.Set("Trailer", "Grpc-Status")
		_, err := c.w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(c.body))), c.body...))
		if err != nil {
			panic(http.ErrAbortHandler) // the client left
		}
		h.Set("Grpc-Status", "0")
		return
	}
	var s rpcstatus.Status
	if err := proto.Unmarshal(c.body, &s); err != nil || s.Code == 0 {
		s.Code, s.Message = int32(code.Code_UNKNOWN), "the call was refused"
	}
	if after, err := strconv.Atoi(c.header.Get("Retry-After")); err == nil {
		wait := &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(after) * time.Second)}
		if detail, err := anypb.New(wait); err == nil {
			s.Details = append(s.Details, detail)
		}
	}
	c.refuse(&s)
}

func (c *grpcCall) fail(as code.Code, message string) {
	c.refuse(&rpcstatus.Status{Code: int32(as), Message: message})
}

// refuse ends the call with trailers only.
func (c *grpcCall) refuse(s *rpcstatus.Status) {
	h := c.w.Header()
	h.Set("Content-Type", grpcMedia)
	h.Set("Grpc-Accept-Encoding", grpcEncodings)
	h.Set("Grpc-Status", strconv.Itoa(int(s.Code)))
	h.Set("Grpc-Message", percentEncoded(s.Message))
	if b, err := proto.Marshal(s); err == nil {
		h.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(b))
	}
	c.w.WriteHeader(http.StatusOK)
}

// percentEncoded is a message as the trailer takes it: ASCII from space to tilde, without a percent sign.
func percentEncoded(message string) string {
	var b strings.Builder
	for i := range len(message) {
		if c := message[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
