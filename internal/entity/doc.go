// Package entity knows what traces, observations and scores are: the typed fields that an
// event can say of one (Field, Fields), a stored event (Record), and how the events of an entity
// fold into the row that people see (Fold). It reads no payload, and knows no engine.
package entity
