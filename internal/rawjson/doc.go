// Package rawjson reads JSON where it lies: the members of an object, the elements of a list and
// the text of a string, without decoding the rest. What it reads is valid (RFC 8259), because
// a wire format has walked it; of anything else it gives what it can, and ends.
package rawjson
