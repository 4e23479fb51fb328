package main

import "testing"

func TestPercentile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values  []int
		percent int
		want    int
	}{
		{nil, 50, 0}, {[]int{7}, 0, 7}, {[]int{7}, 99, 7}, {[]int{3, 1, 2}, 50, 2}, {[]int{4, 3, 2, 1}, 50, 2},
		{[]int{20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 95, 19}, {[]int{1, 2}, 100, 2},
	} {
		if got := percentile(c.values, c.percent); got != c.want {
			t.Errorf("%d %% of %v: %d, want %d", c.percent, c.values, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	m := median([]result{{accepted: 3, disk: 1}, {accepted: 1, disk: 3}, {accepted: 2, disk: 2, diskParts: []diskPart{{"log", 2}}}})
	if m.accepted != 2 || m.disk != 2 || len(m.diskParts) != 1 {
		t.Errorf("%+v", m)
	}
}
