package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// report is the document, as it grows.
type report struct {
	begin time.Time
	body  strings.Builder
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(&r.body, format+"\n", args...) }

// ingest is the table of servers side by side.
func (r *report) ingest(o options, l *load, floor, server result, others []*contender, zstd float64) {
	r.line("## Taking events in\n")
	r.line("%d events of %d B of JSON on the average, %d a request, %d connections, %d rounds in turn; medians. In brackets: the ratio to the floor.\n",
		o.events, l.meanEventBytes(), o.batch, o.conns, o.rounds)
	r.line("- **floor**: decodes with the server's decoder, looks ids up in a map, appends the body to a file, one fsync for all that wait. No limits, no receipts, no queries.")
	r.line("- **brokle**: as shipped; 200 means deduplicated and synced, and every event becomes queryable.")
	for _, c := range others {
		r.line("- **%s** %s, %s", c.name, c.version, promises[c.name])
	}
	head, rule := "| | | floor | brokle |", "| --- | --- | ---: | ---: |"
	for _, c := range others {
		head, rule = head+" "+c.name+" |", rule+" ---: |"
	}
	r.line("\n%s target |\n%s --- |", head, rule)
	row := func(name, unit, target string, digits int, get func(*result) float64) {
		cells := fmt.Sprintf("| %s | %s | %s |", name, unit, figure(get(&floor), digits))
		sides := []*result{&server}
		for _, c := range others {
			m := median(c.rounds)
			sides = append(sides, &m)
		}
		for _, s := range sides {
			v := get(s)
			cell := figure(v, digits)
			if f := get(&floor); v > 0 && f > 0 {
				cell += fmt.Sprintf(" (%.2f)", v/f)
			}
			cells += " " + cell + " |"
		}
		r.line("%s %s |", cells, target)
	}
	row("accepted", "events/s", "0.40 of the floor", 0, func(r *result) float64 { return r.accepted })
	row("queryable", "events/s", "", 0, func(r *result) float64 { return r.sustained })
	row("events per CPU-second", "", "", 0, func(r *result) float64 { return 1e6 / r.cpuPerEvent })
	row("answer, p50", "ms", "", 2, func(r *result) float64 { return r.p50 })
	row("answer, p99", "ms", "< 25 ms", 2, func(r *result) float64 { return r.p99 })
	row("peak RSS", "MB", "< 600 MB", 0, func(r *result) float64 { return r.peakRSS })
	row("disk, settled", "B/event", "≤ 300 B", 0, func(r *result) float64 { return r.diskPerEvent })
	r.line("\nqueryable is %.2f of what the floor accepts (target 0.30). The same requests as one zstd -3 stream: %.0f B/event, so brokle keeps %.2f of that", server.sustained/floor.accepted, zstd, server.diskPerEvent/zstd)
	r.line("(%s). %.2f fsyncs per request. Cold start with all of it: %.0f ms.\n", disks(server.diskParts), server.fsyncsPerRequest, server.coldStart)
}

// promises is what the answer of a peer means.
var promises = map[string]string{
	"VictoriaLogs": "JSON lines: the answer comes before anything is on disk, a crash loses some seconds; no deduplication; queryable.",
	"Collector":    "OTLP/HTTP in, zstd file out: the answer comes when the record is in a buffer; no fsync, no deduplication, no queries.",
}

func disks(parts []diskPart) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = fmt.Sprintf("%s %.0f", p.name, p.perEvent)
	}
	return strings.Join(texts, ", ")
}

// figure writes a measured value; what was not measured is empty.
func figure(v float64, digits int) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// write replaces the document.
func (r *report) write(ctx context.Context, o options) error {
	page, _ := os.ReadFile(o.doc) // a first one has no other part yet
	head := fmt.Sprintf(`# Benchmarks

Written by `+"`make bench`"+`, all in one run on one machine: read the ratios, not the numbers. Commit %s, %s, %s on %d processors (%s), in %s.

`, commit(ctx), r.begin.UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.NumCPU(), kernel(), time.Since(r.begin).Round(time.Second))
	return os.WriteFile(o.doc, []byte(head+strings.TrimRight(r.body.String(), "\n")+"\n"+spansPart(page)), 0o644)
}

func kernel() string {
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		return runtime.GOOS
	}
	text := func(f [65]int8) string {
		var b strings.Builder
		for _, c := range f {
			if c == 0 {
				break
			}
			b.WriteByte(byte(c))
		}
		return b.String()
	}
	return text(u.Sysname) + " " + text(u.Release) + ", " + text(u.Machine)
}
