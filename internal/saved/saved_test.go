package saved

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Saved {
	t.Helper()
	s, err := Open(Options{Place: &document.File{Path: path}, Now: func() time.Time { return at }, Asks: func(q string) error {
		if strings.Contains(q, "nonsense") {
			return errors.New("nobody knows nonsense")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPutReplaceDelete(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "saved.json")
	s := open(t, path)
	for _, name := range []string{"tone", "correct", "größe / 2"} {
		if _, err := s.Definitions().Put("p", name, "key_1", []byte(`{"data_type":"BOOLEAN"}`)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := s.Definitions().Put("p", "tone", "key_2", []byte(`{"name":"tone","data_type":"CATEGORICAL","categories":["kind","rude"],"description":"how it sounds"}`))
	if err != nil || d.Name != "tone" || d.UpdatedBy != "key_2" || !d.UpdatedAt.Equal(at) {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := s.Views().Put("p", "tone", "key_1", []byte(`{"page":"traces","query":"level=ERROR&range=7d","columns":[{"key":"name","width":300},{"key":"score:a b"}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Definitions().Delete("p", "correct"); err != nil {
		t.Fatal(err)
	}
	if err := s.Definitions().Delete("p", "correct"); !errors.Is(err, ErrUnknown) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := s.Definitions().Delete("q", "tone"); !errors.Is(err, ErrUnknown) {
		t.Errorf("deleted for another project: %v", err)
	}
	for _, s := range []*Saved{s, open(t, path)} {
		all, err := s.Definitions().All("p")
		if err != nil || len(all) != 2 || all[0].Name != "größe / 2" || all[1].Categories[1] != "rude" {
			t.Errorf("definitions: %+v, %v", all, err)
		}
		views, err := s.Views().All("p")
		if err != nil || len(views) != 1 || views[0].Columns[0].Width != 300 {
			t.Errorf("views: %+v, %v", views, err)
		}
		if others, err := s.Definitions().All("q"); err != nil || len(others) != 0 {
			t.Errorf("of another project: %+v, %v", others, err)
		}
	}
	if says, err := Read(path); err != nil || says != "2 score definitions, 1 views and 0 charts of 1 projects" {
		t.Errorf("%q, %v", says, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "saved.json"))
	definitions := func(name, text string) error { _, err := s.Definitions().Put("p", name, "k", []byte(text)); return err }
	views := func(name, text string) error { _, err := s.Views().Put("p", name, "k", []byte(text)); return err }
	charts := func(name, text string) error { _, err := s.Charts().Put("p", name, "k", []byte(text)); return err }
	long := strings.Repeat("x", maxName+1)
	for _, tc := range []struct {
		put        func(name, text string) error
		name, text string
		says       string
	}{
		{definitions, "", `{"data_type":"BOOLEAN"}`, "name: it has 1 to"},
		{definitions, long, `{"data_type":"BOOLEAN"}`, "name: it has 1 to"},
		{definitions, " a", `{"data_type":"BOOLEAN"}`, "name: it neither"},
		{definitions, "a\nb", `{"data_type":"BOOLEAN"}`, "name: it neither"},
		{definitions, "a", `{"name":"b","data_type":"BOOLEAN"}`, `name: the path says "a"`},
		{definitions, "a", `{}`, "data_type: it is NUMERIC"},
		{definitions, "a", `{"data_type":"BOOLEAN","min":1}`, "min, max: only NUMERIC"},
		{definitions, "a", `{"data_type":"NUMERIC","min":1,"max":1}`, "min: it is below max"},
		{definitions, "a", `{"data_type":"NUMERIC","min":"1"}`, "no JSON object of this kind"},
		{definitions, "a", `{"data_type":"NUMERIC","categories":["a"]}`, "categories: only CATEGORICAL"},
		{definitions, "a", `{"data_type":"CATEGORICAL"}`, "categories: there are 1 to"},
		{definitions, "a", `{"data_type":"CATEGORICAL","categories":["a","a"]}`, "each is there once"},
		{definitions, "a", `{"data_type":"CATEGORICAL","categories":[""]}`, "categories, 1"},
		{definitions, "a", `{"data_type":"BOOLEAN","colour":"red"}`, `unknown field "colour"`},
		{definitions, "a", `{"data_type":"BOOLEAN"} {}`, "something follows"},
		{definitions, "a", `[]`, "no JSON object of this kind"},
		{definitions, "a", `{"data_type":"BOOLEAN","description":"` + strings.Repeat("x", maxDescription+1) + `"}`, "description: it has at most"},
		{views, "a", `{"page":"nowhere"}`, "page: it is one of traces"},
		{views, "a", `{"page":"traces","query":"a=%zz"}`, "query: it is"},
		{views, "a", `{"page":"traces","query":"` + strings.Repeat("x", maxQuery+1) + `"}`, "query: it is"},
		{views, "a", `{"page":"traces","columns":[{"key":"a"},{"key":"a"}]}`, "columns, 2: key"},
		{views, "a", `{"page":"traces","columns":[{"key":"a","width":3}]}`, "columns, 1: width"},
		{charts, "a", `{"question":"metrics=cost","look":"pie"}`, "look: it is one of"},
		{charts, "a", `{"question":"metrics=cost&interval=1h","look":"line"}`, "question: interval is the dashboard's"},
		{charts, "a", `{"question":"metrics=nonsense","look":"line"}`, "question: nobody knows nonsense"},
	} {
		err := tc.put(tc.name, tc.text)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %s: %v, want %q", tc.name, tc.text, err, tc.says)
		}
	}
	if all, err := s.Definitions().All("p"); err != nil || len(all) != 0 {
		t.Errorf("kept all the same: %v, %v", all, err)
	}
	for i := range maxItems {
		if err := views(fmt.Sprint(i), `{"page":"traces"}`); err != nil {
			t.Fatal(err)
		}
	}
	if err := views("one more", `{"page":"traces"}`); !errors.Is(err, ErrInvalid) {
		t.Errorf("more than there may be: %v", err)
	}
	if err := views("0", `{"page":"users"}`); err != nil {
		t.Errorf("replaced where it is full: %v", err)
	}
}

// Of changes at once none is lost.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "saved.json"))
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for i := range 10 {
				if _, err := s.Views().Put("p", fmt.Sprintf("%d of %d", i, who), "k", []byte(`{"page":"traces"}`)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if views, err := s.Views().All("p"); err != nil || len(views) != 80 {
		t.Errorf("%d of 80, %v", len(views), err)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	text := func(names ...string) []byte {
		path := filepath.Join(t.TempDir(), "saved.json")
		s := open(t, path)
		for _, name := range names {
			project, name, _ := strings.Cut(name, "/")
			if _, err := s.Views().Put(project, name, "k", []byte(`{"page":"traces","query":"q=`+strings.Join(names, "")+`"}`)); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	joined, err := Join(text("p/a", "p/b", "q/a"), text("p/b", "p/c"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse("joined", joined)
	if err != nil || len(f.Projects["q"].Views) != 1 || len(f.Projects["p"].Views) != 3 || f.Projects["p"].Views[1].Query != "q=p/bp/c" {
		t.Errorf("%s, %v", joined, err)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`: "damaged", `{"version":0,"projects":{}}`: "version 0", `{"projects":{}}`: "version 0", `{"version":2,"else":1}`: ErrNewer.Error(),
		`{"version":1,"projects":{"p":null}}`:                                                                       "nothing of project p",
		`{"version":1,"projects":{"p":{"views":[{"name":"a","page":"no"}]}}}`:                                       "page: it is one of",
		`{"version":1,"projects":{"p":{"views":[{"name":"a","page":"traces"},{"name":"a","page":"users"}]}}}`:       `"a" is there twice`,
		`{"version":1,"projects":{"p":{"score_definitions":[{"name":"a","data_type":"NUMERIC","min":2,"max":1}]}}}`: "min: it is below max",
	} {
		path := filepath.Join(t.TempDir(), "saved.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if _, err := Open(Options{Place: &document.File{Path: path}, Now: time.Now}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: opened: %v", text, err)
		}
	}
	// A file whose items somebody put in another order is read.
	path := filepath.Join(t.TempDir(), "saved.json")
	if err := os.WriteFile(path, []byte(`{"version":1,"projects":{"p":{"views":[{"name":"b","page":"traces"},{"name":"a","page":"users"}]}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Views().Delete("p", "a"); err != nil {
		t.Error(err)
	}
}
