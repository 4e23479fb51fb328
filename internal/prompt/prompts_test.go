package prompt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func open(dir string) *Prompts {
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var looked atomic.Int64
	return New(Options{Place: func(project string) document.Place {
		return &document.File{Path: filepath.Join(dir, FileName(project))}
	}, Now: func() time.Time {
		return began.Add(time.Duration(looked.Add(1)) * time.Second)
	}})
}

func put(t *testing.T, p *Prompts, text string) wire.PromptVersion {
	t.Helper()
	v, err := p.Put("shop", "key_1", []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestVersionsAndLabels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := open(dir)
	one := put(t, p, `{"name":"greeting","template":{"content":"Hello {{name}}!"},"config":{"model":"m"},"labels":["production"],"description":"says hello","tags":["a"],"commit_message":"first"}`)
	if one.Version != 1 || one.Type != wire.PromptText || !slices.Equal(one.Labels, []string{"latest", "production"}) || !slices.Equal(one.Variables, []string{"name"}) || one.ID != "greeting@1" {
		t.Errorf("the first: %+v", one)
	}
	two := put(t, p, `{"name":"greeting","template":{"content":"Hi {{name}}, {{how}}?"}}`)
	if two.Version != 2 || !slices.Equal(two.Labels, []string{"latest"}) || two.Description != "says hello" || two.Tags[0] != "a" || two.Config != nil {
		t.Errorf("the second: %+v", two)
	}
	if same := put(t, p, `{"name":"greeting","template":{"content":"Hi {{name}}, {{how}}?"},"labels":["staging"]}`); same.Version != 2 || !slices.Equal(same.Labels, []string{"latest", "staging"}) {
		t.Errorf("the same again: %+v", same)
	}
	get := func(number int, label string) string {
		t.Helper()
		v, err := open(dir).Get("shop", "greeting", number, label)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(v.Version)
	}
	for _, tc := range []struct {
		number int
		label  string
		want   string
	}{{0, "", "2"}, {0, "production", "1"}, {0, "latest", "2"}, {0, "staging", "2"}, {1, "", "1"}, {3, "", "version 3 of the prompt not found"}, {0, "none", "label none of the prompt not found"}} {
		if got := get(tc.number, tc.label); got != tc.want {
			t.Errorf("%d %q: %s, want %s", tc.number, tc.label, got, tc.want)
		}
	}
	if v, err := p.Move("shop", "greeting", "production", 2); err != nil || !slices.Equal(v.Labels, []string{"latest", "production", "staging"}) || get(0, "production") != "2" {
		t.Errorf("moved: %+v, %v", v, err)
	}
	if err := p.Unlabel("shop", "greeting", "production"); err != nil || get(0, "") != "2" || get(0, "production") == "2" {
		t.Errorf("unlabelled: %v", err)
	}
	if err := errors.Join(p.Unlabel("shop", "greeting", "none"), p.Unlabel("other", "greeting", "staging")); !errors.Is(err, ErrUnknown) {
		t.Errorf("no such label: %v", err)
	}
	if _, err := p.Move("shop", "greeting", "latest", 1); !errors.Is(err, ErrInvalid) {
		t.Errorf("latest moved: %v", err)
	}
	// A number is never given again.
	if err := p.Delete("shop", "greeting", 2); err != nil || get(0, "latest") != "1" || get(0, "staging") == "2" {
		t.Errorf("deleted: %v", err)
	}
	if v := put(t, p, `{"name":"greeting","template":{"content":"Hey"}}`); v.Version != 3 {
		t.Errorf("after a deletion: %d", v.Version)
	}
	all, err := p.Versions("shop", "greeting")
	if err != nil || len(all) != 2 || all[0].Version != 3 || all[1].CommitMessage != "first" || all[1].CreatedBy != "key_1" || !all[0].CreatedAt.After(all[1].CreatedAt) {
		t.Errorf("versions: %+v, %v", all, err)
	}
	if err := p.Delete("shop", "greeting", 0); err != nil || get(0, "") != "prompt not found" {
		t.Errorf("the whole prompt: %v", err)
	}
	if list, err := p.List("shop"); err != nil || len(list) != 0 {
		t.Errorf("list: %+v, %v", list, err)
	}
	// It may be another type now.
	if v := put(t, p, `{"name":"greeting","type":"chat","template":{"messages":[{"role":"user","content":"{{q}}"}]},"labels":["production"]}`); v.Version != 4 || v.Type != wire.PromptChat {
		t.Errorf("made again: %+v", v)
	}
	list, err := open(dir).List("shop")
	if err != nil || len(list) != 1 || list[0].Versions != 1 || list[0].LatestVersion != 4 || !slices.Equal(list[0].Labels, []wire.PromptLabel{{Name: "latest", Version: 4}, {Name: "production", Version: 4}}) || list[0].CreatedAt.IsZero() {
		t.Errorf("list: %+v, %v", list, err)
	}
	if others, err := p.List("other"); err != nil || len(others) != 0 {
		t.Errorf("of another project: %+v, %v", others, err)
	}
	if says, err := Read(dir); err != nil || says != "1 prompts in 1 versions of 1 projects" {
		t.Errorf("%q, %v", says, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	p := open(t.TempDir())
	put(t, p, `{"name":"text","template":{"content":"x"}}`)
	long := strings.Repeat("x", maxTemplate+1)
	for text, says := range map[string]string{
		`{"name":"a/b","template":{"content":"x"}}`:                                          "name: it has 1 to 100 letters",
		`{"name":"..","template":{"content":"x"}}`:                                           "name: it has",
		`{"template":{"content":"x"}}`:                                                       "name: it has",
		`{"name":"a","template":{}}`:                                                         "template: of a text it has content",
		`{"name":"a","type":"chat","template":{"content":"x"}}`:                              "template: of a chat it has 1 to 200 messages",
		`{"name":"a","type":"text","template":{"messages":[{"role":"user","content":"x"}]}}`: "template: of a text",
		`{"name":"a","template":{"messages":[{"content":"x"}]}}`:                             "messages, 1: role",
		`{"name":"a","type":"song","template":{"content":"x"}}`:                              "type: it is text or chat",
		`{"name":"a","template":{"content":"` + long + `"}}`:                                 "at most 262144 bytes",
		`{"name":"a","template":{"content":"x"},"config":[]}`:                                "config: it is an object",
		`{"name":"a","template":{"content":"x"},"labels":["latest"]}`:                        "labels, 1: label: latest is always",
		`{"name":"a","template":{"content":"x"},"labels":["A"]}`:                             "lower-case",
		`{"name":"a","template":{"content":"x"},"tags":[""]}`:                                "tags, 1",
		`{"name":"a","template":{"content":"x"},"colour":1}`:                                 `unknown field "colour"`,
		`{"name":"a","template":{"content":"x"}} {}`:                                         "something follows",
		`[]`: "no JSON object",
		`{"name":"text","template":{"messages":[{"role":"user","content":"x"}]}}`:                             "type: the prompt is a text",
		`{"name":"a","template":{"content":"x"},"commit_message":"` + strings.Repeat("x", 2001) + `"}`:        "commit_message",
		`{"name":"a","template":{"content":"x"},"description":"` + strings.Repeat("x", 2001) + `","tags":[]}`: "description",
	} {
		if _, err := p.Put("shop", "k", []byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: %v, want %q", text, err, says)
		}
	}
	if list, err := p.List("shop"); err != nil || len(list) != 1 {
		t.Errorf("kept all the same: %+v, %v", list, err)
	}
}

// Of changes at once none is lost, and each has a number of its own.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	p := open(t.TempDir())
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for i := range 5 {
				if _, err := p.Put("shop", "k", fmt.Appendf(nil, `{"name":"p","template":{"content":"%d of %d"}}`, i, who)); err != nil {
					t.Error(err)
				}
				if _, err := p.Get("shop", "p", 0, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if versions, err := p.Versions("shop", "p"); err != nil || len(versions) != 40 || versions[0].Version != 40 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	text := func(names ...string) []byte {
		dir := t.TempDir()
		p := open(dir)
		for _, name := range names {
			put(t, p, `{"name":"`+name+`","template":{"content":"`+strings.Join(names, "")+`"}}`)
		}
		raw, err := os.ReadFile(filepath.Join(dir, FileName("shop")))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	joined, err := Join(text("a", "b"), text("b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse("joined", joined)
	if err != nil || len(f.Prompts) != 3 || f.Prompts[1].newest().Template.Content != "bc" {
		t.Errorf("%s, %v", joined, err)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`: "damaged", `{"version":0}`: "version 0", `{"version":2,"else":1}`: ErrNewer.Error(),
		`{"version":1,"prompts":[{"name":"a","type":"text","last":1,"versions":[{"version":2,"template":{"content":"x"}}]}]}`:                           "version 2 cannot be",
		`{"version":1,"prompts":[{"name":"a","type":"chat","last":1,"versions":[{"version":1,"template":{"content":"x"}}]}]}`:                           "not of its type",
		`{"version":1,"prompts":[{"name":"a","type":"text","last":1,"labels":{"production":2},"versions":[{"version":1,"template":{"content":"x"}}]}]}`: "label production is on version 2",
		`{"version":1,"prompts":[{"name":"a","last":1},{"name":"a","last":1}]}`:                                                                         "there twice",
		`{"version":1,"prompts":[{"name":"a/","last":1}]}`:                                                                                              "name: it has",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName("shop")), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if _, err := open(dir).List("shop"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: opened: %v", text, err)
		}
	}
	if says, err := Read(filepath.Join(t.TempDir(), "none")); says != "" || err != nil {
		t.Errorf("%q, %v", says, err)
	}
}

// fresher is a Place of which another node has something newer, which is known here once it was asked for.
type fresher struct {
	document.File
	newest []byte
	asking chan<- struct{}
	ask    chan struct{}
}

func (f *fresher) Fresh() ([]byte, error) {
	f.asking <- struct{}{}
	<-f.ask
	return f.Change(func([]byte) ([]byte, error) { return f.newest, nil })
}

// Of several who ask for a project's prompts at once, on a node that has not heard of them, none is told that there are none.
func TestTheFirstToAsk(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	put(t, open(other), `{"name":"greeting","template":{"content":"Hello!"}}`)
	text, err := os.ReadFile(filepath.Join(other, FileName("shop")))
	if err != nil {
		t.Fatal(err)
	}
	asking := make(chan struct{})
	place := &fresher{File: document.File{Path: filepath.Join(dir, FileName("shop"))}, newest: text, asking: asking, ask: make(chan struct{})}
	p := New(Options{Place: func(string) document.Place { return place }})
	var asked sync.WaitGroup
	get := func() {
		if v, err := p.Get("shop", "greeting", 0, ""); err != nil || v.Version != 1 {
			t.Errorf("version %d, %v", v.Version, err)
		}
	}
	asked.Go(get)
	<-asking
	for range 2 {
		asked.Go(get)
	}
	for range 10_000 { // as long as it would take, if nothing held them up
		runtime.Gosched()
	}
	close(place.ask)
	asked.Wait()
}
