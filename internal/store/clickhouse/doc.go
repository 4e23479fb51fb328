// Package clickhouse is the store.Warehouse in ClickHouse, which several nodes may share: each inserts what its own Log has, and each answers for all.
//
// # Tables
//
// All are made by Open, from DDL, and have the columns of the field table (internal/entity/fields.go):
//
//	events        every event with its payload, so that any node can read any trace. Partitions are days of receipt: a client's time may be any, and
//	              an insert over more than a hundred days fails. Its key begins with project, kind and entity, because that is what a fold reads.
//	              It ends with the event's id and a hash of what it says: what two nodes took of one event are rows of one key, of which that with
//	              the lowest Seq counts, in every answer, whether or not the server has merged them.
//	observations  what the Go fold (internal/entity) made of the events, a row an entity: a question is a plain SELECT, and folding at each question
//	scores        would cost 20 to 100 times as much. An observation's key begins with its trace, so that one trace lies together. Rows name
//	traces        their own events (seqs).
//	nodes         what each node is doing and has done: the cursor into its Log, and the clock (clock.go).
//
// A text that nobody said is ”, a number NULL. Times are DateTime64(6, 'UTC'), of which only the microseconds are sent and read: the
// conversions of the client end at the year 2262 and those of the server at 2299, while ours end at 9999. Money is Float64, as it was sent, and is added in whole units of 1e-12
// in 128 bits, so that a sum is the same in any order.
//
// # Exactly once
//
// A flush cuts what was inserted into blocks of one day. It writes down that it begins a block and up to where in the Log that reaches, inserts the events under a token
// (node, life of the tables, step, hash of the Seqs), writes down that they are in, folds what they touch, and moves the cursor. After a crash the Log is read from the cursor;
// the block is cut as it was, and the server drops what it has already. Where the Log is read in other pieces, the events that are in the
// table are left out. Neither is needed for right answers: a row that is there twice is read once.
//
// The server takes notice of tokens only in tables with non_replicated_deduplication_window, forgets them with DROP PARTITION and TRUNCATE, and drops
// other data under a token that it remembers without a word; inserts that wait in its queue (async_insert, on by default) are not confirmed. Tables and
// statements here say all of that themselves and rely on no default.
//
// # Folding
//
// Nearly all of a block are entities that are new, or that this node made a moment ago: they are plain (block.go, recent.go). What they are made of is in memory; one statement sends how many events that
// are and sums of their Seqs, and gets back of which entities the table has anything else (confirm.go). Those, calls that somebody else may have reported (calls.go), and what is in one trace with them
// go the long way: their events are read from the table (settle.go). So nothing that a node remembers has to be right.
//
// # Several nodes
//
// Seqs are shared: a node's number stands in their upper bits (Shared, Own). Who settles, which is to fold and to write rows, also settles what other nodes have inserted and not
// settled, whether they are at it or dead. Each row has a version, the clock as it was read before the events were. Of two rows the one with the greater version
// knows all that the other does, or is followed by one that does: clock.go says why. Nobody waits for a lock.
//
// All nodes must see what the others have confirmed: one server, or replicas that are asked with sequential consistency.
//
// # Shards
//
// Events and rows may be spread over several shards, by project and entity (shards.go). Statements name the tables that have all of them, which are Distributed then; what is written names
// those of a shard. The clock and all that is said once are in the first.
//
// # Erasing
//
// Erase and Expire delete events by their Seqs (a mutation rewrites one file after the other, and must not ask the table what to delete), and settle what these were part of. Erase also removes the rows that are not in force
// any more. When it returns no file in force has the bytes; the files before are removed a second later (old_parts_lifetime).
package clickhouse
