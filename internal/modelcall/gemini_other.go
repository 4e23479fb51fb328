package modelcall

import (
	"encoding/json"
	"strconv"
)

// vector is an embedding of Google's.
type vector struct {
	Values     json.RawMessage `json:"values"`
	Statistics struct {
		Tokens float64 `json:"token_count"` // a fraction in Vertex AI's JSON: 6.0
	} `json:"statistics"`
}

// geminiEmbedded keeps how many vectors came and of how many dimensions.
func geminiEmbedded(a *answer, body []byte) {
	var g struct {
		Embedding  *vector                    `json:"embedding"`
		Embeddings []vector                   `json:"embeddings"`
		Usage      map[string]json.RawMessage `json:"usageMetadata"`
		Error      json.RawMessage            `json:"error"`
	}
	if json.Unmarshal(body, &g) != nil {
		return
	}
	a.counts(g.Usage)
	a.fail(g.Error)
	if g.Embedding != nil {
		g.Embeddings = append(g.Embeddings, *g.Embedding)
	}
	if len(g.Embeddings) > 0 {
		a.done, a.output = true, sizes(len(g.Embeddings), g.Embeddings[0].Values)
	}
}

// predictedVectors reads what Vertex AI's older models of embeddings answer, which count by vector.
func predictedVectors(a *answer, body []byte) {
	var v struct {
		Predictions []struct {
			Embeddings vector `json:"embeddings"`
		} `json:"predictions"`
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &v) != nil {
		return
	}
	a.fail(v.Error)
	if len(v.Predictions) == 0 {
		return
	}
	a.done, a.output = true, sizes(len(v.Predictions), v.Predictions[0].Embeddings.Values)
	tokens := 0.0
	for _, p := range v.Predictions {
		tokens += p.Embeddings.Statistics.Tokens
	}
	if tokens > 0 {
		a.counts(map[string]json.RawMessage{"promptTokenCount": json.RawMessage(strconv.FormatInt(int64(tokens), 10))})
	}
}

// predictedImages keeps what Imagen says of its images, not the images.
func predictedImages(a *answer, body []byte) {
	var v struct {
		Predictions json.RawMessage `json:"predictions"`
		Error       json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &v) != nil {
		return
	}
	a.fail(v.Error)
	if len(v.Predictions) > len("[]") {
		a.done, a.output = true, shorten(v.Predictions)
	}
}
