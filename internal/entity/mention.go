package entity

// Mention is what an event may name: an entity by its id, a user, or a medium.
type Mention struct {
	Of Kind
	ID string
}

// The kinds of a Mention that no entity has: a user, and a medium by its hash.
const (
	UserKind   Kind = 0xff
	MediumKind Kind = 0xfe
)
