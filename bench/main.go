// Command bench measures the whole brokle server beside a floor handler, in
// one run on one machine, and prints the ratios. The floor does the least that
// an honest ingest server must: read, decode (with the server's own decoder),
// look the ids up in a map, append the body to a file, fsync once per group.
//
//	go run . -bin ../bin/brokle
//	go run . -bin ../bin/brokle -redis    (one node alone beside one with Redis)
//	go run . -bin ../bin/brokle -soak 30m (do memory, files and disk stay within their bounds?)
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"
)

type options struct {
	bin      string
	input    string
	dir      string
	events   int
	batch    int
	conns    int
	rounds   int
	settle   bool
	profile  string
	floorOne string
	redis    bool
	soak     time.Duration
	doc      string   // soak: the page that gets the table
	chart    string   // soak: the file of the chart
	serve    []string // further arguments of the server
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "../bin/brokle", "the built brokle binary")
	flag.StringVar(&o.input, "input", "", "JSON Lines of events whose payloads are sent (default: generated text)")
	flag.StringVar(&o.dir, "dir", "", "directory for data (default: a temporary one, removed at the end)")
	flag.IntVar(&o.events, "events", 600_000, "events per round and side")
	flag.IntVar(&o.batch, "batch", 100, "events per request")
	flag.IntVar(&o.conns, "conns", 8, "connections")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; floor and server take turns")
	flag.BoolVar(&o.settle, "settle", true, "after the last round wait for recompression and measure the disk")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the server's last round to this file")
	flag.BoolVar(&o.redis, "redis", false, "compare one node alone with one that deduplicates on a redis-server, instead of with the floor")
	flag.DurationVar(&o.soak, "soak", 0, "full load for this long, with a short retention and readers; fails when a bound of docs/operations.md is broken")
	flag.StringVar(&o.doc, "doc", "", "soak: write the table into this page, between its markers")
	flag.StringVar(&o.chart, "chart", "", "soak: write the chart (SVG) to this file")
	flag.StringVar(&o.floorOne, "floor", "", "internal: be the floor handler, writing to this file")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.floorOne != "" {
		exitOn(serveFloor(ctx, o.floorOne))
		return
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "brokle-bench-")
		exitOn(err)
		defer func() { _ = os.RemoveAll(dir) }()
		o.dir = dir
	}
	if o.soak > 0 {
		exitOn(runSoak(ctx, o))
		return
	}
	if o.redis {
		exitOn(runRedis(ctx, o))
		return
	}
	exitOn(run(ctx, o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	load, err := newLoad(o)
	if err != nil {
		return err
	}
	fmt.Printf("%d events of %d B (mean) a round, %d a request, %d connections, %d rounds\n",
		o.events, load.meanEventBytes(), o.batch, o.conns, o.rounds)
	var floors, servers []result
	for round := range o.rounds {
		floor, err := measureFloor(ctx, o, load, round)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		server, err := measureServer(ctx, o, load, round)
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		floors, servers = append(floors, floor), append(servers, server)
		fmt.Printf("round %d: floor %.0f, accepted %.0f, sustained %.0f events/s\n",
			round+1, floor.accepted, server.accepted, server.sustained)
	}
	report(o, median(floors), median(servers))
	return nil
}

func report(o options, floor, server result) {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "\t\tfloor\tbrokle\tratio\ttarget\t")
	_, _ = fmt.Fprintf(w, "accepted\tevents/s\t%.0f\t%.0f\t%.2f\t≥ 0.40\t\n", floor.accepted, server.accepted, server.accepted/floor.accepted)
	_, _ = fmt.Fprintf(w, "sustained\tevents/s\t%.0f\t%.0f\t%.2f\t≥ 0.30\t\n", floor.accepted, server.sustained, server.sustained/floor.accepted)
	_, _ = fmt.Fprintf(w, "answer p50\tms\t%.2f\t%.2f\t%.1f\t\t\n", floor.p50, server.p50, server.p50/floor.p50)
	_, _ = fmt.Fprintf(w, "answer p99\tms\t%.2f\t%.2f\t%.1f\t< 25 ms\t\n", floor.p99, server.p99, server.p99/floor.p99)
	_, _ = fmt.Fprintf(w, "CPU per event\tµs\t%.2f\t%.2f\t%.1f\t\t\n", floor.cpuPerEvent, server.cpuPerEvent, server.cpuPerEvent/floor.cpuPerEvent)
	_, _ = fmt.Fprintf(w, "peak RSS\tMB\t%.0f\t%.0f\t\t< 600 MB\t\n", floor.peakRSS, server.peakRSS)
	_, _ = fmt.Fprintf(w, "fsyncs per request\t\t\t%.2f\t\t\t\n", server.fsyncsPerRequest)
	if o.settle {
		_, _ = fmt.Fprintf(w, "disk per event, settled\tB\t%.0f\t%.0f\t\t≤ 300 B\t\n", floor.diskPerEvent, server.diskPerEvent)
		for _, part := range server.diskParts {
			_, _ = fmt.Fprintf(w, "  of it %s\tB\t\t%.0f\t\t\t\n", part.name, part.perEvent)
		}
	}
	_, _ = fmt.Fprintf(w, "cold start of it all\tms\t\t%.0f\t\t\t\n", server.coldStart)
	_ = w.Flush()
}

func (o options) roundDir(side string, round int) string {
	return filepath.Join(o.dir, fmt.Sprintf("%s-%d", side, round))
}
