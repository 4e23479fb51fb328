package modelcall

import (
	"context"
	"slices"
	"sync"
)

// outers say of contexts that no step of ours made whether they are in a call that is recorded: of a framework whose contexts carry its own
// spans only. They are the process's, as the tracers are whose spans they know.
var outers struct {
	sync.RWMutex
	in []*func(context.Context) bool
}

// Within lets in say of each request's context whether it is in a call of a model that is recorded already, as those are that Start made. forget ends
// that.
func Within(in func(context.Context) bool) (forget func()) {
	outers.Lock()
	defer outers.Unlock()
	mine := &in
	outers.in = append(slices.Clip(outers.in), mine)
	return func() {
		outers.Lock()
		defer outers.Unlock()
		outers.in = slices.DeleteFunc(slices.Clone(outers.in), func(one *func(context.Context) bool) bool { return one == mine })
	}
}

// isWithin says whether ctx is in a call that is recorded already.
func isWithin(ctx context.Context) bool {
	if ctx.Value(inside{}) != nil {
		return true
	}
	outers.RLock()
	in := outers.in
	outers.RUnlock()
	return slices.ContainsFunc(in, func(one *func(context.Context) bool) bool { return (*one)(ctx) })
}
