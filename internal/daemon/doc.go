// Package daemon is the composition root: it turns one Config into a running
// node and takes it down again. It is the only room that names backends, so
// reading its open function is reading the architecture.
//
// It promises an order. Up: configuration, recovery of the Log, the Warehouse,
// keys, and only then the port: whoever can connect is served. Down: not ready,
// no new requests, those in flight finish, the indexer catches up (bounded by
// DrainTimeout), the Warehouse closes, the Log closes. A start after SIGKILL
// needs no person.
package daemon
