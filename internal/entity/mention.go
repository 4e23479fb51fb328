package entity

// Mention is what an event may name: an entity by its id, or a user.
type Mention struct {
	Of Kind
	ID string
}

// UserKind is the kind of a Mention that is a user; no entity has it.
const UserKind Kind = 0xff
