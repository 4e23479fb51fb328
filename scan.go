package brokle

import "bytes"

// idName is a payload field that names an entity.
type idName uint8

const (
	nameNone idName = iota
	nameID
	nameTrace
	nameExternalTrace
	nameObservation
	nameOther // ids that order but do not sample
)

func idNameOf(key []byte) idName {
	switch string(key) {
	case "id":
		return nameID
	case "trace_id":
		return nameTrace
	case "external_trace_id":
		return nameExternalTrace
	case "observation_id":
		return nameObservation
	case "span_id", "external_observation_id", "score_id":
		return nameOther
	}
	return nameNone
}

// eachID calls found for every top-level member of the JSON object that names
// an entity with a string, as written. It is a scanner, not a parser: it passes over
// what it does not look for, and stops where the text makes no sense.
func eachID(obj []byte, found func(idName, []byte)) {
	i, depth := 0, 0
	for i < len(obj) {
		switch obj[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(obj, i)
			if end < 0 {
				return
			}
			if depth == 1 {
				if name := idNameOf(obj[i+1 : end]); name != nameNone {
					if value, next := stringMember(obj, end+1); next > 0 {
						found(name, value)
						i = next
						continue
					}
				}
			}
			i = end
		}
		i++
	}
}

// stringEnd returns where the string that opens at i closes, or −1.
func stringEnd(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		i++
	}
}

// stringMember reads `: "value"` at i, and returns where it ends; 0 when it is something else.
func stringMember(b []byte, i int) (value []byte, next int) {
	i = skipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return nil, 0
	}
	i = skipSpace(b, i+1)
	if i >= len(b) || b[i] != '"' {
		return nil, 0
	}
	end := stringEnd(b, i)
	if end <= i+1 {
		return nil, 0
	}
	return b[i+1 : end], end + 1
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}
