package document_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// crossed is a Place to which another writes, and says so, before a change of this process has been taken.
type crossed struct {
	*document.File
	then func()
}

func (c *crossed) Change(edit func([]byte) ([]byte, error)) ([]byte, error) {
	text, err := c.File.Change(edit)
	if then := c.then; then != nil {
		c.then = nil
		then()
	}
	return text, err
}

// What holds is what was written last, and not what this process wrote before that; an edit that changes nothing takes what is there.
func TestListHasWhatWasWrittenLast(t *testing.T) {
	t.Parallel()
	file := &document.File{Path: filepath.Join(t.TempDir(), "list")}
	place := &crossed{File: file}
	var mu sync.Mutex
	var holds string
	l := &document.List[string]{
		Place: place,
		Parse: func(text []byte) ([]string, error) { return strings.Fields(string(text)), nil },
		Encode: func(all []string) ([]byte, error) {
			return []byte(strings.Join(all, " ")), nil
		},
		Take: func(all []string) {
			mu.Lock()
			defer mu.Unlock()
			holds = strings.Join(all, " ")
		},
	}
	write := func(text string) {
		if _, err := file.Change(func([]byte) ([]byte, error) { return []byte(text), nil }); err != nil {
			t.Error(err)
		}
	}
	var heard sync.WaitGroup
	place.then = func() {
		write("a b")
		heard.Go(func() {
			if err := l.Reread(); err != nil {
				t.Error(err)
			}
		})
		for range 10_000 { // as long as it would take, if nothing held it up
			runtime.Gosched()
		}
	}
	if err := l.Change(func(all []string) ([]string, error) { return append(all, "a"), nil }); err != nil {
		t.Fatal(err)
	}
	heard.Wait()
	if holds != "a b" {
		t.Errorf("%q holds, and another has written %q behind it", holds, "a b")
	}
	write("a b c")
	if err := l.Change(func([]string) ([]string, error) { return nil, document.ErrSame }); err != nil || holds != "a b c" {
		t.Errorf("%q, %v", holds, err)
	}
	refused := errors.New("no")
	if err := l.Change(func([]string) ([]string, error) { return nil, refused }); !errors.Is(err, refused) || l.Fault() != "" {
		t.Errorf("%v, %q", err, l.Fault())
	}
}
