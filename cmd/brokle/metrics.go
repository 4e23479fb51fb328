package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// metricsOf are the metrics of --metrics, which may be repeated: count when there are none.
func metricsOf(c *cli.Command) []string {
	typed, _ := c.Value("metrics").([]string)
	var out []string
	for _, value := range typed {
		out = append(out, splitMetrics(value)...)
	}
	if len(out) == 0 {
		return []string{"count"}
	}
	return out
}

// splitMetrics takes a comma list apart, as the API does: a JSON string is one metric, and
// what stands behind a comma and a blank and is no metric belongs to the name of the score before it.
func splitMetrics(list string) []string {
	var one string
	if json.Unmarshal([]byte(list), &one) == nil {
		return []string{one}
	}
	scored := func(s string) bool { return strings.HasPrefix(s, "score_avg:") || strings.HasPrefix(s, "score_count:") }
	plain := []string{"count", "error_rate", "latency_p50", "latency_p95", "latency_p99", "tokens", "cost", "cost_input", "cost_cached", "cost_output", "unpriced_count"}
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		word := strings.TrimSpace(part)
		last := len(out) - 1
		switch {
		case word == "":
		case last >= 0 && scored(out[last]) && part != word && !scored(word) && !slices.Contains(plain, word):
			out[last] += "," + strings.TrimRight(part, " ")
		default:
			out = append(out, word)
		}
	}
	return out
}
