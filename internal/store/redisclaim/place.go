package redisclaim

import (
	"crypto/sha256"
	"encoding/binary"
	"net/url"
)

// The layout: see the package documentation. Changing any of it needs a new
// version in keyPrefix, or nodes of two versions would not see each other's marks.
const (
	keyPrefix  = "brokle:1:{"
	tagCount   = 16
	fieldBytes = 12
	tokenBytes = 16
)

// place is where an id of some project is kept.
type place struct {
	tag    uint8  // 4 bits
	bucket uint16 // 12 bits
	field  [fieldBytes]byte
}

func placeOf(id string) place {
	sum := sha256.Sum256([]byte(id))
	bits := binary.BigEndian.Uint16(sum[:])
	p := place{tag: uint8(bits >> 12), bucket: bits & 0xfff}
	copy(p.field[:], sum[2:])
	return p
}

func placesOf(ids []string) []place {
	places := make([]place, len(ids))
	for i, id := range ids {
		places[i] = placeOf(id)
	}
	return places
}

// tokenOf is the owner as it stands in a lease.
func tokenOf(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return string(sum[:tokenBytes])
}

// keyer builds the keys of one project.
type keyer struct{ prefix string }

// keysOf escapes the project: a brace in it would end the hash tag early.
func keysOf(project string) keyer {
	return keyer{keyPrefix + url.QueryEscape(project) + ":"}
}

func (k keyer) key(p place) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(k.prefix)+5)
	b = append(b, k.prefix...)
	b = append(b, hex[p.tag], '}', hex[p.bucket>>8], hex[p.bucket>>4&15], hex[p.bucket&15])
	return string(b)
}

// group is what one call of a script is about: places that may be asked for together.
type group struct {
	keys   []string
	fields []byte
	at     []int // which of the caller's places these are
	tag    uint8 // of all of them, when they were grouped by tag; else 0
}

// groupsOf puts all places into one group, or those of each tag into their own.
func groupsOf(project string, places []place, byTag bool) []group {
	k := keysOf(project)
	if !byTag {
		g := group{keys: make([]string, 0, len(places)), fields: make([]byte, 0, len(places)*fieldBytes), at: make([]int, 0, len(places))}
		for i, p := range places {
			g.add(k, p, i)
		}
		return []group{g}
	}
	var groups []group
	var of [tagCount]int // index into groups, plus one
	for i, p := range places {
		if of[p.tag] == 0 {
			groups = append(groups, group{tag: p.tag})
			of[p.tag] = len(groups)
		}
		groups[of[p.tag]-1].add(k, p, i)
	}
	return groups
}

func (g *group) add(k keyer, p place, at int) {
	g.keys = append(g.keys, k.key(p))
	g.fields = append(g.fields, p.field[:]...)
	g.at = append(g.at, at)
}
