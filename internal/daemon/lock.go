package daemon

// nopUnlock is the lock of a directory that nobody ever opened.
type nopUnlock struct{}

func (nopUnlock) Close() error { return nil }
