package server

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// heldStats is a Warehouse whose statistics last until nobody waits for them.
type heldStats struct {
	store.Warehouse
	began, ended chan struct{}
}

func (w *heldStats) Stats(ctx context.Context, _ string, _ *store.StatsPlan) ([][]any, error) {
	w.began <- struct{}{}
	<-ctx.Done()
	w.ended <- struct{}{}
	return nil, ctx.Err()
}

// What a tool asks for ends when its client goes, whichever revision of the protocol that speaks.
func TestMCPEndsWithItsClient(t *testing.T) {
	t.Parallel()
	held := &heldStats{began: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	h := open(t, setup{options: func(o *Options) {
		held.Warehouse, o.Warehouse = o.Warehouse, held
	}})
	const meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"` + mcpStateless + `","io.modelcontextprotocol/clientCapabilities":{}}`
	for version, meta := range map[string]string{"2025-06-18": "", mcpStateless: meta} {
		ctx, cancel := context.WithCancel(t.Context())
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stats","arguments":{}` + meta + `}}`
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"X-Api-Key": {h.key}, "Content-Type": {"application/json"}, "Mcp-Protocol-Version": {version}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"stats"}}
		gone := make(chan error)
		go func() {
			res, err := http.DefaultTransport.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
			}
			gone <- err
		}()
		<-held.began
		cancel()
		if err := <-gone; err == nil {
			t.Errorf("%s: an answer came", version)
		}
		<-held.ended
	}
}
