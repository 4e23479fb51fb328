package entity

import (
	"encoding/json"
	"slices"
)

// Mark says of the duplicates among rows which observation is kept in their place, and fills the gaps
// of those that are kept with what their duplicates know. Rows must be as Fold.Observations made them, and with
// a kept one all its duplicates must be there.
func (t Twins) Mark(rows []*ObservationRow) {
	if len(t) == 0 {
		return
	}
	at := make(map[Ref]*ObservationRow, len(rows))
	for _, row := range rows {
		at[Ref{row.TraceID, row.ID}] = row
	}
	of := map[Ref][]*ObservationRow{}
	for _, row := range rows {
		if kept, is := t[Ref{row.TraceID, row.ID}]; is {
			row.DuplicateOf, row.DuplicateOfTrace = kept.ID, kept.TraceID
			of[kept] = append(of[kept], row)
		}
	}
	for ref, twins := range of {
		kept := at[ref]
		if kept == nil {
			continue
		}
		calls := make(map[*ObservationRow]*Call, len(twins))
		for _, row := range twins {
			calls[row] = row.Call()
		}
		slices.SortFunc(twins, func(a, b *ObservationRow) int {
			if calls[a] == nil || calls[b] == nil {
				return Ref{a.TraceID, a.ID}.compare(Ref{b.TraceID, b.ID})
			}
			return calls[a].better(calls[b])
		})
		for _, twin := range twins {
			kept.fillFrom(twin)
		}
	}
}

// fillFrom gives the kept report what only its twin knows. The counts of the provider's own SDK hold in
// either case, and those that were reported before those that a library estimated.
func (o *ObservationRow) fillFrom(twin *ObservationRow) {
	if twin.Model != "" && (o.Model == "" || o.Model == o.RequestedModel) {
		o.Model = twin.Model
	}
	for _, p := range []struct{ to, from *string }{
		{&o.RequestedModel, &twin.RequestedModel}, {&o.ResponseID, &twin.ResponseID}, {&o.Provider, &twin.Provider},
		{&o.ServiceTier, &twin.ServiceTier}, {&o.RequestedServiceTier, &twin.RequestedServiceTier},
		{&o.PromptName, &twin.PromptName}, {&o.PromptVersion, &twin.PromptVersion},
		{&o.FinishReasonOriginal, &twin.FinishReasonOriginal}, {&o.FinishReason, &twin.FinishReason},
		{&o.SessionID, &twin.SessionID}, {&o.UserID, &twin.UserID}, {&o.Version, &twin.Version}, {&o.Release, &twin.Release},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	if o.Status == twin.Status && o.StatusMessage == "" {
		o.StatusMessage = twin.StatusMessage
	}
	if o.Status == twin.Status && o.ErrorType == "" {
		o.ErrorType = twin.ErrorType
	}
	o.fillCounts(twin)
	o.fillCosts(twin)
	if o.TimeToFirstTokenMS == nil {
		o.TimeToFirstTokenMS = twin.TimeToFirstTokenMS
	}
	if c := twin.Call(); c != nil && c.role == StreamBegun && c.scope == o.Scope {
		first := float64(c.To-c.From) / 1000 // its span ends at the first byte
		o.TimeToFirstTokenMS = &first
	}
	for _, p := range []struct{ to, from *json.RawMessage }{{&o.ModelParameters, &twin.ModelParameters}} {
		if len(*p.to) == 0 {
			*p.to = *p.from
		}
	}
}

func (o *ObservationRow) fillCounts(twin *ObservationRow) {
	counted := twin.PromptTokens != nil || twin.CompletionTokens != nil
	better := counted && (isProvidersSDK(twin.Scope) || o.TokenSource == "estimated" && twin.TokenSource == "reported")
	if counted && (better || o.PromptTokens == nil && o.CompletionTokens == nil) {
		o.TokenSource = twin.TokenSource
	}
	changed := false
	for _, p := range []struct{ to, from **int64 }{
		{&o.PromptTokens, &twin.PromptTokens}, {&o.CompletionTokens, &twin.CompletionTokens}, {&o.CacheReadTokens, &twin.CacheReadTokens},
		{&o.CacheWriteTokens, &twin.CacheWriteTokens}, {&o.CacheWrite1hTokens, &twin.CacheWrite1hTokens},
		{&o.ReasoningTokens, &twin.ReasoningTokens},
		{&o.AudioInputTokens, &twin.AudioInputTokens}, {&o.AudioOutputTokens, &twin.AudioOutputTokens},
	} {
		if *p.from != nil && (better || *p.to == nil) {
			*p.to, changed = *p.from, true
		}
	}
	if changed {
		o.TotalTokens = totalTokens(o.TotalTokens, o.PromptTokens, o.CompletionTokens, new(int64))
	}
	if o.TotalTokens == nil {
		o.TotalTokens = twin.TotalTokens
	}
}

// fillCosts takes the costs of a call from one report: they belong together.
func (o *ObservationRow) fillCosts(twin *ObservationRow) {
	if o.TotalCost != nil || twin.TotalCost == nil {
		return
	}
	o.InputCost, o.OutputCost, o.TotalCost = twin.InputCost, twin.OutputCost, twin.TotalCost
	o.CacheReadCost, o.CacheWriteCost = twin.CacheReadCost, twin.CacheWriteCost
	o.CostSource, o.CostReason = twin.CostSource, twin.CostReason
}
