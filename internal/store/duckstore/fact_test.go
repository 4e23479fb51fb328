package duckstore

import "testing"

// The facts are on disk: they stay what they are.
func TestFactKey(t *testing.T) {
	t.Parallel()
	least, most := factRange("event-1")
	for content, want := range map[uint64]uint64{0: least, 1: least + 1, 1 << 24: least, 0xffff_ffff_ffff_ffff: most} {
		if got := factKey("event-1", content); got != want {
			t.Errorf("content %x: %x, want %x", content, got, want)
		}
	}
	if least != 0xda097baf3c000000 || most-least != 0xff_ffff {
		t.Errorf("%#x to %#x", least, most)
	}
	if other, _ := factRange("event-2"); other == least {
		t.Error("two ids have one range")
	}
}
