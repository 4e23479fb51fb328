package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
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

// ingest is the table of servers side by side, each of our figures beside what it is to be.
func (r *report) ingest(o options, all []*side, zstd float64, loadBefore string) {
	r.line("## Taking events in\n")
	r.line("%d events of %d B of JSON on the average, %d a request, %d connections, %d rounds in turn; medians. The load of the machine was %s before and %s after.\n",
		o.events, all[0].load.meanEventBytes(), o.batch, o.conns, o.rounds, loadBefore, loadAverage())
	head, rule := "| | |", "| --- | --- |"
	for _, s := range all {
		r.line("- **%s**: %s", strings.TrimSpace(s.name+" "+s.version), s.promise)
		head, rule = head+" "+s.name+" |", rule+" ---: |"
	}
	r.line("")
	r.line("queryable: until a reader counts all. All in: until the process has stopped, after all its idle work was done (no file changed for %v). Written: write_bytes of proc_pid_io(5), the pages it made the kernel", quietFor)
	r.line("write, in bytes; a page that is written again counts again. Open loop: %d events/s for %v to an empty server, from when a request was to be sent. In brackets: the ratio of brokle to it.\n", o.openRate, o.openTime)
	r.line("%s target, reached |\n%s --- |", head, rule)
	medians := make([]result, len(all))
	of := map[string]*result{}
	for i, s := range all {
		medians[i] = median(s.rounds)
		of[s.name] = &medians[i]
	}
	ours := of["brokle"]
	for _, f := range figures(zstd) {
		v := f.get(ours)
		cells := fmt.Sprintf("| %s | %s |", f.name, f.unit)
		for i, s := range all {
			cell := figure(f.get(&medians[i]), f.digits)
			if theirs := f.get(&medians[i]); s.name != "brokle" && theirs > 0 && v > 0 {
				cell += fmt.Sprintf(" (%.2f)", v/theirs)
			}
			cells += " " + cell + " |"
		}
		var targets []string
		for _, t := range f.targets {
			targets = append(targets, t.text(v, f, of))
		}
		r.line("%s %s |", cells, strings.Join(targets, "; "))
	}
	r.line("\nThe same requests as one zstd -3 stream: %.0f B/event, so brokle keeps %.2f of that (%s).\n", zstd, ours.disk/zstd, disks(ours.diskParts))
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
	text := head + strings.TrimRight(r.body.String(), "\n") + "\n"
	for _, p := range append(slices.Clip(parts), byHand) {
		text += p.in(page)
	}
	return os.WriteFile(o.doc, []byte(text), 0o644)
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
