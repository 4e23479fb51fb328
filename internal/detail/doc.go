// Package detail says of one observation what its row does not hold: the messages that went in and came out, in one
// shape whichever door they came by; a span's attributes, resource, events and links as plain JSON; and by which rule, of
// which event, each field has its value. It reads the records that the observation was folded from.
package detail
