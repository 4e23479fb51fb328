package ingest

import "bytes"

// deeper reports whether JSON nests objects and lists more than most levels
// deep. Counting the brackets, which is quick, answers for nearly every payload.
func deeper(data []byte, most int) bool {
	if bytes.Count(data, []byte("{"))+bytes.Count(data, []byte("[")) <= most {
		return false
	}
	depth, found := 0, false
	brackets(data, func(_ int, opens bool) bool {
		if !opens {
			depth--
			return true
		}
		depth++
		found = depth > most
		return !found
	})
	return found
}

// prune returns data with every container below level most emptied, and whether there was one.
func prune(data []byte, most int) (pruned []byte, cut bool) {
	if !deeper(data, most) {
		return data, false
	}
	depth, kept := 0, 0
	brackets(data, func(at int, opens bool) bool {
		if opens {
			if depth++; depth == most+1 {
				pruned = append(pruned, data[kept:at+1]...)
			}
			return true
		}
		if depth--; depth == most {
			kept = at
		}
		return true
	})
	if depth > most { // not closed: no JSON anyway
		return data, false
	}
	return append(pruned, data[kept:]...), true
}

// brackets calls found for every bracket outside strings until it returns false.
func brackets(data []byte, found func(at int, opens bool) bool) {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if !found(i, true) {
				return
			}
		case '}', ']':
			if !found(i, false) {
				return
			}
		}
	}
}
