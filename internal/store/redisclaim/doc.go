// Package redisclaim is a store.Claimer on Redis: one server, Sentinel, or a
// Redis Cluster. It lets several nodes, each with its own Log, count an event once.
//
// It promises that an id is leased to one live owner at a time; that only the
// owner can give a lease up; that a lease nobody commits lapses by itself; that a
// mark, once written, keeps the expiry of the first acceptance; and that an
// answer which was damaged, or belongs to another question, is never believed.
// Redis holds nothing whose loss loses an event.
//
// When Redis does not answer as it should, the Claimer says so at once
// (store.ErrDegraded) instead of making requests wait, asks in the background
// until Redis is back, and then hands over what was committed meanwhile.
//
// # Layout
//
// An id is known by the SHA-256 of its bytes: 16 bits choose one of 65 536
// buckets of its project, 96 more bits are the field in that bucket. Two
// of n ids of a project are taken for one another with a probability of
// n² / 2¹¹³ (a billion ids: 1 in 10¹⁶). A bucket is a Redis hash, small enough (up
// to 512 fields: 33 million ids) for Redis to keep it as one packed string:
//
//	brokle:1:{project:t}bbb   t: 4 bits, the tag; bbb: 12 bits; all in hex
//	  field  12 bytes
//	  value  5 bytes: a mark and when it expires, in milliseconds since 2024
//	         21 bytes: a lease: 16 bytes of owner, then when it lapses
//
// All buckets of a project with the same tag are in one slot of a Cluster, so a
// batch needs at most 16 calls there, sent together; elsewhere it needs one.
// Time is the Redis server's: clocks of nodes are not compared.
package redisclaim
