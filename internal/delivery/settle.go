package delivery

// settle gives items of b their outcome: it tells the application, then counts.
func (p *Processor) settle(b *batch, items []item, kind OutcomeKind, why DropReason, errOf func(*item) *EventError) {
	if len(items) == 0 {
		return
	}
	if p.opts.OnOutcome != nil {
		for i := range items {
			o := Outcome{EventID: b.id(&items[i]), Type: items[i].typ, Kind: kind, Reason: why}
			if errOf != nil {
				o.Err = errOf(&items[i])
			}
			p.tell(o)
		}
	}
	if kind == Rejected || kind == Dropped {
		var first error
		if errOf != nil {
			first = errOf(&items[0])
		}
		p.log.warn(kind.String(), "telemetry events "+kind.String(), "events", len(items), "first", first)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(kind, why, len(items))
	for i := range items {
		p.free1(items[i].held, b.file)
	}
	p.reopen() // before a Flush returns that waits for these: its caller finds room
	for i := range items {
		p.endOne(items[i].epoch)
	}
}

// settleOne is settle for an event that never got into a batch.
func (p *Processor) settleOne(e *entry, kind OutcomeKind, why DropReason, err *EventError) {
	p.tell(Outcome{EventID: err.EventID, Type: e.typ, Kind: kind, Reason: why, Err: err})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(kind, why, 1)
	p.free1(len(e.data), nil)
	p.reopen()
	p.endOne(e.epoch)
}

// count adds n outcomes. p.mu is held.
func (p *Processor) count(kind OutcomeKind, why DropReason, n int) {
	switch kind {
	case Delivered:
		p.n.delivered += int64(n)
	case Duplicate:
		p.n.duplicate += int64(n)
	case Rejected:
		p.n.rejected += int64(n)
	case Dropped:
		p.n.dropped[why] += int64(n)
	}
}

// free1 lets go of what one event holds, now that it has its outcome. p.mu is held.
func (p *Processor) free1(held int, file *spooled) {
	if file == nil {
		p.held.events--
		p.held.bytes -= held
	} else {
		file.left--
		p.n.spooled--
	}
}

// endOne counts an outcome towards the flushes that wait for it. p.mu is held.
func (p *Processor) endOne(e *epoch) {
	e.pending--
	if e.pending > 0 || e.done == nil {
		return
	}
	close(e.done)
	for i, s := range p.sealed {
		if s == e {
			p.sealed = append(p.sealed[:i], p.sealed[i+1:]...)
			break
		}
	}
}

// reopen lets events in again after memory was given back. p.mu is held.
func (p *Processor) reopen() {
	if !p.closing && p.held.events < p.opts.QueueMaxEvents && p.held.bytes < p.opts.QueueMaxBytes {
		p.gate.state.Store(stateOpen)
	}
}

// tell calls the application's hook; a panic in it is the hook's own.
func (p *Processor) tell(o Outcome) {
	if p.opts.OnOutcome == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.log.warn("hook", "OnOutcome panicked", "panic", r)
		}
	}()
	p.opts.OnOutcome(o)
}
