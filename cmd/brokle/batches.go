package main

import (
	"maps"
	"slices"
)

// Bounds of what waits for its batch to fill, over all environments.
const (
	pendingBytes   = 16 << 20
	pendingBatches = 100
)

// batches are the events that wait for their batch to fill, by environment: a
// request has one. The zero value is empty.
type batches struct {
	events map[string][]lineEvent
	bytes  map[string]int // of payloads
	total  int            // of bytes
}

// add puts e to those of its environment and returns how many they are.
func (b *batches) add(e lineEvent) int {
	if b.events == nil {
		b.events, b.bytes = map[string][]lineEvent{}, map[string]int{}
	}
	b.events[e.environment] = append(b.events[e.environment], e)
	b.bytes[e.environment] += len(e.event.Payload)
	b.total += len(e.event.Payload)
	return len(b.events[e.environment])
}

// take removes and returns those of one environment.
func (b *batches) take(environment string) []lineEvent {
	taken := b.events[environment]
	b.total -= b.bytes[environment]
	delete(b.events, environment)
	delete(b.bytes, environment)
	return taken
}

// all gives every batch to put, in the order of the names.
func (b *batches) all(put func([]lineEvent) error) error {
	for _, environment := range slices.Sorted(maps.Keys(b.events)) {
		if err := put(b.take(environment)); err != nil {
			return err
		}
	}
	return nil
}
