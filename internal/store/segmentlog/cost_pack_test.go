package segmentlog

import "testing"

func packWithFilters(b *testing.B, l *Log) { packAll(b, l) }
