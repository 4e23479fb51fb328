package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// forwardKills is how often TestForward kills one of its servers.
const forwardKills = 12

// pair is two servers that forward to each other, and are killed at any time.
type pair struct {
	t     *testing.T
	dirs  [2]string
	ports [2]string
	nodes [2]*rig.Node
}

func (p *pair) start(i int) {
	p.t.Helper()
	p.nodes[i] = startNode(p.t, p.dirs[i], "--listen", p.ports[i], "--forward-otlp", "http://"+p.ports[1-i], "--forward-otlp-header", "X-API-Key="+rig.Key)
}

// post sends spans n to n+many of OTLP; further members follow each name, with a comma before them.
func (p *pair) post(i, n, many int, more string) {
	p.t.Helper()
	var spans []string
	for k := n; k < n+many; k++ {
		spans = append(spans, fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","name":"span %d","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000"%s}`, k/10+1, k+1, k, more))
	}
	body := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	status, said, err := p.nodes[i].Do(p.t.Context(), http.DefaultClient, http.MethodPost, "/v1/traces", []byte(body))
	if err != nil || status != http.StatusOK || string(said) != "{}" {
		p.t.Fatalf("%d %s %v", status, said, err)
	}
}

// forwarded waits until a server has nothing to send on.
func (p *pair) forwarded(i int) {
	p.t.Helper()
	for deadline := time.Now().Add(rig.Patience); ; sleep(p.t, 20*time.Millisecond) {
		_, said, err := p.nodes[i].Do(p.t.Context(), http.DefaultClient, http.MethodGet, "/readyz", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		if strings.Contains(string(said), "forwarding: ok: 0 events behind") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("it is still behind:\n%s", said)
		}
	}
}

// Whatever a server has accepted gets to the other one, once, however often either of them is killed; nothing
// comes back; and what came by another door is there as spans.
func TestForward(t *testing.T) {
	rng := chance.Of(t)
	p := &pair{t: t, dirs: [2]string{t.TempDir(), t.TempDir()}, ports: [2]string{freePort(t), freePort(t)}}
	p.start(0)
	p.start(1)
	sent := 0
	for range forwardKills {
		for range 1 + rng.IntN(4) {
			many := 1 + rng.IntN(400)
			p.post(0, sent, many, "")
			sent += many
		}
		victim := rng.IntN(3) // the sender twice as often
		sleep(t, time.Duration(rng.IntN(300))*time.Millisecond)
		p.nodes[victim/2].Kill()
		sleep(t, time.Duration(rng.IntN(200))*time.Millisecond)
		p.start(victim / 2)
	}
	p.forwarded(0)
	p.forwarded(1)
	for _, n := range p.nodes {
		waitEvents(t, n, sent)
	}
	var page brokle.Page[brokle.Observation]
	for range 20 {
		k := rng.IntN(sent)
		p.nodes[1].GetJSON(t, fmt.Sprintf("/v1/observations?name=span+%d", k), &page)
		if len(page.Data) != 1 || page.Data[0].ID != fmt.Sprintf("%016x", k+1) || page.Data[0].TraceID != fmt.Sprintf("%032x", k/10+1) {
			t.Fatalf("span %d: %+v", k, page.Data)
		}
	}
	p.checkOwn(t, rng)
	for i, n := range p.nodes {
		if code := terminate(t, n); code != 0 {
			t.Errorf("server %d ends with %d", i, code)
		}
	}
}

// checkOwn sends events of our own and looks for what they say on the other side.
func (p *pair) checkOwn(t *testing.T, rng *rand.Rand) {
	t.Helper()
	before, err := p.nodes[0].Count(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("own %x", rng.Uint32())
	for _, e := range []struct {
		typ     brokle.EventType
		payload string
	}{
		{brokle.TraceCreate, `{"id":"own trace","name":"` + name + `","user_id":"u1"}`},
		{brokle.ObservationCreate, `{"id":"own call","trace_id":"own trace","name":"` + name + `","type":"generation","model":"m1","input":"asked","start_time":1700000000}`},
		{brokle.ObservationComplete, `{"id":"own call","output":"answered","end_time":1700000002,"usage":{"prompt_tokens":11,"completion_tokens":5}}`},
	} {
		if _, _, err := p.nodes[0].Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{{ID: brokle.NewID(), Type: e.typ, Payload: []byte(e.payload)}}}); err != nil {
			t.Fatal(err)
		}
	}
	p.forwarded(0)
	for deadline := time.Now().Add(rig.Patience); ; sleep(t, 20*time.Millisecond) {
		var page brokle.Page[brokle.Observation]
		p.nodes[1].GetJSON(t, "/v1/observations?model=m1&q=answered", &page)
		if len(page.Data) == 1 && page.Data[0].Name == name && page.Data[0].PromptTokens != nil && *page.Data[0].PromptTokens == 11 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the other server says %+v", page.Data)
		}
	}
	p.forwarded(1)
	waitEvents(t, p.nodes[0], before+3) // nothing came back
}
