package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseItem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, fault string }{
		{`{"input":{"q":"x"},"expected":null,"metadata":{}}`, ""},
		{`{"input":0}`, ""},
		{`{"id":"a","dataset_id":"d","input":"","source":"csv","created_at":"x","updated_at":1}`, ""},
		{`{}`, "input: it must be there"},
		{`{"input":null}`, "input: it must be there"},
		{`{"input":1,"expcted":2}`, `there is no member "expcted"`},
		{`{"input":1,"metadata":[1]}`, "metadata: it is a JSON object"},
		{`{"input":1,"id":5}`, "id is a number"},
		{`{"input":1,"id":"a b"}`, "id: it has 1 to 128"},
		{`{"input":1,"source":"elsewhere"}`, "source: it is one of"},
		{`[1]`, "it is no object but of the kind array"},
		{`{"input":1`, "it is not JSON"},
		{`{"input":1} {"input":2}`, "something follows"},
		{"{\"input\":\"\xff\"}", "it is not UTF-8"},
		{`{"input":"` + strings.Repeat("x", MaxItem) + `"}`, "an item has at most"},
		{``, "it is not JSON"},
	} {
		_, err := ParseItem([]byte(c.raw))
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%.80s: %v, not %q", c.raw, err, c.fault)
		}
	}
}

