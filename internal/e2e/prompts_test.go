package e2e

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// promptsTold is what internal/e2e/testdata/prompts_clients.py prints but for the traces.
const promptsTold = `{"made":[1,["name"],["latest","production"],["nice"],"first"],"production":[1,"Hello Ada!",false],"newest":2,"second":"Hi Ada!",` +
	`"chat":[[{"role":"system","content":"You are kind."},{"role":"user","content":"Why?"}],{"model":"m","temperature":0.5}],` +
	`"list":[["greeting"],{"latest":2,"production":1},2,2,2],"fallback":true,"none":"PromptNotFoundError","theirs":[1,"Hello Ada!",["production"]],` +
	`"created":[1,[{"role":"user","content":"Why?"}],{"model":"m"}]}`

// checkPrompts has the published clients of Brokle and of Langfuse make prompts, get them and say so of their calls.
func checkPrompts(t *testing.T, n *rig.Node, python, data string) {
	out := runProgram(t, python, filepath.Join("testdata", "prompts_clients.py"), "KEY="+newKey(t, data, "prompts", "ingest,read,admin"), "URL="+n.URL)
	var told map[string]any
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	traces := []any{told["trace"], told["their_trace"]}
	delete(told, "trace")
	delete(told, "their_trace")
	var want map[string]any
	if err := json.Unmarshal([]byte(promptsTold), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("the clients were told %v, want %v", told, want)
	}
	watch.Until(t, "both calls say which prompt they were made from", func() bool {
		var rows brokle.Page[brokle.StatRow]
		n.GetJSON(t, "/v1/stats?group_by=trace_id,prompt_version&filter=prompt:greeting", &rows)
		seen := map[any]any{}
		for _, r := range rows.Data {
			seen[r["trace_id"]] = r["prompt_version"]
		}
		return seen[traces[0]] == "1" && seen[traces[1]] == "1"
	})
}
