package otlp

import "github.com/brokle-ai/brokle-go/internal/otel"

// Link is a link of a span to another.
type Link struct {
	TraceID, SpanID string
	Attributes      []otel.Attribute
}

// LinksOf are the links of a span of OTLP in JSON. What cannot be read of them is left out.
func LinksOf(span []byte) (links []Link) {
	// The error is of one that is no object, which stands behind those that were read.
	_ = list(span, "links", func(raw []byte) error {
		var l Link
		err := each(raw, func(key string, v []byte) (err error) {
			switch key {
			case "traceId":
				l.TraceID, err = jsonID(v, 16, "trace id")
			case "spanId":
				l.SpanID, err = jsonID(v, 8, "span id")
			case "attributes":
				err = attributesOf(v, &l.Attributes)
			}
			return err
		})
		if err == nil {
			links = append(links, l)
		}
		return nil
	})
	return links
}
