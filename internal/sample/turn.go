package sample

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// chat is one customer's conversation: a session of several turns.
type chat struct {
	topic       topic
	user        string
	session     string
	environment string
	channel     string
	order       string
	history     []message
}

// conversation writes one session: an opening and up to four more turns.
func (g *generator) conversation() {
	c := &chat{
		topic:       pick(g, g.topics),
		user:        fmt.Sprintf("customer_%03d", 100+g.r.IntN(60)),
		session:     g.id("chat_"),
		environment: "production",
		channel:     pick(g, []string{"web", "web", "app", "email"}),
		order:       fmt.Sprintf("TWN-%05d", 10000+g.r.IntN(90000)),
		history:     []message{{"system", systemPrompt}},
	}
	if g.chance(0.12) {
		c.environment = "staging"
	}
	at := g.startOfConversation()
	question := fmt.Sprintf(pick(g, c.topic.opening), c.order)
	for range 1 + g.r.IntN(5) {
		end := g.turn(c, question, at)
		at = end.Add(g.between(8*time.Second, 4*time.Minute))
		question = pick(g, c.topic.followUps)
		if at.After(g.now.Add(-2 * time.Minute)) {
			return
		}
	}
}

// trace is a turn while it is written: where it is and what it has come to.
type trace struct {
	turn
	id   string
	root string
	at   time.Time // the clock of the turn
}

// turn writes one trace: the question, the search, the model's plan, the tool,
// the reply, and what people and evaluators thought of it.
func (g *generator) turn(c *chat, question string, at time.Time) time.Time {
	t := &trace{turn: turn{environment: c.environment}, id: g.id("trace_"), root: g.id("obs_"), at: at}
	c.history = withMessage(c.history, "user", question)
	g.event(&t.turn, brokle.TraceCreate, at, fields{
		"id": t.id, "name": "support-turn", "user_id": c.user, "session_id": c.session,
		"environment": c.environment, "release": "assistant-2.14.0",
		"tags":     []string{c.topic.name, c.channel},
		"metadata": fields{"channel": c.channel, "turn": len(c.history) / 2, "order": c.order},
		"input":    fields{"message": question},
	})
	g.event(&t.turn, brokle.ObservationCreate, at, fields{
		"id": t.root, "trace_id": t.id, "type": "agent", "name": "assistant", "start_time": stamp(at),
		"input": fields{"message": question},
	})
	t.at = t.at.Add(g.between(4*time.Millisecond, 30*time.Millisecond))

	g.search(t, c, question)
	m := pick(g, chatModels())
	if toolOK := g.plan(t, c, m); !toolOK {
		g.fail(t, c)
		return t.at
	}
	answer, replyID := g.reply(t, c, m)
	g.finish(t, fields{"output": fields{"message": answer}})
	c.history = withMessage(c.history, "assistant", answer)
	g.scores(t, m, replyID)
	g.turns = append(g.turns, t.turn)
	return t.at
}

// search writes the embedding of the question and the retrieval.
func (g *generator) search(t *trace, c *chat, question string) {
	emb := embeddingModel()
	n := tokens(question)
	g.span(t, fields{
		"type": "embedding", "name": "embed-question", "model": emb.name, "provider": emb.provider,
		"prompt_tokens": n, "total_tokens": n, "total_cost": float64(n) * emb.inPrice / 1e6,
		"input": question,
	}, g.between(25*time.Millisecond, 160*time.Millisecond))
	g.span(t, fields{
		"type": "retrieval", "name": "search-handbook",
		"input": fields{"query": question, "top_k": 3}, "output": fields{"documents": c.topic.documents},
	}, g.between(8*time.Millisecond, 90*time.Millisecond))
}

// plan writes the generation that chooses the tool, and the tool's calls: one
// in twelve times out and is tried again, and a few fail for good.
func (g *generator) plan(t *trace, c *chat, m model) bool {
	args := fields{"order": c.order}
	for _, name := range c.topic.toolArgs {
		args[name] = true
	}
	call := fields{"tool": c.topic.tool, "arguments": args}
	text, _ := json.Marshal(call) // plain values
	g.generation(t, "plan", m, c.history, call, string(text))
	for attempt := 1; attempt <= 3; attempt++ {
		tool := fields{
			"type": "tool", "name": c.topic.tool, "input": args, "metadata": fields{"attempt": attempt},
		}
		broken := g.chance(0.09)
		if attempt > 1 {
			broken = g.chance(0.35)
		}
		if !broken {
			tool["output"] = json.RawMessage(c.topic.result)
			g.span(t, tool, g.between(40*time.Millisecond, 900*time.Millisecond))
			return true
		}
		tool["level"] = "ERROR"
		tool["status_message"] = "order service did not answer within 3 s"
		g.span(t, tool, 3*time.Second)
		t.at = t.at.Add(time.Duration(attempt) * 250 * time.Millisecond)
	}
	return false
}

