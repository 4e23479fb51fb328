package medium

import (
	"errors"
	"io"
	"io/fs"
)

// Open opens the bytes of a medium. The error of one that is not there is fs.ErrNotExist.
type Open func(hash string) (file io.ReadCloser, size int64, err error)

// PutBack returns payload with the base64 of each medium in the place of its reference. References to what is not
// there stay; so do all when more than most bytes would come of it. Without references it is payload itself.
func PutBack(payload []byte, most int64, open Open) ([]byte, error) {
	size := WholeSize(payload, most)
	if size == int64(len(payload)) {
		return payload, nil
	}
	out := make([]byte, 0, size)
	kept := 0
	var failed error
	Each(payload, func(r Reference, start, end int) {
		if failed != nil {
			return
		}
		out = append(out, payload[kept:start]...)
		var is bool
		if out, is, failed = appendMedium(out, &r, open); !is {
			out = append(out, payload[start:end]...)
		}
		kept = end
	})
	if failed != nil {
		return nil, failed
	}
	return append(out, payload[kept:]...), nil
}

// WholeSize is how many bytes PutBack makes of a payload, when all its media are there.
func WholeSize(payload []byte, most int64) int64 {
	size := int64(len(payload))
	Each(payload, func(r Reference, start, end int) {
		size += int64(r.encodedLen() - (end - start))
	})
	if size > most {
		return int64(len(payload))
	}
	return size
}

// appendMedium appends the base64 of a medium. is says that it is there, and as large as the reference says.
func appendMedium(out []byte, r *Reference, open Open) (_ []byte, is bool, err error) {
	file, size, err := open(r.Hash)
	if errors.Is(err, fs.ErrNotExist) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	defer file.Close() //nolint:errcheck // only read
	if size != r.Size {
		return out, false, nil
	}
	buf := make([]byte, chunk/4*3)
	for rest := size; rest > 0; {
		piece := buf[:min(rest, int64(len(buf)))]
		if _, err := io.ReadFull(file, piece); err != nil {
			return out, false, err
		}
		out = forms[r.form].AppendEncode(out, piece)
		rest -= int64(len(piece))
	}
	return out, true, nil
}
