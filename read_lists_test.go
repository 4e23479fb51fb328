package brokle_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

func TestListsOfTotals(t *testing.T) {
	t.Parallel()
	var requests []string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.URL.RequestURI())
		switch {
		case r.URL.Query().Get("id") == "a/b" && r.URL.Query().Get("cursor") == "":
			io.WriteString(w, `{"id":"a/b","trace_count":2,"traces":[{"id":"t1","input":"hi","output":null}],"next_cursor":"c"}`)
		case r.URL.Query().Get("id") == "a/b":
			io.WriteString(w, `{"id":"a/b","trace_count":2,"traces":[{"id":"t2","input":{"q":1},"output":"x"}],"next_cursor":null}`)
		case r.URL.Query().Get("cursor") == "":
			io.WriteString(w, `{"data":[{"id":"one","name":"one","trace_count":3,"session_count":2,"user_ids":["u"],"last_seen":"2026-03-01T12:00:00.000000Z"}],"next_cursor":"c"}`)
		default:
			io.WriteString(w, `{"data":[{"id":"two","name":"two"}],"next_cursor":null}`)
		}
	}), nil)
	ctx, failed := t.Context(), true
	var got []string
	for s, err := range c.Sessions.List(ctx, brokle.SessionQuery{Filter: brokle.Filter{UserID: "u", HasError: &failed}, Order: brokle.Order{Sort: "-trace_count", Limit: 1}}) {
		got = append(got, fmt.Sprint(s.ID, s.TraceCount, s.UserIDs, err))
	}
	for u, err := range c.Users.List(ctx, brokle.UserQuery{Filter: brokle.Filter{Tag: "x"}}) {
		got = append(got, fmt.Sprint(u.ID, u.SessionCount, err))
	}
	for e, err := range c.Environments.List(ctx, brokle.EnvironmentQuery{From: time.Unix(1700000000, 0)}) {
		got = append(got, fmt.Sprint(e.Name, e.TraceCount, err))
	}
	for trace, err := range c.Sessions.Traces(ctx, "a/b") {
		got = append(got, fmt.Sprintf("%s %s %s %v", trace.ID, trace.Input, trace.Output, err))
	}
	session, err := c.Sessions.Get(ctx, "a/b")
	if err != nil || session.TraceCount != 2 || len(session.Traces) != 1 || session.NextCursor == nil {
		t.Errorf("%+v %v", session, err)
	}
	if want := `one3 [u] <nil>|two0 [] <nil>|one2 <nil>|two0 <nil>|one3 <nil>|two0 <nil>|t1 "hi" null <nil>|t2 {"q":1} "x" <nil>`; strings.Join(got, "|") != want {
		t.Errorf("rows\n%s, want\n%s", strings.Join(got, "|"), want)
	}
	if want := "/v1/sessions?has_error=true&limit=1&sort=-trace_count&user_id=u|/v1/sessions?cursor=c&has_error=true&limit=1&sort=-trace_count&user_id=u|" +
		"/v1/users?tag=x|/v1/users?cursor=c&tag=x|/v1/environments?from=2023-11-14T22%3A13%3A20Z|/v1/environments?cursor=c&from=2023-11-14T22%3A13%3A20Z|" +
		"/v1/sessions?id=a%2Fb|/v1/sessions?cursor=c&id=a%2Fb|/v1/sessions?id=a%2Fb"; strings.Join(requests, "|") != want {
		t.Errorf("requests\n%s, want\n%s", strings.Join(requests, "|"), want)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	var path string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.RequestURI()
		io.WriteString(w, `{"data":[{"event_id":"e","event_type":"trace_create","payload":{"name":"n"}}],"next_cursor":null}`)
	}), nil)
	for want, read := range map[string]func(context.Context, string) ([]brokle.ObservationEvent, error){
		"/v1/traces/-/history?id=a%2Fb": c.Traces.History, "/v1/observations/-/history?id=a%2Fb": c.Observations.History, "/v1/scores/-/history?id=a%2Fb": c.Scores.History,
	} {
		events, err := read(t.Context(), "a/b")
		if err != nil || len(events) != 1 || events[0].EventID != "e" || string(events[0].Payload) != `{"name":"n"}` || path != want {
			t.Errorf("%s: %+v, %v", path, events, err)
		}
	}
}

func ExampleSessions_Traces() {
	client, err := brokle.New(brokle.Config{}) // BROKLE_API_KEY, BROKLE_HOST
	if err != nil {
		log.Fatal(err)
	}
	for turn, err := range client.Sessions.Traces(context.Background(), "session-7") {
		if err != nil {
			log.Println(err)
			break
		}
		fmt.Printf("%s → %s\n", turn.Input, turn.Output)
	}
}

func ExampleSessions_List() {
	client, err := brokle.New(brokle.Config{})
	if err != nil {
		log.Fatal(err)
	}
	failed := true
	for session, err := range client.Sessions.List(context.Background(), brokle.SessionQuery{
		Filter: brokle.Filter{From: time.Now().Add(-24 * time.Hour), HasError: &failed},
		Order:  brokle.Order{Sort: "-error_count"},
	}) {
		if err != nil {
			log.Println(err)
			break
		}
		fmt.Println(session.ID, session.TraceCount, session.ErrorCount)
	}
}

func ExampleUsers_List() {
	client, err := brokle.New(brokle.Config{})
	if err != nil {
		log.Fatal(err)
	}
	for user, err := range client.Users.List(context.Background(), brokle.UserQuery{Order: brokle.Order{Sort: "-total_cost"}}) {
		if err != nil {
			log.Println(err)
			break
		}
		if user.TotalCost != nil { // nil is not known, which is not 0
			fmt.Println(user.ID, user.SessionCount, *user.TotalCost)
		}
	}
}

func ExampleEnvironments_List() {
	client, err := brokle.New(brokle.Config{})
	if err != nil {
		log.Fatal(err)
	}
	for environment, err := range client.Environments.List(context.Background(), brokle.EnvironmentQuery{}) {
		if err != nil {
			log.Println(err)
			break
		}
		fmt.Println(environment.Name, environment.LastSeen)
	}
}
