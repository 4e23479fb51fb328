package brokletest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// problem is an answer that is not 2xx.
type problem struct {
	status     int
	err        brokle.ErrorBody
	retryAfter time.Duration
	batch      *brokle.BatchResponse // beside the error of a 409
}

func problemf(status int, code, format string, args ...any) *problem {
	return &problem{status: status, err: brokle.ErrorBody{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func notFound() *problem {
	return problemf(http.StatusNotFound, "not_found", "there is nothing of this id in the project of this key")
}

func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="brokle"`)
	}
	if p.batch != nil {
		writeJSON(w, p.status, struct {
			Error brokle.ErrorBody `json:"error"`
			*brokle.BatchResponse
		}{p.err, p.batch})
		return
	}
	writeJSON(w, p.status, map[string]any{"error": p.err})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types are ours
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that has gone
}

// problem makes the answer of a Fault with a Status.
func (f *Fault) problem() *problem {
	code, message := f.Code, f.Message
	if code == "" {
		code = map[int]string{
			http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden", http.StatusTooManyRequests: "rate_limited",
			http.StatusRequestEntityTooLarge: "body_too_large", http.StatusUnsupportedMediaType: "unsupported_content_encoding",
			http.StatusServiceUnavailable: "unavailable", http.StatusInternalServerError: "internal",
		}[f.Status]
	}
	if code == "" {
		code = "http_" + strconv.Itoa(f.Status)
	}
	if message == "" {
		message = "fault of the script"
	}
	return &problem{status: f.Status, err: brokle.ErrorBody{Code: code, Message: message}, retryAfter: f.RetryAfter}
}

func authorize(r *http.Request) *problem {
	key := r.Header.Get("X-API-Key")
	if key == "" {
		key, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch key {
	case Key:
		return nil
	case "":
		return problemf(http.StatusUnauthorized, "unauthorized", "there is no key: send X-API-Key, or Authorization: Bearer")
	}
	return problemf(http.StatusUnauthorized, "unauthorized", "the key is not known, or was revoked")
}
