package duckstore

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// However many spans there are, few cover all of them, in order and apart.
func TestJoinSpans(t *testing.T) {
	rng := chance.Of(t)
	for range 200 {
		spans := make([]span, 1+rng.IntN(60))
		for i := range spans {
			at := rng.Int64N(50_000_000)
			spans[i] = span{at, at + rng.Int64N(1000)}
		}
		joined := joinSpans(spans, fewSpans)
		if len(joined) > fewSpans {
			t.Fatalf("%d spans", len(joined))
		}
		for i := range joined[1:] {
			if joined[i].last >= joined[i+1].first {
				t.Fatalf("%v overlap", joined)
			}
		}
		for _, s := range spans {
			covered := false
			for _, j := range joined {
				covered = covered || j.first <= s.first && s.last <= j.last
			}
			if !covered {
				t.Fatalf("%v is not in %v", s, joined)
			}
		}
	}
	if near := joinSpans([]span{{1_000_000, 1_000_001}, {1, 2}, {50, 60}}, fewSpans); len(near) != 2 || near[0] != (span{1, 60}) {
		t.Errorf("%v", near)
	}
}
