package main

import (
	"fmt"
	"slices"
	"strings"
)

// spans is the table of servers side by side.
func (r *report) spans(o options, l *spanLoad, sides []*spanSide) {
	r.line("At least %d spans of %d B of protobuf on the average in each round, calls of models with what was said, %d to %d a request without compression, %d connections, %d rounds in turn; medians. In brackets: the ratio of brokle to it.",
		o.events, l.mean, spanSizes[0], spanSizes[len(spanSizes)-1], spanConns, o.rounds)
	r.line("The open loop sends %d spans/s for %s to an empty server; its times are from when a request was to be sent. After SIGKILL under full load and a start, the last %d traces that were acknowledged are asked for.\n", openLoopSpans, openLoopTime, tracesAsked)
	head, rule := "| | |", "| --- | --- |"
	for _, s := range sides {
		r.line("- **%s**: %s", strings.TrimSpace(s.name+" "+s.version), s.promise)
		head, rule = head+" "+s.name+" |", rule+" ---: |"
	}
	if !slices.ContainsFunc(sides, func(s *spanSide) bool { return s.name == "VictoriaTraces" }) {
		r.line("- **VictoriaTraces** was not measured: its module was not to be had, so that it could not be built here. `-victoriatraces BINARY` measures one that was built elsewhere.")
	}
	r.line("\n%s\n%s", head, rule)
	ours := median(sides[1].rounds)
	row := func(name, unit string, digits int, get func(*result) float64) {
		cells := fmt.Sprintf("| %s | %s |", name, unit)
		for _, s := range sides {
			m := median(s.rounds)
			cell := figure(get(&m), digits)
			if v := get(&m); s.name != "brokle" && v > 0 {
				cell += fmt.Sprintf(" (%.2f)", get(&ours)/v)
			}
			cells += " " + cell + " |"
		}
		r.line("%s", cells)
	}
	row("taken", "spans/s", 0, func(r *result) float64 { return r.accepted })
	row("spans per CPU-second, all in", "", 0, func(r *result) float64 { return r.perCPU })
	row("answer at full load, p99", "ms", 1, func(r *result) float64 { return r.p99 })
	row("answer in the open loop, p50", "ms", 1, func(r *result) float64 { return r.openP50 })
	row("answer in the open loop, p99", "ms", 1, func(r *result) float64 { return r.openP99 })
	row("peak RSS", "MB", 0, func(r *result) float64 { return r.peakRSS })
	row("disk", "B/span", 0, func(r *result) float64 { return r.disk })
	cells := "| whole after SIGKILL | traces |"
	for _, s := range sides {
		cell := ""
		if s.killed.asked > 0 {
			cell = fmt.Sprintf("%d of %d", s.killed.whole, s.killed.asked)
		}
		cells += " " + cell + " |"
	}
	r.line("%s", cells)
}
