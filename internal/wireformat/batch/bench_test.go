package batch_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
)

// prose is text of so many letters, in words.
func prose(rng *rand.Rand, letters int) string {
	var b strings.Builder
	for b.Len() < letters {
		for range 2 + rng.IntN(9) {
			b.WriteByte(byte('a' + rng.IntN(26)))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// calls is a request of so many calls of a model of about 955 bytes each, as the load of bench sends them.
func calls(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var body strings.Builder
	body.WriteString(`{"events":[`)
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"event_id":"%s","event_type":"observation_create","payload":{"trace_id":"%s","type":"generation","name":"chat",`+
			`"model":"m-large","provider":"acme","input":[{"role":"user","content":"%s"}],"output":{"role":"assistant","content":"%s"},`+
			`"prompt_tokens":%d,"completion_tokens":%d,"total_cost":%.6f,"latency_ms":%d,"metadata":{"region":"eu-west-%d","attempt":%d},`+
			`"model_parameters":{"temperature":0.%d}},"timestamp":1772359201}`,
			wire.NewID(), wire.NewID(), prose(rng, 230), prose(rng, 240), 50+rng.IntN(900), 20+rng.IntN(400), rng.Float64()/100,
			200+rng.IntN(4000), 1+rng.IntN(3), rng.IntN(3), rng.IntN(10))
	}
	body.WriteString(`],"environment":"production"}`)
	return []byte(body.String())
}

const benched = 100

// BenchmarkDecode reads a request up to what is stored of it: the grammar, the envelope, and the
// typed fields of each event.
func BenchmarkDecode(b *testing.B) {
	in := &wireformat.Incoming{Limits: wireformat.Limits{}.WithDefaults(), Body: calls(benched)}
	b.SetBytes(int64(len(in.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := (batch.Format{}).Decode(in); err != nil || len(r.Faults) > 0 || len(r.Rows) != benched || r.Rows[0] == nil {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benched, "ns/event")
}
