package redisclaim

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	fill := map[string]int{}
	const n = 1 << 18
	for i := range n {
		fill[keysOf("p").key(placeOf(fmt.Sprint(i)))]++
	}
	if len(fill) < 1<<16-1400 || len(fill) > 1<<16 {
		t.Errorf("%d buckets, want 65536, less the few that chance leaves empty", len(fill))
	}
	for key, ids := range fill {
		if ids > 30 { // 4 on average
			t.Errorf("%s has %d of %d ids", key, ids, n)
		}
		if !strings.HasPrefix(key, "brokle:1:{p:") || len(key) != len("brokle:1:{p:0}000") {
			t.Fatalf("key %s", key)
		}
	}
}

// The field of an id is not implied by its bucket: 96 bits beside the 16.
func TestFieldsAreApart(t *testing.T) {
	t.Parallel()
	seen := map[[fieldBytes]byte]string{}
	for i := range 100_000 {
		id := fmt.Sprint(i)
		p := placeOf(id)
		if other := seen[p.field]; other != "" {
			t.Fatalf("%s and %s have one field", id, other)
		}
		seen[p.field] = id
		if string(p.field[:2]) == string([]byte{p.tag<<4 | byte(p.bucket>>8), byte(p.bucket)}) && i < 3 {
			t.Errorf("the field of %s repeats its bucket", id)
		}
	}
}

// No two projects share a key, and all keys of a tag share a hash tag.
func TestKeys(t *testing.T) {
	t.Parallel()
	chance.Check(t, 100, func(t *rapid.T) {
		projects := rapid.SliceOfNDistinct(rapid.StringOf(rapid.RuneFrom([]rune("ab{}:%+ é"))), 2, 2, rapid.ID).Draw(t, "projects")
		ids := rapid.SliceOfN(rapid.String(), 2, 50).Draw(t, "ids")
		a, b := keysOf(projects[0]), keysOf(projects[1])
		for _, id := range ids {
			for _, other := range ids {
				if a.key(placeOf(id)) == b.key(placeOf(other)) {
					t.Fatalf("projects %q share the key %s", projects, a.key(placeOf(id)))
				}
			}
		}
		groups := groupsOf(projects[0], placesOf(ids), true)
		if len(groups) > tagCount {
			t.Fatalf("%d groups", len(groups))
		}
		n := 0
		for _, g := range groups {
			n += len(g.keys)
			for i, key := range g.keys {
				if hashTag(key) != hashTag(g.keys[0]) {
					t.Fatalf("%s and %s in one group", key, g.keys[0])
				}
				if want := a.key(placeOf(ids[g.at[i]])); key != want {
					t.Fatalf("key %s for %q, want %s", key, ids[g.at[i]], want)
				}
			}
			if len(g.fields) != len(g.keys)*fieldBytes {
				t.Fatalf("%d bytes of fields for %d keys", len(g.fields), len(g.keys))
			}
		}
		if n != len(ids) {
			t.Fatalf("%d of %d ids in groups", n, len(ids))
		}
	})
}

// hashTag is the Cluster specification's rule: between the first { and the next }, if not empty.
func hashTag(key string) string {
	_, rest, open := strings.Cut(key, "{")
	tag, _, shut := strings.Cut(rest, "}")
	if !open || !shut || tag == "" {
		return key
	}
	return tag
}
