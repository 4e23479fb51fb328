// Command bench measures the whole brokle server beside a floor handler and beside
// other servers, in one run on one machine, and prints the ratios. The floor does the least that
// an honest ingest server must: read, decode (with a decoder that stays as it is),
// look the ids up in a map, append the body to a file, fsync once per group.
//
//	go run . -bin ../bin/brokle -quick                    taking events in, one short round: below 90 s
//	go run . -bin ../bin/brokle                           all of it, printed
//	go run . -bin ../bin/brokle -doc ../docs/benchmarks.md    and written down
//	go run . -bin ../bin/brokle -only ingest -peers=false     the floor and brokle alone
//	go run . -bin ../bin/brokle -other GOMAXPROCS=3           brokle beside itself with another setting
//	go run . -bin ../bin/brokle -redis                    one node alone beside one with Redis
//	go run . -bin ../bin/brokle -only clickhouse -rounds 0 -keep DIR    questions alone, to nodes that stay in DIR
//	go run . -bin ../bin/brokle -soak 30m                 do memory, files and disk stay within their bounds?
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type options struct {
	bin            string
	input          string
	data           string // sql: the data directory
	dir            string
	events         int
	batch          int
	conns          int
	rounds         int
	ids            int    // most ids in the index
	ask            int    // events of the server that is asked
	keep           string // clickhouse: where the nodes that are asked stay
	openRate       int    // events/s; 0: no open loop
	openTime       time.Duration
	profile        string
	profileTime    time.Duration
	floorOne       string
	floorAddr      string
	victoriaTraces string // a binary
	redis          bool
	other          string // variables and flags of another brokle beside
	otherBin       string
	peers          bool
	only           string
	doc            string
	soak           time.Duration
	soakRate       int      // events/s; 0: as fast as they are taken
	chart          string   // soak: the file of the chart
	serve          []string // further arguments of the server
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "../bin/brokle", "the built brokle binary")
	flag.StringVar(&o.input, "input", "", "JSON Lines of events whose payloads are sent (default: generated text)")
	flag.StringVar(&o.dir, "dir", "", "directory for data (default: a temporary one, removed at the end)")
	flag.StringVar(&o.data, "data", "", "sql: a data directory that stays: filled where it is not there, else asked as it is (it must have as many events as -events says)")
	flag.IntVar(&o.events, "events", 300_000, "events per round and side")
	flag.IntVar(&o.batch, "batch", 100, "events per request")
	flag.IntVar(&o.conns, "conns", 8, "connections")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the sides take turns")
	flag.IntVar(&o.openRate, "open-rate", 20_000, "events a second of the open loop; 0: none")
	flag.DurationVar(&o.openTime, "open-time", 12*time.Second, "how long the open loop lasts")
	flag.IntVar(&o.ids, "ids", 50_000_000, "up to how many ids the id index is measured at: 1, 10 and 50 million")
	flag.IntVar(&o.ask, "ask", 10_000_000, "events of the server that questions are put to; the warehouse alone has as many, the search alone a tenth")
	flag.StringVar(&o.keep, "keep", "", "clickhouse: keep the nodes that are asked in this directory, filled, and find them there the next time")
	quick := flag.Bool("quick", false, "taking events in only, one round of 250 000 events, no open loop")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the server's last round to this file")
	flag.DurationVar(&o.profileTime, "profile-time", 5*time.Second, "how long the profile lasts, from the first request on")
	flag.BoolVar(&o.redis, "redis", false, "compare one node alone with one that deduplicates on a redis-server, instead of with the floor")
	flag.BoolVar(&o.peers, "peers", true, "measure the other servers too; they are built first")
	flag.StringVar(&o.other, "other", "", "measure brokle a second time beside, with these variables and flags: 'GOMAXPROCS=3 --warehouse-threads=1'")
	flag.StringVar(&o.otherBin, "other-bin", "", "the same with another binary")
	flag.StringVar(&o.only, "only", "", "one part: ingest, ids, asking (over HTTP), questions (the warehouse and the search alone; default: these); otlp; clickhouse, beside a node with its own warehouse; reprice, pricing the past again; or sql, beside a stock DuckDB on Parquet")
	flag.StringVar(&o.doc, "doc", "", "write the report to this file, as Markdown; soak, otlp, clickhouse, reprice and sql: their part into it, between its markers")
	flag.DurationVar(&o.soak, "soak", 0, "load for this long, with a short retention and readers; fails when a bound of docs/operations.md is broken")
	flag.IntVar(&o.soakRate, "soak-rate", 20_000, "events a second of the soak; 0: as fast as they are taken")
	flag.StringVar(&o.chart, "chart", "", "soak: write the chart (SVG) to this file")
	flag.StringVar(&o.floorOne, "floor", "", "internal: be the floor handler, writing to this file")
	flag.StringVar(&o.floorAddr, "floor-addr", "127.0.0.1:0", "internal: where the floor handler listens")
	flag.StringVar(&o.victoriaTraces, "victoriatraces", "", "otlp: a binary of VictoriaTraces, which cannot be built from modules, to measure beside the others")
	flag.Parse()
	if *quick {
		o.only, o.rounds, o.events, o.openRate = "ingest", 1, 250_000, 0 // two row groups of the warehouse, and some
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.floorOne != "" {
		exitOn(serveFloor(ctx, o.floorOne, o.floorAddr))
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
	for _, p := range parts {
		if p.name == o.only {
			exitOn(p.run(ctx, o))
			return
		}
	}
	exitOn(run(ctx, o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures part after part, prints each and writes them all down.
func run(ctx context.Context, o options) error {
	begin := time.Now()
	all := &report{begin: begin}
	for _, part := range []struct {
		name    string
		measure func(context.Context, options, *report) error
	}{{"ingest", measureIngest}, {"ids", measureIDs}, {"asking", measureAsking}, {"questions", measureQuestions}} {
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.measure(ctx, o, all); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Printf("%s\ntook %s\n", all.body.String(), time.Since(begin).Round(time.Second))
	if o.doc == "" {
		return nil
	}
	return all.write(ctx, o)
}

// measureIngest lets floor, server and peers take turns, so that what else the
// machine does hits all of them.
func measureIngest(ctx context.Context, o options, to *report) error {
	all, err := sides(ctx, o)
	if err != nil {
		return err
	}
	own := all[0].load
	before := loadAverage()
	fmt.Printf("%d events of %d B (mean) a round, %d a request, %d connections, %d rounds; load %s\n",
		o.events, own.meanEventBytes(), o.batch, o.conns, o.rounds, before)
	for round := range o.rounds {
		for _, s := range all {
			r, err := s.measure(ctx, o, round)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.rounds = append(s.rounds, r)
			fmt.Printf("round %d: %s accepted %.0f, queryable %.0f events/s, %.0f events per CPU-second\n", round+1, s.name, r.accepted, r.queryable, r.perCPU)
		}
	}
	zstd, err := own.zstdPerEvent(o)
	if err != nil {
		return err
	}
	to.ingest(o, all, zstd, before)
	return nil
}

func (o options) roundDir(side string, round int) string {
	return filepath.Join(o.dir, fmt.Sprintf("%s-%d", side, round))
}
