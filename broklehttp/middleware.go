package broklehttp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/felixge/httpsnoop"

	"github.com/brokle-ai/brokle-go"
)

// Middleware makes a trace of each request that a server takes, or, with WithTrusted, a span in the sender's trace: what the handler starts with the
// request's context lies below it. Method, path and status are its metadata; of the body nothing is recorded. A status from 500 on and a
// panic, which goes on, are errors. Handlers add what they know: brokle.WithUser, brokle.TraceFromContext(ctx).Update.
func Middleware(opts ...Option) func(http.Handler) http.Handler {
	c := configOf(opts)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, next) })
	}
}

func (c *config) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	ctx := r.Context()
	if c.calls.Client != nil {
		ctx = brokle.WithClient(ctx, c.calls.Client)
	}
	if !brokle.ClientFromContext(ctx).Recording() {
		next.ServeHTTP(w, r)
		return
	}
	about := map[string]any{"http.request.method": r.Method, "url.path": r.URL.Path}
	ctx, end := c.begin(ctx, r, brokle.Metadata(about))
	status, done := 0, false
	defer func() {
		if !done { // a panic is on its way, or runtime.Goexit
			end(brokle.Error(fmt.Errorf("panicked")))
			return
		}
		status = cmp.Or(status, http.StatusOK)
		opts := []brokle.Option{brokle.Metadata(map[string]any{"http.response.status_code": status})}
		if status >= http.StatusInternalServerError {
			opts = append(opts, brokle.Error(fmt.Errorf("HTTP status %d", status)), brokle.ErrorType(strconv.Itoa(status)))
		}
		end(opts...)
	}()
	next.ServeHTTP(watched(w, &status), r.WithContext(ctx))
	done = true
}

// begin starts what the request is: a span in the trace of a sender that is trusted and says one, else a trace.
func (c *config) begin(ctx context.Context, r *http.Request, opts ...brokle.Option) (context.Context, func(...brokle.Option)) {
	if c.trusted(r) {
		ctx = brokle.Extract(ctx, r.Header)
		if r.Header.Get("Traceparent") != "" {
			ctx, span := brokle.StartSpan(ctx, c.name(r), opts...)
			return ctx, span.End
		}
	}
	ctx, trace := brokle.ClientFromContext(ctx).StartTrace(ctx, c.name(r), opts...)
	return ctx, trace.End
}

// watched is w, with the same optional interfaces, and notes the status that is answered.
func watched(w http.ResponseWriter, status *int) http.ResponseWriter {
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(code int) {
				if *status == 0 && code >= 200 || code == http.StatusSwitchingProtocols {
					*status = code
				}
				next(code)
			}
		},
	})
}
