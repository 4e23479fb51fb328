package alert

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// atOnce is how many destinations are sent to at the same time.
const atOnce = 8

// job is a delivery that is due.
type job struct {
	of   held
	what sending
}

// deliver sends what is pending until ctx ends, each until it is taken or too old. A destination of a rule gets its messages in their order.
func (a *Alerts) deliver(ctx context.Context) {
	for clock.Pause(ctx, a.deliverDue(ctx), a.sends) {
	}
}

// deliverDue sends what is due, and says how long nothing will be.
func (a *Alerts) deliverDue(ctx context.Context) time.Duration {
	if !a.leads() {
		return idle
	}
	jobs, wait := a.dueJobs()
	if len(jobs) == 0 {
		return wait
	}
	places := map[string][]job{} // those of one place go one after the other
	for _, j := range jobs {
		d, _ := j.of.destination(j.what.Destination)
		place := d.Kind + " " + d.URL + d.Command
		places[place] = append(places[place], j)
	}
	room := make(chan struct{}, atOnce)
	var work sync.WaitGroup
	var moved atomic.Bool
	for _, of := range places {
		room <- struct{}{}
		work.Go(func() {
			defer func() { <-room }()
			for _, j := range of {
				answered, noted := a.deliverOne(ctx, &j)
				if noted {
					moved.Store(true)
				}
				if !answered || ctx.Err() != nil {
					return // those behind are not made to wait for no answer, too
				}
			}
		})
	}
	work.Wait()
	if !moved.Load() { // nothing can be kept now
		return againAfter
	}
	return 0 // behind what was taken there may be more
}

// dueJobs are the oldest that are pending of each destination of each rule, as far as they are due.
func (a *Alerts) dueJobs() (jobs []job, wait time.Duration) {
	wait = idle
	for _, h := range a.snapshot() {
		met := map[string]bool{}
		for _, s := range h.Deliveries {
			if s.State != pending || met[s.Destination] {
				continue
			}
			met[s.Destination] = true
			left := time.Duration(0)
			if s.Next != nil {
				left = s.Next.Sub(a.o.Now())
			}
			if s.By != nil && s.By.Node != a.o.Node {
				left = max(left, s.By.Until.Sub(a.o.Now()))
			}
			if left > 0 {
				wait = min(wait, left)
			} else {
				jobs = append(jobs, job{h, s})
			}
		}
	}
	return jobs, wait
}

// destination is the one of an id.
func (h *held) destination(of string) (Destination, bool) {
	for _, d := range h.Destinations {
		if d.ID == of {
			return d, true
		}
	}
	return Destination{}, false
}

// sendTime is for how long a node has a delivery for itself, and leaves it to others when it ends meanwhile.
const sendTime = 2 * max(requestTime, commandTime)

// deliverOne makes one attempt, and notes what it came to. answered is false when there was no answer, noted when that could not be kept.
func (a *Alerts) deliverOne(ctx context.Context, j *job) (answered, noted bool) {
	o, again := a.untold(j.what.key())
	to, there := j.of.destination(j.what.Destination)
	switch {
	case again: // it was taken, and that could not be kept
	case !there:
		o = outcome{gone: true, says: "the destination was removed"}
	case a.o.Now().Sub(j.what.Message.Timestamp) > giveUp:
		o = outcome{gone: true, says: cmp.Or(j.what.Last, "not tried") + "; given up after three days"}
	default:
		if !a.claim(j) {
			return true, false
		}
		o = a.attempt(ctx, &to, &j.what.Message)
		if ctx.Err() != nil && !o.taken {
			return false, false
		}
	}
	return o.taken || o.gone || o.answered, a.note(j, o, again)
}

// claim has a delivery for this node, where several may send it. It is not when another one sends it, or has sent it.
func (a *Alerts) claim(j *job) (mine bool) {
	if a.o.Lead == nil {
		return true
	}
	now := a.now()
	err := a.change(j.of.id(), time.Time{}, func(is *held) bool {
		s := is.sending(j.what.key())
		mine = s != nil && s.State == pending && (s.By == nil || s.By.Node == a.o.Node || !now.Before(s.By.Until))
		if mine {
			s.By = &lease{a.o.Node, now.Add(sendTime)}
		}
		return mine
	})
	return mine && err == nil // while nobody can say who sends it, nobody does
}

// sending is a delivery of the rule.
func (h *held) sending(key string) *sending {
	for i := range h.Deliveries {
		if h.Deliveries[i].key() == key {
			return &h.Deliveries[i]
		}
	}
	return nil
}

// untold is what became of a delivery, when that could not be kept.
func (a *Alerts) untold(key string) (outcome, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, there := a.taken[key]
	return o, there
}

// note keeps what an attempt came to. What was taken and cannot be kept is remembered, so that it is not sent again.
func (a *Alerts) note(j *job, o outcome, again bool) (kept bool) {
	at := a.now()
	err := a.change(j.of.id(), time.Time{}, func(is *held) bool {
		s := is.sending(j.what.key())
		if s == nil || s.State != pending {
			return false
		}
		s.attempted(o, at, a.o.FirstBackoff, a.o.MaxBackoff)
		is.trim(at)
		return true
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	key := j.what.key()
	if err == nil {
		delete(a.taken, key)
	} else if o.taken {
		a.taken[key] = o
	}
	if !again {
		a.stats.note(o)
	}
	log := a.o.Logger.With("project", j.of.Project, "alert", j.of.Name, "id", j.what.ID, "to", j.what.To)
	switch {
	case err != nil:
		log.Error("what became of a message of an alert could not be kept; it may be sent again after a restart", "error", err)
	case o.gone:
		log.Error("a message of an alert was given up", "reason", o.says)
	case !o.taken:
		log.Warn("a message of an alert was not taken; it is sent again", "reason", o.says)
	}
	return err == nil
}
