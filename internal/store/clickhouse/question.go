package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// view is one question: the rows of a project.
type view struct {
	w       *Warehouse
	project string
}

func (v *view) query() *builder {
	q := &builder{}
	q.arg(v.project)
	return q
}

// question runs f over the rows of a project, with all that was inserted before. The error is wrapped with what, except what a caller must
// recognise by its type.
func (w *Warehouse) question(ctx context.Context, project, what string, f func(ctx context.Context, v *view) error) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.options.QuestionTime)
		defer cancel()
	}
	if err := w.unready(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	// What cannot be written is not known to the answer; the next Insert says why.
	if err := w.Flush(ctx); err != nil && (ctx.Err() != nil || errors.Is(err, store.ErrClosed)) {
		return fmt.Errorf("%s: %w", what, err)
	}
	w.gate.RLock()
	defer w.gate.RUnlock()
	err := f(context.WithValue(ctx, bounds{}, true), &view{w, project})
	var asked *store.QueryError
	if err == nil || errors.As(err, &asked) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// bounds is in the context of a question.
type bounds struct{}

// limits are what a statement may use. Those of a question have all of them, wherever in it they are asked; what a node does for itself is bounded by time alone, when that is.
func (w *Warehouse) limits(ctx context.Context) (limits []ch.Setting) {
	if deadline, ok := ctx.Deadline(); ok {
		limits = append(limits, ch.SettingInt("max_execution_time", max(1, int(time.Until(deadline).Seconds()+1))))
	}
	if ctx.Value(bounds{}) != nil {
		limits = append(limits, ch.SettingInt("max_memory_usage", int(w.options.QuestionMemory)), ch.SettingInt("max_result_rows", w.options.QuestionRows))
	}
	return limits
}

// rows runs a statement of a question, and calls each for every row of its answer.
func (v *view) rows(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return v.w.pool.do(ctx, ch.Query{
		Body: text, Parameters: q.params, Result: result,
		Settings: append(v.w.limits(ctx),
			ch.SettingInt("transform_null_in", 1), // groups without a value are groups
			ch.SettingInt("do_not_merge_across_partitions_select_final", 0)),
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				each(i)
			}
			return nil
		},
	})
}