// reply writes the generation of the answer; now and then the provider is
// over its rate, and another model answers. It returns the answer and the
// generation's id.
func (g *generator) reply(t *trace, c *chat, m model) (answer, id string) {
	if g.chance(0.05) {
		g.span(t, fields{
			"type": "generation", "name": "reply", "model": m.name, "provider": m.provider, "level": "ERROR",
			"status_message": "429 from the provider: tokens per minute exceeded", "input": c.history,
		}, g.between(60*time.Millisecond, 300*time.Millisecond))
		models := chatModels()
		m = models[len(models)-1]
	}
	answer = pick(g, c.topic.answers)
	history := withMessage(c.history, "tool", c.topic.result)
	id = g.generation(t, "reply", m, history, fields{"role": "assistant", "content": answer}, answer)
	return answer, id
}

// generation writes a model call as streaming clients do: a create when it
// starts, a complete when the last token is there. It returns the call's id.
func (g *generator) generation(t *trace, name string, m model, input []message, output any, text string) string {
	id := g.id("obs_")
	in, out := 0, tokens(text)
	for _, msg := range input {
		in += tokens(msg.Content)
	}
	g.event(&t.turn, brokle.ObservationCreate, t.at, fields{
		"id": id, "trace_id": t.id, "parent_observation_id": t.root, "type": "generation", "name": name,
		"start_time": stamp(t.at), "model": m.name, "provider": m.provider, "input": input,
		"model_parameters": fields{"temperature": 0.2, "max_tokens": 400},
	})
	t.at = t.at.Add(g.between(280*time.Millisecond, time.Second) + time.Duration(out)*11*time.Millisecond)
	inCost, outCost := float64(in)*m.inPrice/1e6, float64(out)*m.outPrice/1e6
	g.event(&t.turn, brokle.ObservationComplete, t.at, fields{
		"id": id, "trace_id": t.id, "end_time": stamp(t.at), "output": output,
		"usage":      fields{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out},
		"input_cost": inCost, "output_cost": outCost, "total_cost": inCost + outCost,
	})
	return id
}

// span writes a finished observation below the root in one event.
func (g *generator) span(t *trace, f fields, took time.Duration) {
	start := t.at
	t.at = t.at.Add(took)
	f["id"], f["trace_id"], f["parent_observation_id"] = g.id("obs_"), t.id, t.root
	f["start_time"], f["end_time"] = stamp(start), stamp(t.at)
	g.event(&t.turn, brokle.ObservationCreate, t.at, f)
}

// finish completes the root observation and the trace with the same fields.
func (g *generator) finish(t *trace, f fields) {
	t.at = t.at.Add(g.between(2*time.Millisecond, 12*time.Millisecond))
	complete := fields{"id": t.root, "trace_id": t.id, "end_time": stamp(t.at)}
	for k, v := range f {
		complete[k] = v
	}
	g.event(&t.turn, brokle.ObservationComplete, t.at, complete)
	g.event(&t.turn, brokle.TraceUpdate, t.at, fields{"id": t.id, "output": f["output"]})
}

// fail ends a turn whose tool never answered: the customer gets an apology.
func (g *generator) fail(t *trace, c *chat) {
	sorry := "I cannot reach our order system right now. A colleague will write to you today."
	g.finish(t, fields{
		"output": fields{"message": sorry}, "level": "ERROR", "status_message": c.topic.tool + " failed three times",
	})
	c.history = withMessage(c.history, "assistant", sorry)
	g.score(t, fields{"name": "resolved", "value": false, "data_type": "BOOLEAN", "source": "AUTO"})
	g.turns = append(g.turns, t.turn)
}

// scores writes what is known about a good turn: an evaluator's mark of every
// reply, feedback from one customer in four, a person's review of a few.
func (g *generator) scores(t *trace, m model, replyID string) {
	mark := 0.66 + 0.32*g.r.Float64()
	if m.name == "gpt-4o-mini" {
		mark -= 0.12 * g.r.Float64()
	}
	g.score(t, fields{
		"name": "helpfulness", "observation_id": replyID, "value": float64(int(mark*100)) / 100, "source": "EVAL",
		"evaluator_name": "rubric-judge", "evaluator_version": "3",
	})
	g.score(t, fields{"name": "resolved", "value": mark > 0.7, "data_type": "BOOLEAN", "source": "AUTO"})
	if g.chance(0.25) {
		feedback := "thumbs_up"
		if mark < 0.72 {
			feedback = "thumbs_down"
		}
		g.score(t, fields{"name": "feedback", "value": feedback, "data_type": "CATEGORICAL", "source": "API"})
	}
	if g.chance(0.06) {
		g.score(t, fields{
			"name": "accuracy", "value": float64(3 + g.r.IntN(3)), "source": "HUMAN",
			"author_user_id": "reviewer_ines", "comment": "Checked against the order system.",
		})
	}
}

func (g *generator) score(t *trace, f fields) {
	f["id"], f["trace_id"] = g.id("score_"), t.id
	g.event(&t.turn, brokle.QualityScoreCreate, t.at.Add(200*time.Millisecond), f)
}

// stamp is a time as payloads carry it: RFC 3339 with milliseconds, UTC.
func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }
