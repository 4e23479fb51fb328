package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Of a text that is looked at, what a server says that goes down passes, and what another one says comes without its address.
func TestWhatIsOfTheText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code          proto.Error
		message, want string // "": it passes
	}{
		{proto.ErrAborted, "DB::Exception: The server is shutting down due to a fatal error", ""},
		{proto.ErrLogicalError, "DB::Exception: Received from 127.0.0.1:9000. DB::Exception: Bad cast", ""},
		{proto.ErrUnknownIdentifier, "DB::Exception: Unknown identifier x. In query SELECT x FROM secret", "Unknown identifier x"},
		{proto.ErrUnknownIdentifier, "Received from 127.0.0.1:9000. DB::Exception: Unknown identifier x", "Unknown identifier x"},
		{proto.ErrUnsupportedMethod, "DB::Exception: Correlated subqueries are not supported with remote tables. In query WITH t AS (SELECT 1)",
			"over several shards a subquery cannot name columns of the query around it: write a JOIN, or IN with a subquery of its own"},
	} {
		err := ofTheAnalysis(&ch.Exception{Code: c.code, Message: c.message})
		var asked *store.SQLError
		if is := errors.As(err, &asked); is != (c.want != "") || is && !strings.HasSuffix(asked.Error(), c.want) || is && strings.Contains(asked.Error(), "127.0.0.1") {
			t.Errorf("%q: %v, want %q", c.message, err, c.want)
		}
	}
}

// What a server says of its own trouble passes; what it says of a statement does not; what a question asks too much of is the question's fault, unless all that the server does is too much.
func TestWhatPasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code    proto.Error
		message string
		want    error // nil: the exception itself
	}{
		{proto.ErrNotEnoughSpace, "Cannot reserve 1.00 MiB, not enough space", store.ErrUnavailable},
		{proto.ErrCannotWriteToFileDescriptor, "errno: 28, strerror: No space left on device", store.ErrUnavailable},
		{1001, "std::__1::ios_base::failure: filesystem error: No space left on device", store.ErrUnavailable},
		{proto.ErrTooManyParts, "Too many parts (3000)", store.ErrUnavailable},
		{proto.ErrCannotReadAllData, "Cannot read all data", store.ErrUnavailable},
		{proto.ErrFileDoesntExist, "File data.bin doesn't exist", store.ErrUnavailable},
		{proto.ErrChecksumDoesntMatch, "Checksum doesn't match", store.ErrUnavailable},
		{proto.ErrUnfinished, "Exception happened during execution of mutation", store.ErrUnavailable},
		{proto.ErrUnknownTable, "Unknown table expression identifier 'events'", store.ErrUnavailable},
		{proto.ErrUnknownDatabase, "Database brokle does not exist", store.ErrUnavailable},
		{proto.ErrTableIsDropped, "Table is dropped", store.ErrUnavailable},
		{proto.ErrTooManySimultaneousQueries, "Too many simultaneous queries", store.ErrUnavailable},
		{proto.ErrQueryWasCancelled, "Query was cancelled", store.ErrUnavailable},
		{proto.ErrAborted, "Server is shutting down", store.ErrUnavailable},
		{proto.ErrReadonly, "Cannot execute query in readonly mode", store.ErrUnavailable},
		{proto.ErrLogicalError, "Bad cast", store.ErrUnavailable},
		{99999, "a code of a later release", store.ErrUnavailable},
		{proto.ErrMemoryLimitExceeded, "(total) memory limit exceeded: would use 4.00 GiB", store.ErrUnavailable},
		{proto.ErrMemoryLimitExceeded, "User memory limit exceeded: would use 4.00 GiB", store.ErrUnavailable},
		{proto.ErrMemoryLimitExceeded, "Query memory limit exceeded: would use 65.00 MiB", store.ErrStarved},
		{proto.ErrAllConnectionTriesFailed, "All connection tries failed. Connection refused (10.0.0.1:9000)", store.ErrUnavailable},
		{proto.ErrNetworkError, "Connection reset by peer, while reading from socket (peer: 10.0.0.1:9000)", store.ErrUnavailable},
		{proto.ErrAttemptToReadAfterEOF, "Attempt to read after eof: while receiving packet from 10.0.0.1:9000", store.ErrUnavailable},
		{proto.ErrAborted, "Received from 10.0.0.1:9000. DB::Exception: The server is shutting down due to a fatal error", store.ErrUnavailable},
		{proto.ErrTooManyRowsOrBytes, "Limit for result exceeded, max rows: 1.00 thousand", store.ErrStarved},
		{proto.ErrTimeoutExceeded, "Timeout exceeded: elapsed 2 seconds", context.DeadlineExceeded},
		{proto.ErrSyntaxError, "Syntax error", nil},
		{proto.ErrUnknownIdentifier, "Unknown expression identifier", nil},
		{proto.ErrTypeMismatch, "Type mismatch", nil},
		{proto.ErrCannotParseText, "Cannot parse text", nil},
	} {
		said := fmt.Errorf("handle packet: %w", &ch.Exception{Code: c.code, Name: "DB::Exception", Message: c.message})
		got := explained(t.Context(), said)
		if !errors.Is(got, said) {
			t.Errorf("%v: %v does not say it", said, got)
		}
		if strings.Contains(got.Error(), "10.0.0.1") {
			t.Errorf("%v names a server", got)
		}
		for _, of := range []error{store.ErrUnavailable, store.ErrStarved, context.DeadlineExceeded} {
			if errors.Is(got, of) != (of == c.want) {
				t.Errorf("%v is %v, want %v", said, got, c.want)
			}
		}
	}
	if got := explained(t.Context(), errors.New("EOF")); !errors.Is(got, store.ErrUnavailable) {
		t.Errorf("a connection that breaks: %v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := explained(gone, errors.New("EOF")); !errors.Is(got, context.Canceled) || errors.Is(got, store.ErrUnavailable) {
		t.Errorf("of a client that has gone: %v", got)
	}
}

// The server's own exceptions are told apart, too.
func TestWhatTheServerSays(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	defer closeOf(t, w)
	ask := func(text string) error {
		return w.question(t.Context(), "p", "test", func(ctx context.Context, v *view) error {
			var n proto.ColUInt64
			return v.rows(ctx, v.query(), text, proto.Results{{Name: "n", Data: &n}}, func(int) {})
		})
	}
	for text, passes := range map[string]bool{
		"SELECT count() AS n FROM nobody_made_it":                                                 true,
		"SELECT nobody_made_it AS n FROM events":                                                  false,
		"SELECT count( AS n FROM events":                                                          false,
		"SELECT nobody_made_it() AS n FROM events":                                                false,
		"SELECT throwIf(1, 'x', 243::Int16) AS n SETTINGS allow_custom_error_code_in_throwif = 1": true,
		"SELECT throwIf(1, 'x', 75::Int16) AS n SETTINGS allow_custom_error_code_in_throwif = 1":  true,
	} {
		if err := ask(text); err == nil || errors.Is(err, store.ErrUnavailable) != passes {
			t.Errorf("%s: %v; it passes: %t", text, err, passes)
		}
	}
}
