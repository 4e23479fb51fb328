package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
)

// Over HTTP a statement is a request. Rows go and come in the server's format Native, which is the blocks of the native protocol, compressed and with checksums as there, so that
// the same columns write and read them. The server keeps an answer back until it has all of it (wait_end_of_query): what it says of an error is in the headers then, and never in the
// middle of rows. Meanwhile it sends headers of its progress, so that a line on which nothing comes is one on which nobody works.
//
// Settings are parameters of the URL. The parameters of a statement are not: proxies bound URLs, to 8 KiB often, and the server bounds fields of a form, to 128 KiB, while a list of ids
// may be larger. They are put into the text, as the server itself does.

// progressEach is after how many ms the server says that it is at it. Each time is a header, of which proxies take some KiB together.
const progressEach = 3000

// mostText is how long a statement may be, with its parameters.
const mostText = 64 << 20

// overHTTP is a session over HTTP.
type overHTTP struct {
	transport *http.Transport // it has one connection, and makes no other
	end       func()          // ends that
	to        url.URL
	header    http.Header
	database  string
	newer     bool // the server knows the settings that an older one need not know
	closed    atomic.Bool
}

// errEnded says that the server has ended a connection since it was used last, as one does with those that nobody uses.
var errEnded = errors.New("the connection has ended")

func dialHTTP(ctx context.Context, d *lineDialer, o *Options, address string) (session, error) {
	s := &overHTTP{to: url.URL{Scheme: "http", Host: address, Path: "/"}, database: o.Database, header: http.Header{}}
	if o.TLS != nil {
		s.to.Scheme = "https"
	}
	s.header.Set("User-Agent", "brokle")
	s.header.Set("X-ClickHouse-User", o.User)
	s.header.Set("X-ClickHouse-Key", o.Password)
	s.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: o.TLS, TLSHandshakeTimeout: handshakeTime, DisableCompression: true, MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if d.made.Load() != nil {
				return nil, errEnded
			}
			return d.DialContext(ctx, network, address)
		},
	}
	s.end = func() {
		s.transport.CloseIdleConnections()
		if l := d.made.Load(); l != nil {
			_ = l.Close() // it is not used again
		}
	}
	var known proto.ColUInt64
	err := s.Do(ctx, ch.Query{Body: "SELECT count() AS n FROM system.settings WHERE name = 'deduplicate_insert'", Result: proto.Results{{Name: "n", Data: &known}}})
	if err == nil && known.Rows() != 1 {
		err = errNotClickHouse
	}
	if err != nil {
		_ = s.Close() // it was of no use
		return nil, err
	}
	s.newer = known.Row(0) > 0
	return s, nil
}

// Ping implements session.
func (s *overHTTP) Ping(ctx context.Context) error {
	return s.Do(ctx, ch.Query{Body: "SELECT toUInt8(1) AS one", Result: proto.Results{{Name: "one", Data: new(proto.ColUInt8)}}})
}

// IsClosed implements session.
func (s *overHTTP) IsClosed() bool { return s.closed.Load() }

// Close implements session.
func (s *overHTTP) Close() error {
	s.closed.Store(true)
	s.end()
	return nil
}

// Do implements session.
func (s *overHTTP) Do(ctx context.Context, q ch.Query) error {
	request, sent, err := s.request(ctx, q)
	if err != nil {
		return err
	}
	if sent != nil {
		defer func() { <-sent.done }() // who reads the input is not the caller
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		if sent != nil {
			if <-sent.done; sent.failed != nil {
				return sent.failed
			}
		}
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if err := refusal(response); err != nil {
		return err
	}
	return answer(ctx, response.Body, &q)
}

// request makes the request of a statement. sent is the rows that go with it, or nil.
func (s *overHTTP) request(ctx context.Context, q ch.Query) (request *http.Request, sent *pieces, err error) {
	values := s.values(&q)
	var body io.Reader
	kind := "text/plain; charset=utf-8"
	switch text := inlined(q.Body, q.Parameters); {
	case len(q.Input) > 0:
		sent = newPieces(ctx, &q)
		values.Set("query", strings.TrimSuffix(text, "VALUES")+"FORMAT Native")
		values.Set("decompress", "1")
		body, kind = sent, "application/octet-stream"
	case len(q.ExternalData) > 0:
		values.Set(q.ExternalTable+"_format", "Native")
		values.Set(q.ExternalTable+"_structure", structure(q.ExternalData))
		if body, kind, err = form(text, &q); err != nil {
			return nil, nil, err
		}
	default:
		body = strings.NewReader(text)
	}
	to := s.to
	to.RawQuery = values.Encode()
	if request, err = http.NewRequestWithContext(ctx, http.MethodPost, to.String(), body); err != nil {
		return nil, nil, err
	}
	request.Header = s.header.Clone()
	request.Header.Set("Content-Type", kind)
	return request, sent, nil
}

// values are the parameters of the URL.
func (s *overHTTP) values(q *ch.Query) url.Values {
	values := url.Values{}
	set := func(name, value string) { values.Set(name, value) }
	set("database", s.database)
	set("default_format", "Native")
	set("compress", "1")
	set("wait_end_of_query", "1")
	set("send_progress_in_http_headers", "1")
	set("http_headers_progress_interval_ms", strconv.Itoa(progressEach))
	set("max_query_size", strconv.Itoa(mostText))
	if q.Result != nil && len(q.Input) == 0 { // it ends when nobody waits for it any more
		set("readonly", "2")
		set("cancel_http_readonly_queries_on_client_close", "1")
	}
	for _, setting := range q.Settings {
		if setting.Important || s.newer {
			set(setting.Key, setting.Value)
		}
	}
	return values
}

// errNotClickHouse says that something else answers.
var errNotClickHouse = errors.New("what answers is not clickhouse")

// statusError is an answer of something before the server.
type statusError struct{ status string }

func (e *statusError) Error() string { return "over HTTP the answer is " + e.status }

// mostSaid bounds what is read of why a statement is refused.
const mostSaid = 64 << 10

// refusal is why a statement is refused, nil when it is not.
func refusal(r *http.Response) error {
	code, noCode := strconv.Atoi(r.Header.Get("X-ClickHouse-Exception-Code"))
	switch {
	case noCode == nil && code != 0:
		raw, err := io.ReadAll(io.LimitReader(r.Body, mostSaid))
		if err != nil {
			return err
		}
		return &ch.Exception{Code: proto.Error(code), Name: "DB::Exception", Message: said(raw)}
	case r.StatusCode != http.StatusOK:
		return &statusError{r.Status}
	case r.Header.Get("X-ClickHouse-Query-Id") == "":
		return errNotClickHouse
	}
	return nil
}

// said is the message of an exception, which may be compressed as rows are.
func said(raw []byte) string {
	if text, err := io.ReadAll(compress.NewReader(bytes.NewReader(raw))); err == nil || len(text) > 0 {
		raw = text
	}
	text := string(raw)
	if _, message, ok := strings.Cut(text, "DB::Exception: "); ok {
		text = message
	}
	return strings.TrimSpace(text)
}
