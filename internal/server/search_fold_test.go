package server

import (
	"net/url"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A search finds what people take for the same word, and also in what is neither
// name, input nor output.
func TestSearchFoldsAndLooksEverywhere(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("f1", "trace_create", `{"id":"f","name":"Straße","input":"caf\u00e9 ﬁle 東京都庁 検索エンジン 全文検\n索 サーバーAPI ab cd","tags":["beta"],"metadata":{"region":{"name":"eu-west"}}}`),
		event("f2", "observation_create", `{"id":"fo","trace_id":"f","name":"n","status_message":"deadline exceeded"}`))
	h.settle()
	for q, want := range map[string]int{
		"STRASSE": 1, "straße": 1, "cafe": 1, "CAFÉ": 1, "cafe\u0301": 1, "file": 1, "ﬁle": 1, "京都": 1, "東京": 1, "都京": 0,
		"索エ": 1, "文検索": 1, "エ索": 0, "サーバー": 1, "ーバ": 1, "bc": 0,
		"beta": 1, "eu-west": 1, "region": 0, `"deadline exceeded"`: 1, "stra": 0,
	} {
		rep := h.get("/v1/traces?q=" + url.QueryEscape(q))
		if got := len(decoded[wire.Page[wire.TraceSummary]](t, rep).Data); got != want {
			t.Errorf("%s: %d traces, want %d: %s", q, got, want, rep.body)
		}
	}
}
