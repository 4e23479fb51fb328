package redisclaim

import (
	"testing"
	"time"
)

// The short cut is taken for what was claimed, in its order, and for nothing else.
func TestLeases(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ids := []string{"a", "b", "c", "d"}
	for name, c := range map[string]struct {
		commit []string
		sure   bool
	}{
		"all that was claimed":  {[]string{"a", "b", "d"}, true},
		"some":                  {[]string{"b", "d"}, true},
		"one that was not":      {[]string{"a", "c"}, false},
		"in another order":      {[]string{"b", "a"}, false},
		"one that is not there": {[]string{"a", "x"}, false},
		"one twice":             {[]string{"a", "a"}, false},
	} {
		var l leases
		w := wait{project: "p", owner: "token", lease: time.Minute, places: placesOf(ids), digits: []byte("1121")}
		w.lapse[3] = 42
		l.put(&w, ids, now)
		places, lapse := l.take("p", "token", c.commit)
		if (lapse[3] == 42) != c.sure {
			t.Errorf("%s: lapse %v", name, lapse)
		}
		for i, id := range c.commit {
			if places[i] != placeOf(id) {
				t.Errorf("%s: %s is not at its place", name, id)
			}
		}
		if _, again := l.take("p", "token", c.commit); again[3] != 0 || len(l.of) != 0 {
			t.Errorf("%s: it is still there", name)
		}
	}
	var l leases
	w := wait{project: "p", owner: "token", lease: time.Minute, places: placesOf(ids), digits: []byte("2222")}
	l.put(&w, ids, now)
	if len(l.of) != 0 {
		t.Error("nothing was claimed, and something is remembered")
	}
	w.digits = []byte("1111")
	l.put(&w, ids, now)
	l.forget(now.Add(59 * time.Second))
	if _, lapse := l.take("other", "token", ids); lapse != [tagCount]int64{} || len(l.of) != 1 {
		t.Error("it was taken for another project, or forgotten too early")
	}
	if l.forget(now.Add(61 * time.Second)); len(l.of) != 0 {
		t.Error("it was not forgotten")
	}
}
