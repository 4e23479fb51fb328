package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	q := &builder{whereabouts: &v.w.whereabouts}
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
	limits = w.finals()
	if deadline, ok := ctx.Deadline(); ok {
		limits = append(limits, ch.SettingInt("max_execution_time", max(1, int(time.Until(deadline).Seconds()+1))))
	}
	if ctx.Value(bounds{}) != nil {
		limits = append(limits, ch.SettingInt("max_memory_usage", int(w.options.QuestionMemory)), ch.SettingInt("max_result_rows", w.options.QuestionRows))
	}
	return limits
}

// finals are what FINAL depends on. An index of a column that may change from row to row of one entity hides rows in force behind old ones, unless the server looks again at what lies
// beside them, which it does since 25.6: by default, but not everywhere. An older one must not use indexes then. Conditions on the key may be applied before rows are told apart.
func (w *Warehouse) finals() []ch.Setting {
	settings := []ch.Setting{
		ch.SettingInt("optimize_move_to_prewhere_if_final", 1),
		ch.SettingInt("optimize_empty_string_comparisons", 0), // indexes know of = '', and not of the function that it would become
	}
	if !w.looksAgain.Load() {
		return append(settings, ch.SettingInt("use_skip_indexes_if_final", 0))
	}
	exact := ch.SettingInt("use_skip_indexes_if_final_exact_mode", 1)
	exact.Important = true // a server that does not know it refuses the statement
	return append(settings, ch.SettingInt("use_skip_indexes_if_final", 1), exact)
}

// rows runs a statement of a question, and calls each for every row of its answer.
func (v *view) rows(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return v.w.askSet(ctx, q, text, []ch.Setting{acrossPartitions}, result, each)
}

// few is rows of a statement that reads a few pieces of a table: to wake and to join several threads for them takes longer than one needs for all.
func (v *view) few(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return v.w.askSet(ctx, q, text, append(slices.Clip(oneThread), acrossPartitions), result, each)
}

var oneThread = []ch.Setting{ch.SettingInt("max_threads", 1)}

var acrossPartitions = ch.SettingInt("do_not_merge_across_partitions_select_final", 0)
