package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Only an admin key of the project default gets a backup, and no session does.
func TestBackupIsForTheOperator(t *testing.T) {
	t.Parallel()
	calls := 0
	h := open(t, setup{options: func(o *Options) {
		o.Backup = func(_ context.Context, w io.Writer, _ func(entity.Seq) ([]byte, error)) error {
			calls++
			_, err := io.WriteString(w, "archive")
			return err
		}
	}})
	operator := h.newKey("default", "admin")
	for _, c := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"no key", []string{"X-API-Key", ""}, 401, "unauthorized"},
		{"an admin of another project", nil, 403, "forbidden"}, // all scopes, of project one
		{"a reader of default", []string{"X-API-Key", "", "X-API-Key", h.newKey("default", "read", "ingest")}, 403, "forbidden"},
		{"an admin of a project called Default's neighbour", []string{"X-API-Key", "", "X-API-Key", h.newKey("default.", "admin")}, 403, "forbidden"},
	} {
		rep := h.get("/v1/backup", c.headers...)
		if rep.status != c.status || rep.code(t) != c.code {
			t.Errorf("%s: %d %s", c.name, rep.status, rep.body)
		}
	}
	all := h.newKey("default", "read", "admin")
	in := h.send("POST", "/v1/session", []byte(`{"key":"`+all+`"}`), "X-API-Key", "", "Sec-Fetch-Site", "same-origin")
	cookie := strings.Split(in.header.Get("Set-Cookie"), ";")[0]
	if in.status != 200 || cookie == "" {
		t.Fatalf("%d %s", in.status, in.body)
	}
	if rep := h.get("/v1/backup", "X-API-Key", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); rep.status != 403 {
		t.Errorf("a session: %d %s", rep.status, rep.body)
	}
	if calls != 0 {
		t.Errorf("%d backups were made", calls)
	}
	if rep := h.do("HEAD", "/v1/backup", nil, "X-API-Key", "", "X-API-Key", operator); rep.status != 200 || calls != 0 {
		t.Errorf("HEAD: %d, %d backups", rep.status, calls)
	}
	rep := h.get("/v1/backup", "X-API-Key", "", "X-API-Key", operator)
	if rep.status != 200 || string(rep.body) != "archive" || rep.header.Get("Content-Type") != "application/x-tar" {
		t.Errorf("%d %q %v", rep.status, rep.body, rep.header)
	}
	if rep := h.get("/v1/backup?x=1", "X-API-Key", "", "X-API-Key", operator); rep.status != 400 {
		t.Errorf("a parameter: %d", rep.status)
	}
}

// A backup that fails on its way breaks the connection: nobody takes what came for a whole answer. The next
// one may begin, and while one runs another may not.
func TestBackupBreaksAndTakesTurns(t *testing.T) {
	t.Parallel()
	started, goOn := make(chan struct{}), make(chan error)
	h := open(t, setup{options: func(o *Options) {
		o.Backup = func(ctx context.Context, w io.Writer, _ func(entity.Seq) ([]byte, error)) error {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
			started <- struct{}{}
			select {
			case err := <-goOn:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}})
	key := []string{"X-API-Key", "", "X-API-Key", h.newKey("default", "admin")}
	type result struct {
		rep reply
		err error
	}
	ask := func() chan result {
		done := make(chan result, 1)
		go func() {
			rep, err := h.try(http.MethodGet, "/v1/backup", nil, key...)
			done <- result{rep, err}
		}()
		return done
	}
	first := ask()
	<-started
	if rep := h.get("/v1/backup", key...); rep.status != 503 || rep.code(t) != "overloaded" || rep.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %s", rep.status, rep.body)
	}
	goOn <- errors.New("injected")
	if r := <-first; r.err == nil {
		t.Errorf("a broken backup looks whole: %d, %d bytes", r.rep.status, len(r.rep.body))
	}
	h.until("the turn is given back", func() bool {
		second := ask()
		select {
		case <-started:
			goOn <- nil
			r := <-second
			return r.err == nil && len(r.rep.body) == 1<<20
		case r := <-second:
			return r.err == nil && r.rep.status == 200
		}
	})
	// A shutdown does not wait for a backup.
	third := ask()
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, hs := range h.servers {
		if err := hs.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
	if r := <-third; r.err == nil {
		t.Errorf("a backup that a shutdown ended looks whole: %d", r.rep.status)
	}
}

// What is erased while a backup runs is in the journal that it gets, as far as the backup holds it; what was
// erased before is not.
func TestBackupNotesErasures(t *testing.T) {
	t.Parallel()
	var h *house
	var journals [][]byte
	h = open(t, setup{options: func(o *Options) {
		o.Backup = func(_ context.Context, _ io.Writer, journal func(entity.Seq) ([]byte, error)) error {
			if rep := h.send("DELETE", "/v1/traces/b", nil); rep.status != 200 {
				t.Errorf("%d %s", rep.status, rep.body)
			}
			for _, head := range []entity.Seq{1, 100} {
				raw, err := journal(head)
				if err != nil {
					t.Error(err)
				}
				journals = append(journals, raw)
			}
			return nil
		}
	}})
	h.post(event("a1", "trace_create", `{"id":"a","name":"n"}`), event("b1", "trace_create", `{"id":"b","name":"n"}`))
	if rep := h.send("DELETE", "/v1/traces/a", nil); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/backup", "X-API-Key", "", "X-API-Key", h.newKey("default", "admin")); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	// A backup may have items of datasets that were made of the trace, whatever it has of the log.
	traces := fmt.Sprintf(`"traces":["%x"]`, sha256.Sum256([]byte("b")))
	if len(journals) != 2 || string(journals[0]) != `{"version":1,"erasures":[{"project":"one","seqs":[],`+traces+`}]}` ||
		string(journals[1]) != `{"version":1,"erasures":[{"project":"one","seqs":[2],`+traces+`}]}` {
		t.Errorf("%s", journals)
	}
}

// lent is a connection's answer, which is the handler's until that returns: net/http uses it for others then.
type lent struct {
	*httptest.ResponseRecorder
	returned, late *atomic.Int64
}

func (l lent) SetWriteDeadline(time.Time) error {
	l.late.Add(l.returned.Load())
	return nil
}

// A backup whose client leaves does not touch the connection after its end.
func TestBackupLeavesTheConnectionAlone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) {
		o.Backup = func(context.Context, io.Writer, func(entity.Seq) ([]byte, error)) error { return nil }
	}})
	gone, leave := context.WithCancel(t.Context())
	leave()
	var late atomic.Int64
	for range 500 {
		w := lent{httptest.NewRecorder(), new(atomic.Int64), &late}
		h.srv.backingUp <- struct{}{}
		h.srv.backup(&call{w: w, r: httptest.NewRequestWithContext(gone, http.MethodGet, "/v1/backup", nil)})
		w.returned.Store(1)
	}
	if n := late.Load(); n > 0 {
		t.Errorf("%d deadlines were set on connections that had been given back", n)
	}
}
