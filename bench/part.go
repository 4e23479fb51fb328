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

// part is a part of docs/benchmarks.md that is measured and written by itself.
type part struct {
	name    string // of its markers
	title   string
	by      string // what writes it
	measure func(context.Context, options, *report) error
}

var parts = []part{
	{"otlp", "OpenTelemetry in", "make bench-otlp", measureSpans},
	{"clickhouse", "ClickHouse as the warehouse", "make bench-clickhouse", measureClickHouse},
	{"reprice", "Pricing the past again", "make bench-reprice", measureReprice},
	{"sql", "Questions in SQL", "make bench-sql", measureSQL},
}

// byHand is what `go test` of bench/sdk printed, and a person wrote down.
var byHand = part{name: "sdk"}

func (p part) begin() string { return "<!-- " + p.name + ":begin -->\n" }
func (p part) end() string   { return "<!-- " + p.name + ":end -->" }

// run measures, prints and writes the part.
func (p part) run(ctx context.Context, o options) error {
	r := &report{begin: time.Now()}
	load := loadAverage()
	if err := p.measure(ctx, o, r); err != nil {
		return err
	}
	head := fmt.Sprintf("## %s\n\nWritten by `%s`, all in one run. Commit %s, %s, %s on %d processors (%s), in %s; the load of the machine was %s before and %s after.\n\n",
		p.title, p.by, commit(ctx), r.begin.UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.NumCPU(), kernel(), time.Since(r.begin).Round(time.Second), load, loadAverage())
	text := head + r.body.String()
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	page, err := os.ReadFile(o.doc)
	if err != nil {
		return err
	}
	before, after := p.outside(page)
	return os.WriteFile(o.doc, slices.Concat(before, []byte(p.begin()+text+p.end()), after), 0o644)
}

// outside is what stands before and behind the part in a document.
func (p part) outside(page []byte) (before, after []byte) {
	before, rest, found := bytes.Cut(page, []byte(p.begin()))
	if !found {
		return append(bytes.TrimRight(page, "\n"), "\n\n"...), []byte("\n")
	}
	_, after, _ = bytes.Cut(rest, []byte(p.end()))
	return before, after
}

// in is the part as a document has it, or "".
func (p part) in(page []byte) string {
	_, rest, found := bytes.Cut(page, []byte(p.begin()))
	if !found {
		return ""
	}
	text, _, _ := bytes.Cut(rest, []byte(p.end()))
	return "\n" + p.begin() + string(text) + p.end() + "\n"
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
