package recent

import (
	"fmt"
	"testing"
)

func TestForgetsWhatWasLongestNotGot(t *testing.T) {
	t.Parallel()
	m := New[int, string](3)
	for i := range 3 {
		m.Put(i, fmt.Sprint(i))
	}
	if v, ok := m.Get(0); !ok || v != "0" {
		t.Errorf("%q %v", v, ok)
	}
	m.Put(3, "3")
	if _, ok := m.Get(1); ok || m.Len() != 3 || fmt.Sprint(m.Values()) != "[3 0 2]" || len(m.items) != 3 {
		t.Errorf("%v", m.Values())
	}
}
