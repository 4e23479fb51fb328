package main

import "fmt"

// shown is a row of the table.
type shown struct {
	name, unit string
	digits     int
	get        func(*result) float64
	targets    []target
}

// target is what a figure of brokle's is to be: at least or at most a value, or so much of a
// side's figure.
type target struct {
	least bool
	value float64
	side  string                // "": value is absolute
	of    func(*result) float64 // of the side; nil: the same figure
}

func least(value float64, side string) target { return target{least: true, value: value, side: side} }
func most(value float64, side string) target  { return target{value: value, side: side} }

// figures are the rows, with the targets of issue 14.
func figures(zstd float64) []shown {
	accepted := func(r *result) float64 { return r.accepted }
	return []shown{
		{"accepted", "events/s", 0, accepted, []target{least(0.5, "floor")}},
		{"queryable", "events/s", 0, func(r *result) float64 { return r.queryable }, []target{least(2, "VictoriaLogs"), {least: true, value: 0.45, side: "floor", of: accepted}}},
		{"events per CPU-second, all in", "", 0, func(r *result) float64 { return r.perCPU }, []target{least(0.40, "floor"), least(1.7, "VictoriaLogs"), least(1, "Collector")}},
		{"events per CPU-second until queryable", "", 0, func(r *result) float64 { return r.perCPUQueryable }, nil},
		{"answer at full load, p50", "ms", 2, func(r *result) float64 { return r.p50 }, nil},
		{"answer at full load, p99", "ms", 2, func(r *result) float64 { return r.p99 }, []target{most(1.6, "floor")}},
		{"answer in the open loop, p50", "ms", 2, func(r *result) float64 { return r.openP50 }, nil},
		{"answer in the open loop, p99", "ms", 2, func(r *result) float64 { return r.openP99 }, []target{most(3, "floor"), most(0.25, "VictoriaLogs")}},
		{"peak RSS", "MB", 0, func(r *result) float64 { return r.peakRSS }, []target{most(350, "")}},
		{"disk, settled", "B/event", 0, func(r *result) float64 { return r.disk }, []target{most(1.2*zstd, "")}},
		{"written", "B/event", 0, func(r *result) float64 { return r.written }, []target{most(700, "")}},
		{"fsyncs", "a request", 2, func(r *result) float64 { return r.fsyncs }, nil},
		{"cold start", "ms", 0, func(r *result) float64 { return r.coldStart }, []target{most(500, "")}},
		{"start after SIGKILL under load", "ms", 0, func(r *result) float64 { return r.afterKill }, []target{most(500, "")}},
	}
}

// text says the target, and whether v reaches it; of are the sides' figures.
func (t target) text(v float64, f shown, of map[string]*result) string {
	sign, name, bound := "≤", fmt.Sprintf("%.*f", f.digits, t.value), t.value
	if t.least {
		sign = "≥"
	}
	if t.side != "" {
		name = fmt.Sprintf("%.2f %s", t.value, t.side)
		get := f.get
		if t.of != nil {
			get, name = t.of, name+"'s accepted"
		}
		r := of[t.side]
		if r == nil || get(r) == 0 {
			return sign + " " + name
		}
		bound *= get(r)
	}
	switch {
	case v == 0:
		return sign + " " + name
	case t.least && v >= bound || !t.least && v <= bound:
		return sign + " " + name + ": yes"
	}
	return sign + " " + name + ": **no**"
}
