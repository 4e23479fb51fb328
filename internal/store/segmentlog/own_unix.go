//go:build unix

package segmentlog

import (
	"io/fs"
	"syscall"
)

func identityOf(info fs.FileInfo) identity {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{known: true, dev: uint64(st.Dev), ino: uint64(st.Ino)} //nolint:unconvert // types differ between systems
}

func linksOf(info fs.FileInfo) (links uint64, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Nlink), true //nolint:unconvert // types differ between systems
}
