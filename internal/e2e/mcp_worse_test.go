package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// worseApp is two weeks of a made-up application. Everything that can change changes once, at its own time and little by little: each
// run has the old or the new of each. Of one of them, the culprit, the new one makes something worse.
type worseApp struct {
	culprit string // one of the dimensions
	symptom string // quality, error_rate, latency or cost
	events  []string
}

const (
	worseDays = 14
	runsADay  = 45
)

func newWorseApp(r *rand.Rand, dimensions []string) *worseApp {
	symptoms := []string{"quality", "error_rate", "latency", "cost"}
	app := &worseApp{culprit: dimensions[r.IntN(len(dimensions))], symptom: symptoms[r.IntN(len(symptoms))]}
	begins := map[string]float64{} // the day on which the first run has the new
	for _, d := range dimensions {
		begins[d] = 4 + 3*r.Float64()
	}
	start := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -worseDays)
	for run := range worseDays * runsADay {
		day := float64(run) / runsADay
		has := map[string]string{}
		for _, d := range dimensions {
			has[d] = "old-" + d
			if share := (day - begins[d]) / 5; r.Float64() < share { // five days until all have it
				has[d] = "new-" + d
			}
		}
		app.run(r, fmt.Sprintf("run-%03d", run), start.Add(time.Duration(day*24*float64(time.Hour))), has)
	}
	return app
}

func (app *worseApp) run(r *rand.Rand, id string, at time.Time, has map[string]string) {
	worse := strings.HasPrefix(has[app.culprit], "new-")
	name := []string{"chat", "search"}[r.IntN(2)] // one is harder than the other, at all times
	quality, wrong, seconds, cost := 0.8, 0.04, 1.5, 0.01
	if name == "search" {
		quality, seconds = 0.7, 2.5
	}
	if worse {
		switch app.symptom {
		case "quality":
			quality -= 0.3
		case "error_rate":
			wrong += 0.3
		case "latency":
			seconds *= 2
		case "cost":
			cost *= 2
		}
	}
	quality = min(1, max(0, quality+r.NormFloat64()*0.1))
	seconds *= 0.7 + 0.6*r.Float64()
	level := "DEFAULT"
	if r.Float64() < wrong {
		level = "ERROR"
	}
	trace := map[string]any{"id": id, "name": name, "user_id": fmt.Sprintf("user-%d", r.IntN(20)), "input": "Where is my order?", "output": "On its way."}
	call := map[string]any{
		"id": id + "-call", "trace_id": id, "type": "generation", "name": "answer", "level": level, "start_time": float64(at.UnixMilli()) / 1000, "end_time": float64(at.UnixMilli())/1000 + seconds,
		"total_cost": cost * (0.8 + 0.4*r.Float64()), "prompt_tokens": 400, "completion_tokens": 80, "input": "Where is my order?", "output": "On its way.",
	}
	for d, value := range has {
		call[d] = value
		if d == "release" || d == "version" {
			trace[d] = value
		}
	}
	if level == "ERROR" {
		call["status_message"] = "no such order"
	}
	app.events = append(app.events,
		mcpEvent(id, "trace_create", trace),
		mcpEvent(id+"-c", "observation_create", call),
		mcpEvent(id+"-s", "quality_score_create", map[string]any{"trace_id": id, "observation_id": id + "-call", "name": "quality", "value": quality}))
}
