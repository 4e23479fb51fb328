package daemon

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size. It is written with a unit of 1024 (KiB, MiB, GiB, TiB) or of
// 1000 (kB, MB, GB, TB), or as a plain number of bytes.
type Bytes int64

// byteUnits are tried in this order, so that "MiB" is not read as "B".
func byteUnits() []struct {
	name string
	size float64
} {
	return []struct {
		name string
		size float64
	}{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

// ParseBytes reads a size as Bytes documents it.
func ParseBytes(text string) (Bytes, error) {
	number, unit := strings.TrimSpace(text), 1.0
	for _, u := range byteUnits() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0) || n*unit >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is not a size such as 64MiB", text)
	}
	return Bytes(n * unit), nil
}

// String writes b in the largest unit of 1024 that divides it.
func (b Bytes) String() string {
	for _, u := range byteUnits()[:4] {
		if size := Bytes(u.size); b != 0 && b%size == 0 {
			return strconv.FormatInt(int64(b/size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
