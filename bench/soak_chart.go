package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// panel is one plot of the chart: lines over the time of the soak.
type panel struct {
	title string
	lines []line
	bound float64 // drawn across, unless 0
}

type line struct {
	name   string
	values []float64
}

// The chart's measures, in pixels.
const (
	chartWidth  = 860
	panelHeight = 130
	plotLeft    = 70
	plotRight   = 20
	plotTop     = 26
	plotBottom  = 18
	maxPoints   = 240
)

var lineColors = []string{"#1f6feb", "#d1570a", "#2da44e", "#8250df"}

// chart is the whole soak as an SVG (https://www.w3.org/TR/SVG2/).
func (r *soakReport) chart() string {
	of := func(name string, get func(*soakSampled) float64) line { return line{name, column(r.samples, get)} }
	disk := panel{title: "disk, MB", lines: []line{of("all", (*soakSampled).diskTotal)}}
	for _, part := range soakParts {
		disk.lines = append(disk.lines, of(part, func(x *soakSampled) float64 { return x.disk[part] }))
	}
	panels := []panel{
		{title: "accepted, events/s", lines: []line{of("events/s", func(x *soakSampled) float64 { return x.rate })}},
		{title: "answer p99, ms", lines: []line{of("p99", func(x *soakSampled) float64 { return x.p99 })}},
		{title: "memory, MB", bound: boundRSS, lines: []line{
			of("resident", func(x *soakSampled) float64 { return x.rss }), of("Go heap", func(x *soakSampled) float64 { return x.heap })}},
		disk,
		{title: "backlog, events", bound: boundBacklog, lines: []line{of("backlog", func(x *soakSampled) float64 { return x.backlog })}},
		{title: "removed by retention, million events", lines: []line{of("removed", func(x *soakSampled) float64 { return x.removed / 1e6 })}},
		{title: "counts", bound: boundFiles, lines: []line{
			of("goroutines", func(x *soakSampled) float64 { return x.goroutines }), of("open files", func(x *soakSampled) float64 { return x.files }),
			of("threads", func(x *soakSampled) float64 { return x.threads })}},
	}
	var b strings.Builder
	height := len(panels)*panelHeight + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,sans-serif" font-size="11">`+"\n", chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, height)
	took := r.samples[len(r.samples)-1].at
	for i, p := range panels {
		p.draw(&b, i*panelHeight, took)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// draw draws the panel below top.
func (p *panel) draw(b *strings.Builder, top int, took time.Duration) {
	most := p.bound
	for _, l := range p.lines {
		for _, v := range l.values {
			most = max(most, v)
		}
	}
	most = roundUp(most)
	y0, y1 := float64(top+panelHeight-plotBottom), float64(top+plotTop)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="600" fill="#1f2328">%s</text>`+"\n", plotLeft, top+16, p.title)
	for part := range 3 {
		y := y0 + (y1-y0)*float64(part)/2
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#d0d7de"/><text x="%d" y="%.1f" text-anchor="end" fill="#59636e">%s</text>`+"\n",
			plotLeft, y, chartWidth-plotRight, plotLeft-6, y+4, number(most*float64(part)/2))
	}
	for part := range 4 {
		x := plotLeft + (chartWidth-plotRight-plotLeft)*part/3
		fmt.Fprintf(b, `<text x="%d" y="%.0f" text-anchor="middle" fill="#59636e">%s</text>`+"\n", x, y0+14, (took * time.Duration(part) / 3).Round(time.Second))
	}
	if p.bound > 0 {
		y := y0 + (y1-y0)*p.bound/most
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#cf222e" stroke-dasharray="4 3"/>`+"\n", plotLeft, y, chartWidth-plotRight)
	}
	x := chartWidth - plotRight
	for i := len(p.lines) - 1; i >= 0; i-- {
		l, color := p.lines[i], lineColors[i%len(lineColors)]
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", l.path(y0, y1, most), color)
		if len(p.lines) > 1 {
			fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n", x, top+16, color, l.name)
			x -= 9*len(l.name) + 8
		}
	}
}

// path is the line through the values, each point the most of those that it stands for.
func (l *line) path(y0, y1, most float64) string {
	var b strings.Builder
	n := min(len(l.values), maxPoints)
	for i := range n {
		from, to := i*len(l.values)/n, (i+1)*len(l.values)/n
		v := 0.0
		for _, one := range l.values[from:to] {
			v = max(v, one)
		}
		x := plotLeft + float64(chartWidth-plotRight-plotLeft)*float64(i)/float64(max(n-1, 1))
		fmt.Fprintf(&b, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, y0+(y1-y0)*v/most)
	}
	return b.String()
}

// roundUp is the next number of the form 1, 2 or 5 times a power of ten, or a half more.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}

func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.4gM", v/1e6)
	case v >= 10_000:
		return fmt.Sprintf("%.4gk", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}
