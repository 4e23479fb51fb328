// Package extract reads payloads: what an event says of an entity, from all the shapes that
// clients send. Extract is the door; what cannot be used is left out with a note, and what makes
// an event useless fails it.
package extract
