package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// calls are some of a million tokens each, all of which started half an hour ago, and what each costs; 0: nobody knows.
type calls struct {
	*testing.T
	start string
	costs map[string]float64
	sent  int
}

// take sends a call, or something more of one.
func (c *calls) take(n *rig.Node, id string, kind brokle.EventType, with map[string]any) {
	c.Helper()
	c.sent++
	with["id"], with["trace_id"] = id+"-o", id
	event := brokle.Event{ID: fmt.Sprintf("%s-%d", id, c.sent), Type: kind, Payload: raw(c, with)}
	if answer, _, err := n.Post(c.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{event}}); err != nil || answer.ProcessedEvents != 1 {
		c.Fatalf("%+v, %v", answer, err)
	}
}

func (c *calls) call(n *rig.Node, id string, costs float64) {
	c.Helper()
	c.costs[id] = costs
	c.take(n, id, brokle.ObservationCreate, map[string]any{"type": "generation", "model": "ours", "prompt_tokens": 1_000_000, "completion_tokens": 0, "start_time": c.start})
}

// again has all calls folded again that a node may know, and checks what they cost on these nodes.
func (c *calls) again(when string, ids []string, nodes ...*rig.Node) {
	c.Helper()
	for _, id := range ids {
		c.take(nodes[c.sent%len(nodes)], id, brokle.ObservationUpdate, map[string]any{"name": when})
	}
	c.check(when, when, ids, nodes...)
}

// check waits until the calls have a name, and says what they cost then.
func (c *calls) check(when, name string, ids []string, nodes ...*rig.Node) {
	c.Helper()
	for _, id := range ids {
		for _, n := range nodes {
			var page struct {
				Data []struct {
					Name      string
					TotalCost float64 `json:"total_cost"`
				}
			}
			var last []byte
			redistest.Eventually(c.T, soon, func() bool {
				status, answer, _ := as(c.T, n, http.MethodGet, "/v1/observations?trace_id="+id, rig.Key, "", "")
				last = answer
				return status == http.StatusOK && json.Unmarshal(answer, &page) == nil && len(page.Data) == 1 && page.Data[0].Name == name
			})
			if len(page.Data) != 1 || page.Data[0].TotalCost != c.costs[id] {
				c.Errorf("%s, %s costs %s, want %v", when, id, last, c.costs[id])
			}
		}
	}
}

// set has a price hold from an hour ago on, for calls that are not heard of yet.
func (c *calls) set(n *rig.Node, price int) {
	c.Helper()
	must(c.T, n, http.MethodPut, "/v1/prices?from="+time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05Z"), fmt.Sprintf(`[{"model":"ours","input":%d,"output":%[1]d}]`, price))
}

func (c *calls) stop(nodes ...*rig.Node) {
	c.Helper()
	for _, n := range nodes {
		if code := terminate(c.T, n); code != 0 {
			c.Fatalf("the stop ends with %d", code)
		}
	}
}

// A node that shared its warehouse prices calls of before by what held for them, whatever is folded again, when it is alone; what is said alone holds for what comes then. So it is
// when it is back with the others, and in directories that are made of what it has: a copy back, a backup.
func TestPricesOfANodeThatLeavesAndComesBack(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and a ClickHouse")
	}
	server := clickhousetest.Start(t)
	server.Supervise(t)
	url := server.URL("left")
	args := []string{"--redis-url", redistest.Start(t).URL(), "--warehouse-url", url}
	dirs := []string{t.TempDir(), t.TempDir()}
	together := func() (a, b *rig.Node) {
		var nodes []*rig.Node
		for _, dir := range dirs { // the first is node 0
			n := startNode(t, dir, args...)
			redistest.Eventually(t, soon, func() bool {
				status, _, _ := as(t, n, http.MethodGet, "/v1/traces", rig.Key, "", "")
				return status == http.StatusOK
			})
			nodes = append(nodes, n)
		}
		return nodes[0], nodes[1]
	}
	c := &calls{T: t, start: time.Now().UTC().Add(-30 * time.Minute).Format(time.RFC3339Nano), costs: map[string]float64{}}
	a, b := together()
	c.call(a, "a0", 0)
	c.call(b, "b0", 0)
	c.again("before", []string{"a0", "b0"}, a, b)
	c.set(b, 2)
	c.call(a, "a1", 2)
	c.call(b, "b1", 2)
	c.again("together", []string{"a0", "b0", "a1", "b1"}, a, b)
	c.stop(a, b)

	alone := startNode(t, dirs[1])
	c.again("alone", []string{"b0", "b1"}, alone)
	c.set(alone, 5)
	c.call(alone, "b2", 5)
	c.again("alone, with another price", []string{"b0", "b1", "b2"}, alone)
	c.stop(alone)

	a, b = together()
	c.again("back", slices.Sorted(maps.Keys(c.costs)), a, b)
	c.call(a, "a3", 5)
	c.call(b, "b3", 5)
	all := slices.Sorted(maps.Keys(c.costs))
	c.again("back for long", all, a, b)
	archive := filepath.Join(t.TempDir(), "backup")
	if out, code := brokleSays(t, "backup", "--host", b.URL, "--api-key", rig.Key, "--to", archive); code != 0 {
		t.Fatalf("backup: %d %s", code, out)
	}
	c.stop(a, b)

	restored := t.TempDir()
	if out, code := brokleSays(t, "restore", "--from", archive, "--data", restored); code != 0 {
		t.Fatalf("restore: %d %s", code, out)
	}
	n := startNode(t, restored)
	c.again("restored", []string{"b0", "b1", "b2", "b3"}, n)
	c.stop(n)
	for i, dir := range dirs {
		back := filepath.Join(t.TempDir(), "back")
		if out, code := copying(t, 0, "--back", "--data", back, "--from", dir, "--warehouse-url", url); code != 0 {
			t.Fatalf("copy back: %d %s", code, out)
		}
		n := startNode(t, back)
		c.check(fmt.Sprintf("copied back with the prices of node %d", i), "back for long", all, n)
		c.again(fmt.Sprintf("copied back with the prices of node %d, again", i), all, n)
		c.call(n, "c4", 5)
		c.set(n, 7)
		c.call(n, "c5", 7)
		c.again("and another price", append(slices.Clone(all), "c4", "c5"), n)
		delete(c.costs, "c4")
		delete(c.costs, "c5")
		c.stop(n)
	}
}
