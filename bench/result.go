package main

import (
	"cmp"
	"slices"
	"time"
)

// result is what one round of a side gave, of events or of spans; 0 is what was not measured.
type result struct {
	accepted         float64 // a second, as fast as they are taken
	queryable        float64 // a second, until a reader counts all
	p50, p99         float64 // ms, at full load
	openP50, openP99 float64 // ms, at the rate of the open loop
	perCPU           float64 // per second of processor time, until it has stopped
	perCPUQueryable  float64 // the same until a reader counts all
	peakRSS          float64 // MB
	disk             float64 // B each when nothing is left to do
	diskParts        []diskPart
	written          float64 // B each
	fsyncs           float64 // a request
	coldStart        float64 // ms
	afterKill        float64 // ms, a start after SIGKILL under load
}

// median takes each number's median over the rounds; of the parts of the disk, the last round's.
func median(rs []result) result {
	m := result{diskParts: rs[len(rs)-1].diskParts}
	for _, of := range []func(*result) *float64{
		func(r *result) *float64 { return &r.accepted }, func(r *result) *float64 { return &r.queryable },
		func(r *result) *float64 { return &r.p50 }, func(r *result) *float64 { return &r.p99 },
		func(r *result) *float64 { return &r.openP50 }, func(r *result) *float64 { return &r.openP99 },
		func(r *result) *float64 { return &r.perCPU }, func(r *result) *float64 { return &r.perCPUQueryable },
		func(r *result) *float64 { return &r.peakRSS }, func(r *result) *float64 { return &r.disk },
		func(r *result) *float64 { return &r.written }, func(r *result) *float64 { return &r.fsyncs },
		func(r *result) *float64 { return &r.coldStart }, func(r *result) *float64 { return &r.afterKill },
	} {
		v := make([]float64, len(rs))
		for i := range rs {
			v[i] = *of(&rs[i])
		}
		*of(&m) = percentile(v, 50)
	}
	return m
}

// percentile is the least of the values that so many percent are not above; 0 of none.
func percentile[T cmp.Ordered](values []T, percent int) (v T) {
	if len(values) == 0 {
		return v
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
