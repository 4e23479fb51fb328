package entity

import "unsafe"

// View is Unpack without a copy of the texts: they are the row's memory, which must not change while f is in use.
func (r Row) View(f *Fields) error {
	c := rowCursor{rest: r, whole: unsafe.String(unsafe.SliceData(r), len(r))}
	values := f.Values[:0]
	*f = Fields{}
	if !c.head() {
		return errRow
	}
	f.Kind, f.Rank, f.Content, f.EntityID = r.Kind(), r.Rank(), r.Content(), c.copied()
	f.Values, _ = c.values(values, nil)
	if c.bad {
		return errRow
	}
	return nil
}

// Names is the trace that the event names, which shares the row's memory, and whether it says something of twins (see Twins).
func (r Row) Names() (trace []byte, twins bool) {
	c := rowCursor{rest: r}
	if !c.head() {
		return nil, false
	}
	c.text()
	for c.next() {
		switch c.field {
		case TraceID:
			trace = c.text()
			continue
		case Twin:
			twins = true
		}
		c.skip()
	}
	return trace, twins
}
