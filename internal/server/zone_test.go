package server

import (
	"fmt"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Intervals begin by the clock of the zone that is asked for, also on the days
// on which it is changed.
func TestStatsTimeZone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	var events []string
	for i, at := range []string{
		"2026-10-24T21:59:00Z", // Berlin: 24 October, 23:59
		"2026-10-24T22:00:00Z", // 25 October, 00:00
		"2026-10-25T00:30:00Z", // 02:30 for the first time
		"2026-10-25T01:30:00Z", // 02:30 once more
		"2026-10-25T22:59:00Z", // 23:59 of a day of 25 hours
		"2026-10-25T23:00:00Z", // 26 October, 00:00
	} {
		events = append(events, event(fmt.Sprintf("z%d", i), "observation_create", fmt.Sprintf(`{"id":"z%d","trace_id":"z","name":"n","start_time":%q}`, i, at)))
	}
	h.post(events...)
	h.settle()
	for _, c := range []struct{ ask, want string }{
		{"interval=1d", "[2026-10-24T00:00:00.000000Z 2] [2026-10-25T00:00:00.000000Z 4] "},
		{"interval=1d&tz=Europe/Berlin", "[2026-10-23T22:00:00.000000Z 1] [2026-10-24T22:00:00.000000Z 4] [2026-10-25T23:00:00.000000Z 1] "},
		{"interval=1d&tz=Asia/Tokyo", "[2026-10-24T15:00:00.000000Z 4] [2026-10-25T15:00:00.000000Z 2] "},
		{"interval=1h&tz=Europe/Berlin&from=2026-10-25T00:00:00Z&to=2026-10-25T02:00:00Z", "[2026-10-25T00:00:00.000000Z 1] [2026-10-25T01:00:00.000000Z 1] "},
		{"interval=1d&tz=Europe/Berlin&from=2026-10-25T01:00:00Z", "[2026-10-24T22:00:00.000000Z 2] [2026-10-25T23:00:00.000000Z 1] "},
		{"interval=12h&tz=Asia/Kathmandu", "[2026-10-24T18:15:00.000000Z 4] [2026-10-25T18:15:00.000000Z 2] "},
	} {
		got := ""
		for _, r := range decoded[wire.Page[map[string]any]](t, h.get("/v1/stats?"+c.ask)).Data {
			got += fmt.Sprintf("[%v %v] ", r["time"], r["count"])
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.ask, got, c.want)
		}
	}
}
