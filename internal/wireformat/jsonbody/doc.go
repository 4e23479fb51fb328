// Package jsonbody reads a body that is one JSON object, from its start to its end, once.
//
// The Walk checks the grammar (RFC 8259) of everything it passes, also of what nobody asks
// for, and says of a value what must be known before it is stored: how deep it nests, whether
// it is UTF-8, and whether it holds NaN or Infinity, which Python writes and JSON has not.
// It is more generous than the RFC where one event must not refuse those beside it: a byte
// that is no UTF-8, a name that comes twice, nesting beyond all limits are no errors here.
package jsonbody
