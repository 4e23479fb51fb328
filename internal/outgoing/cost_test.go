package outgoing

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A span has the cost that was sent. One that was computed would be taken for one that was sent wherever the span is read.
func TestOnlySentCostsGoOut(t *testing.T) {
	t.Parallel()
	cost := 0.5
	for source, want := range map[string]bool{"reported": true, entity.CostComputed: false} {
		row := &entity.ObservationRow{Observation: wire.Observation{
			ID: "o", TraceID: "t", Type: "llm", TotalCost: &cost, InputCost: &cost, OutputCost: &cost, CacheReadCost: &cost, CacheWriteCost: &cost, CostSource: source,
		}}
		span := string(ofObservation("p", row, false).Raw)
		if got := strings.Contains(span, "cost"); got != want {
			t.Errorf("%s: %s", source, span)
		}
	}
}
