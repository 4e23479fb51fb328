package standin

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Server answers as providers do. The model that a request names says how: a name that ends in -400, -401, -429, -529 or -500 is refused with
// this status, one that ends in -cut is cut off in the middle of its stream, one in -tool is answered with the calls of two tools, one in -verdict with a JSON object that has a reason and the value 0.75 (not in a stream), one in -hold stops
// after the first token until Release, one with -judge gives the verdict of a judge, and any other is answered "The sky is blue." Of Gemini's, one in -blocked is no prompt that it takes, one in -late fails in its stream,
// by an error that is no event, and one in -media is answered with an image between texts, and counts sound and a search. It is safe for concurrent use.
type Server struct {
	mu       sync.Mutex // guards both
	requests []Request
	hold     chan struct{}
}

// Request is one that arrived.
type Request struct {
	Path   string
	Header http.Header
	Body   map[string]json.RawMessage
	Raw    string
}

// New makes a Server.
func New() *Server { return &Server{hold: make(chan struct{})} }

// Requests are those that arrived, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Release lets go on what a name in -hold stopped, now and from now on.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.hold:
	default:
		close(s.hold)
	}
}

// asked is what of a request decides its answer.
type asked struct {
	model  string
	stream bool
	usage  bool // a stream ends with one
	sent   map[string]json.RawMessage
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, ok := s.read(w, r)
	if !ok {
		return
	}
	rp := &reply{w: w, r: r, cut: strings.HasSuffix(q.model, "-cut")}
	if strings.HasSuffix(q.model, "-hold") {
		rp.hold = s.hold
	}
	p := r.URL.Path
	write, refuse := openAIChat, openAIRefusal
	switch {
	case strings.HasSuffix(p, "/chat/completions"):
	case strings.HasSuffix(p, "/api/chat"):
		write, refuse = ollamaChat, ollamaRefusal
	case strings.HasSuffix(p, "/responses"):
		write = openAIResponses
	case strings.HasSuffix(p, "/embeddings"):
		write = openAIEmbeddings
	case strings.HasSuffix(p, "/images/generations"):
		write = openAIImages
	case strings.HasSuffix(p, "/messages"), strings.HasSuffix(p, "/invoke"), strings.HasSuffix(p, ":rawPredict"), strings.HasSuffix(p, ":streamRawPredict"):
		write, refuse = anthropicMessages, anthropicRefusal
	case strings.HasSuffix(p, "/invoke-with-response-stream"):
		rp.frames = true
		write, refuse = anthropicMessages, anthropicRefusal
	case strings.Contains(p, ":"):
		write, refuse = gemini, geminiRefusal
	default:
		http.NotFound(w, r)
		return
	}
	for status, name := range map[int]string{400: "-400", 401: "-401", 429: "-429", 529: "-529", 500: "-500"} {
		if strings.HasSuffix(q.model, name) {
			refuse(w, status)
			return
		}
	}
	write(rp, q)
}

func (s *Server) read(w http.ResponseWriter, r *http.Request) (q asked, ok bool) {
	var raw strings.Builder
	d := json.NewDecoder(teeReader{r.Body, &raw})
	if err := d.Decode(&q.sent); err != nil {
		http.Error(w, `{"error":{"message":"not JSON"}}`, http.StatusBadRequest)
		return q, false
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.URL.Path, r.Header.Clone(), q.sent, raw.String()})
	s.mu.Unlock()
	_ = json.Unmarshal(q.sent["model"], &q.model)
	_ = json.Unmarshal(q.sent["stream"], &q.stream)
	var options struct {
		Usage bool `json:"include_usage"`
	}
	_ = json.Unmarshal(q.sent["stream_options"], &options)
	q.usage = options.Usage
	if model, action, google := strings.Cut(path.Base(r.URL.Path), ":"); google {
		q.model, q.stream = model, strings.HasPrefix(action, "stream")
	}
	if dir, action := path.Split(r.URL.Path); strings.HasPrefix(action, "invoke") { // Bedrock's
		q.model, q.stream = path.Base(dir), action != "invoke"
	}
	return q, true
}

func (q asked) tools() bool { return strings.HasSuffix(q.model, "-tool") }
