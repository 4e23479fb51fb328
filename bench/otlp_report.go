package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The place of the part in docs/benchmarks.md.
const spansBegin, spansEnd = "<!-- otlp:begin -->\n", "<!-- otlp:end -->"

// runSpans measures, prints and writes the part of OpenTelemetry's protocol.
func runSpans(ctx context.Context, o options) error {
	r := &report{begin: time.Now()}
	load := loadAverage()
	if err := measureSpans(ctx, o, r); err != nil {
		return err
	}
	head := fmt.Sprintf("## OpenTelemetry in\n\nWritten by `make bench-otlp`, all in one run. Commit %s, %s, %s on %d processors (%s), in %s; the load of the machine was %s before and %s after.\n\n",
		commit(ctx), r.begin.UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.NumCPU(), kernel(), time.Since(r.begin).Round(time.Second), load, loadAverage())
	part := head + r.body.String()
	fmt.Print(part)
	if o.doc == "" {
		return nil
	}
	page, err := os.ReadFile(o.doc)
	if err != nil {
		return err
	}
	before, after := outside(page)
	return os.WriteFile(o.doc, slices.Concat(before, []byte(spansBegin+part+spansEnd), after), 0o644)
}

// outside is what stands before and behind the part in a document.
func outside(page []byte) (before, after []byte) {
	before, rest, found := bytes.Cut(page, []byte(spansBegin))
	if !found {
		return append(bytes.TrimRight(page, "\n"), "\n\n"...), []byte("\n")
	}
	_, after, _ = bytes.Cut(rest, []byte(spansEnd))
	return before, after
}

// spansPart is the part as a document has it, with what stands behind it, which other programs measure; or "".
func spansPart(page []byte) string {
	_, rest, found := bytes.Cut(page, []byte(spansBegin))
	if !found {
		return ""
	}
	return "\n" + spansBegin + string(bytes.TrimRight(rest, "\n")) + "\n"
}

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

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// loadAverage is that of the last minute (proc_loadavg(5)).
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}
