//go:build !unix

package segmentlog

import "io/fs"

func identityOf(fs.FileInfo) identity { return identity{} }

func linksOf(fs.FileInfo) (links uint64, known bool) { return 0, false }
