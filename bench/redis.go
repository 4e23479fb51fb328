package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"text/tabwriter"
)

// runRedis measures one node alone and one that deduplicates on a Redis, which is
// on the same machine and so takes its CPU from it. The two take turns.
func runRedis(ctx context.Context, o options) error {
	l, err := newLoad(o, brokleWire())
	if err != nil {
		return err
	}
	fmt.Printf("%d events of %d B (mean) a round, %d a request, %d connections, %d rounds\n",
		o.events, l.meanEventBytes(), o.batch, o.conns, o.rounds)
	server := brokleSide(o, l)
	o.openRate = 0
	var alone, shared []result
	var redisCPU float64
	for round := range o.rounds {
		a, err := server.measure(ctx, o, round)
		if err != nil {
			return fmt.Errorf("alone: %w", err)
		}
		b, cpu, err := measureShared(ctx, o, l, round)
		if err != nil {
			return fmt.Errorf("with redis: %w", err)
		}
		alone, shared, redisCPU = append(alone, a), append(shared, b), redisCPU+cpu/float64(o.rounds)
		fmt.Printf("round %d: accepted alone %.0f, with redis %.0f events/s\n", round+1, a.accepted, b.accepted)
	}
	a, b := median(alone), median(shared)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "\t\talone\twith redis\tratio\ttarget\t")
	_, _ = fmt.Fprintf(w, "accepted\tevents/s\t%.0f\t%.0f\t%.2f\t≥ 0.75\t\n", a.accepted, b.accepted, b.accepted/a.accepted)
	_, _ = fmt.Fprintf(w, "queryable\tevents/s\t%.0f\t%.0f\t%.2f\t\t\n", a.queryable, b.queryable, b.queryable/a.queryable)
	_, _ = fmt.Fprintf(w, "answer p50\tms\t%.2f\t%.2f\t%.1f\t\t\n", a.p50, b.p50, b.p50/a.p50)
	_, _ = fmt.Fprintf(w, "answer p99\tms\t%.2f\t%.2f\t%.1f\t\t\n", a.p99, b.p99, b.p99/a.p99)
	_, _ = fmt.Fprintf(w, "CPU per event, node\tµs\t%.2f\t%.2f\t%.2f\t\t\n", 1e6/a.perCPU, 1e6/b.perCPU, a.perCPU/b.perCPU)
	_, _ = fmt.Fprintf(w, "CPU per event, redis\tµs\t\t%.2f\t\t\t\n", redisCPU)
	return w.Flush()
}

// measureShared starts an empty redis-server for one round.
func measureShared(ctx context.Context, o options, l *load, round int) (r result, redisCPU float64, err error) {
	addr, err := freeAddress()
	if err != nil {
		return r, 0, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return r, 0, err
	}
	cmd := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", o.dir)
	if err := cmd.Start(); err != nil {
		return r, 0, fmt.Errorf("redis-server (Debian: apt-get install redis-server): %w", err)
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Kill())
		_ = cmd.Wait() // killed
	}()
	if err := waitListening(ctx, addr); err != nil {
		return r, 0, err
	}
	o.serve = []string{"--redis-url", "redis://" + addr}
	if r, err = brokleSide(o, l).measure(ctx, o, round); err != nil {
		return r, 0, err
	}
	return r, float64(cpuNow(cmd.Process.Pid).Microseconds()) / float64(o.events), nil
}
