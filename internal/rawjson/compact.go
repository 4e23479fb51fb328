package rawjson

// Compact is valid JSON without space between its tokens; raw itself where there is none.
func Compact(raw []byte) []byte {
	var out []byte // nil while nothing has been left out
	kept := 0
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			i = SkipString(raw, i)
			if i < 0 {
				return raw // it is no JSON
			}
		case ' ', '\n', '\t', '\r':
			out = append(out, raw[kept:i]...)
			i = SkipSpace(raw, i)
			kept = i
		default:
			i++
		}
	}
	if kept == 0 {
		return raw
	}
	return append(out, raw[kept:]...)
}