func TestReadLines(t *testing.T) {
	t.Parallel()
	text := "\ufeff" + `{"input":"a"}` + "\r\n\n" + `{"inputs":"b"}` + "\n" + `not json` + "\n" + `{"input":"c","expected":3}`
	r := ReadLines([]byte(text), 1, Fields{})
	if len(r.Items) != 2 || r.Wrong != 2 || len(r.Errors) != 2 || !strings.HasPrefix(r.Errors[0], "line 3: there is no member") || !strings.HasPrefix(r.Errors[1], "line 4: it is not JSON") {
		t.Errorf("%d items, %v", len(r.Items), r.Errors)
	}
	r = ReadLines([]byte(`{"q":"x","a":"y","n":7,"why":1}`+"\n"+`{"a":"y"}`), 11, Fields{ID: "n", Input: []string{"q"}, Expected: []string{"a", "why"}, Metadata: []string{"n"}})
	if len(r.Items) != 1 || r.Items[0].ID != "7" || string(r.Items[0].Input) != `"x"` || string(r.Items[0].Expected) != `{"a":"y","why":1}` || string(r.Items[0].Metadata) != `{"n":7}` {
		t.Errorf("%+v", r.Items)
	}
	if len(r.Errors) != 1 || !strings.HasPrefix(r.Errors[0], "line 12: input") {
		t.Errorf("%v", r.Errors)
	}
	var many bytes.Buffer
	for range 250 {
		many.WriteString("x\n")
	}
	if r := ReadLines(many.Bytes(), 1, Fields{}); r.Wrong != 250 || len(r.Errors) != maxFaults {
		t.Errorf("%d wrong, %d named", r.Wrong, len(r.Errors))
	}
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	text := "input,expected,id\n" + `"{""q"": 1}",yes,a` + "\n" + `"two` + "\n" + `lines",,b` + "\n" + `short,x` + "\n" + `,no input,c` + "\n" + `bad"quote,x,d` + "\n" + `'=1+1,5,e` + "\n"
	r, err := ReadCSV([]byte(text), Fields{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range r.Items {
		got = append(got, fmt.Sprintf("%s %s %s", it.ID, it.Input, it.Expected))
	}
	if want := []string{`a {"q":1} "yes"`, `b "two\nlines" `, `e "=1+1" "5"`}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if r.Wrong != 3 || !strings.HasPrefix(r.Errors[0], "line 5: it has 2 cells") || !strings.HasPrefix(r.Errors[1], "line 6: input") || !strings.HasPrefix(r.Errors[2], "line 7:") {
		t.Errorf("%q", r.Errors)
	}
	for _, head := range []string{"", "a,b\n1,2\n", "input,input\n", "input,extra\n", "expected\nx\n"} {
		if _, err := ReadCSV([]byte(head), Fields{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("the head of %q: %v", head, err)
		}
	}
	r, err = ReadCSV([]byte("question,answer,left out\nq,a,x\n"), Fields{Input: []string{"question"}, Expected: []string{"answer"}})
	if err != nil || len(r.Items) != 1 || string(r.Items[0].Expected) != `"a"` {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := ReadCSV([]byte("q\nx\n"), Fields{Input: []string{"question"}}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `"question"`) {
		t.Errorf("a column that is not there: %v", err)
	}
}

// What is read is read again the same from what is written of it, in each form.
func FuzzRows(f *testing.F) {
	f.Add([]byte(`{"id":"a","input":"=1","expected":"'x","metadata":{"a":"[1"}}` + "\n" + `{"input":["x",{"y":null}],"expected":"{\"not\": it"}`))
	f.Add([]byte(`{"input":"a,b\nc\"d"}` + "\n{" + "\n\xff\n" + `{"input":{},"expected":5}`))
	f.Add([]byte("input,expected\n1,2\n\"x\",\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := ReadCSV(text, Fields{}); err == nil {
			roundTrip(t, r.Items)
		}
		r := ReadLines(text, 1, Fields{})
		lines := 0
		for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
			if len(bytes.TrimSpace(line)) > 0 {
				lines++
			}
		}
		if len(r.Items)+r.Wrong != lines {
			t.Errorf("%d items and %d faults of %d lines", len(r.Items), r.Wrong, lines)
		}
		roundTrip(t, r.Items)
	})
}

func roundTrip(t *testing.T, items []Item) {
	t.Helper()
	var lines, sheet bytes.Buffer
	if err := WriteLines(&lines, items); err != nil {
		t.Fatal(err)
	}
	if err := WriteCSV(&sheet, items); err != nil {
		t.Fatal(err)
	}
	again := ReadLines(lines.Bytes(), 1, Fields{})
	same(t, items, again, false)
	if len(items) == 0 {
		return
	}
	cells, err := ReadCSV(sheet.Bytes(), Fields{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, items, cells, true)
}

// same holds items against what was read of them. A sheet has no numbers and no booleans: they are texts then; and it has one kind of line end.
func same(t *testing.T, items []Item, r Rows, sheet bool) {
	t.Helper()
	if len(r.Items) != len(items) || r.Wrong > 0 {
		t.Fatalf("%d items became %d: %v", len(items), len(r.Items), r.Errors)
	}
	for i := range items {
		for _, pair := range [][2]json.RawMessage{{items[i].Input, r.Items[i].Input}, {items[i].Expected, r.Items[i].Expected}} {
			a, b := string(canonical(pair[0])), string(canonical(pair[1]))
			if sheet {
				a, b = strings.ReplaceAll(strings.ReplaceAll(strings.Trim(a, `"`), `\r\n`, `\n`), `\r`, ""), strings.ReplaceAll(strings.ReplaceAll(strings.Trim(b, `"`), `\r\n`, `\n`), `\r`, "")
			}
			if a != b {
				t.Errorf("item %d: %s became %s", i, a, b)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	result := func(item string, scores ...float64) Result {
		return Result{TraceID: "t-" + item, ItemID: item, Trial: 1, Scores: map[string]float64{"exact": scores[0], "other": scores[1]}}
	}
	a := []Result{result("1", 0, 1), result("2", 1, 1), result("3", 1, 0), result("4", 0, 0), {TraceID: "t", ItemID: "5", Scores: map[string]float64{}}}
	b := []Result{result("1", 1, 1), result("2", 0, 1), result("3", 0, 1), result("4", 0, 0), result("6", 1, 1), result("1", 0, 1)}
	got := Compare(Experiment{ID: "a"}, Experiment{ID: "b"}, a, b)
	changes := map[string]string{}
	for _, r := range got.Rows {
		changes[r.ItemID] = r.Change
	}
	if fmt.Sprint(changes) != "map[1:better 2:worse 3:mixed 4:same 5:only_a 6:only_b]" || got.Rows[0].ItemID != "2" {
		t.Errorf("%v, first %s", changes, got.Rows[0].ItemID)
	}
	if got.OnlyA != 1 || got.OnlyB != 1 || len(got.Scores) != 2 {
		t.Errorf("%+v", got)
	}
	if s := got.Scores[0]; s.Name != "exact" || s.N != 4 || s.MeanA != 0.5 || s.MeanB != 0.125 || s.Better != 1 || s.Worse != 2 || s.Same != 1 || s.Significant {
		t.Errorf("of several tries the mean counts: %+v", s)
	}
	if sum := Summarize(b); sum[0].Name != "exact" || sum[0].N != 6 || sum[0].Min != 0 || sum[0].Max != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	item, trial := Tagged(Tags("x", "item-1", 3))
	if item != "item-1" || trial != 3 {
		t.Error(item, trial)
	}
	if item, trial := Tagged([]string{"experiment:x", "trial:no"}); item != "" || trial != 1 {
		t.Error(item, trial)
	}
}

// Whatever is in a file: it is read, or refused, and is not changed by who only looks.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"01KJMMA3F8YKXYBR0X8EAY4K4K.jsonl", "experiments.jsonl"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "v1", "project-one", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, name == "experiments.jsonl")
		f.Add(raw[:len(raw)/2], false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, experiments bool) {
		dir := t.TempDir()
		name := "01KJMMA3F8YKXYBR0X8EAY4K4K" + ext
		if experiments {
			name = experimentsFile
		}
		path := filepath.Join(dir, "project-one", name)
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, looked := Read(dir)
		if now, _ := os.ReadFile(path); !bytes.Equal(now, raw) {
			t.Error("who looks changes the file")
		}
		d, err := Open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return
		}
		if looked != nil {
			t.Errorf("it opens, and verify refuses it: %v", looked)
		}
		for _, info := range d.List("one") {
			set, err := d.Find("one", info.ID)
			if err != nil {
				t.Fatal(err)
			}
			for version := range info.LatestVersion + 1 {
				if _, _, _, err := set.Items(version, 0, MaxItems); err != nil {
					t.Errorf("version %d: %v", version, err)
				}
			}
		}
	})
}
