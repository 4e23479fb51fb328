package formats_test

// valued are keys that get each of the values.
var valued = []string{"name", "user_id", "tags", "trace_id", "id", "level", "start_time", "prompt_tokens", "total_cost", "latency_ms", "input", "metadata",
	"type", "value", "usage", "attributes", "clear", "model", "source", "data_type"}

var values = []string{`null`, `true`, `0`, `-1`, `1.5`, `12.0`, `1e400`, `"1772359201"`, `"2026-03-01T10:00:00+01:00"`, `""`, `"x\u0000y"`, `"\ud83d\ude00 \ud800"`, `[]`, `["a",1,null,"",["b"]]`,
	`{}`, `{"b":1,"a":"x","c":null}`, `NaN`, `-Infinity`, `[1,-NaN]`, `"NaN"`, `9007199254740992`, `"error"`, `"LLM"`}

var envelopes = []string{
	`{}`, `[]`, `1`, `null`, `"x"`, `NaN`, `{} {}`, `{`, `{"events":[`, `{"events":null}`, `{"events":[]}`, `{"events":{}}`, `{"events":1}`, `{"telemetry":[]}`, `{"scores":[]}`, `{"batch":[]}`,
	`{"telemetry":null}`, `{"scores":{}}`, `{"batch":null}`, `{"events":[1,null,"x",[],{}]}`, `{"telemetry":[1,null,"x",[],{}]}`, `{"scores":[1,null,"x",[],{}]}`, `{"batch":[1,null,"x",[],{}]}`,
	`{"events":[],"events":[{"event_id":"a","event_type":"event_create","payload":{}}]}`, `{"events":[{"event_id":"a","event_type":"event_create","payload":{}}],"events":[]}`,
	`{"events":[{"event_id":"a","event_type":"event_create","payload":{}}],"environment":"Prod"}`, `{"events":[1],"environment":1}`, `{"events":[1],"environment":"brokle-x"}`,
	`{"events":[1],"environment":"pr\u006fd","async_mode":true}`, `{"events":[1],"async_mode":"true"}`, `{"events":[1],"async":true}`, `{"events":[1],"async":true,"async_mode":false}`, `{"events":[1],"async_mode":null}`,
	`{"events":[1],"deduplication":[]}`, `{"events":[1],"deduplication":null}`, `{"events":[1],"deduplication":{"ttl":59}}`, `{"events":[1],"deduplication":{"ttl":60.5}}`, `{"events":[1],"deduplication":{"ttl":86400.0,"enabled":false}}`,
	`{"events":[1],"deduplication":{"ttl":[]}}`, `{"events":[1],"deduplication":{"enabled":"yes"}}`, `{"events":[1],"deduplication":{"use_redis_cache":1}}`, `{"events":[1],"deduplication":{"fail_on_duplicate":"x"}}`,
	`{"events":[1],"deduplication":{"t\u0074l":60,"ttl":61}}`, `{"\u0065vents":[1]}`, `{"events":[1],"metadata":NaN}`, `{"events":[1],"metadata":{"a":[1,2,{"b":-Infinity}]}}`,
	`{"events":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`, `{"telemetry":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`, `{"scores":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`, `{"batch":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`,
	`{"events":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"x":nope}`, `{"events":[1],}`, `{"events":[1,]}`, `{,}`, `{"events"}`, `{"events":}`, `{events:[1]}`, `{"events":[1] "x":1}`, `{"events":[01]}`, `{"events":[-]}`, `{"events":[1.]}`,
	`{"events":[1e]}`, `{"events":[1e+5,0.5E-3,-0]}`, `{"events":[tru]}`, `{"events":[NaNs]}`, `{"events":[1NaN]}`, `{"events":[--NaN]}`, `{"events":[nan]}`, `{"events":[None]}`, `{NaN:1}`, `{"a":"\u12"}`, `{"events":[}]}`, `{"events":{]}`,
}

var events = []string{
	`{"event_id":"a","event_type":"event_create","payload":{}}`, `{"event_type":"event_create","payload":{}}`, `{"event_id":"","event_type":"event_create","payload":{}}`, `{"event_id":null,"event_type":"event_create","payload":{}}`,
	`{"event_id":1,"event_type":"event_create","payload":{}}`, `{"event_id":"a b","event_type":"event_create","payload":{}}`, `{"event_id":"\u0061\ud800","event_type":"event_create","payload":{}}`, `{"event_id":"\u0061","event_type":"\u0065vent_create","payload":{}}`,
	`{"event_id":"a","payload":{}}`, `{"event_id":"a","event_type":"","payload":{}}`, `{"event_id":"a","event_type":1,"payload":{}}`, `{"event_id":"a","event_type":"nope","payload":{}}`, `{"event_id":"a","event_type":"nope","payload":[]}`,
	`{"event_id":"a b","event_type":"nope","payload":1}`, `{"event_id":"a","event_type":"event"}`, `{"event_id":"a","event_type":"event","payload":null}`, `{"event_id":"a","event_type":"event","payload":"x"}`, `{"event_id":"a","event_type":"event","payload":[]}`,
	`{"payload":{"name":"n","id":"o"},"event_type":"trace_create","event_id":"a"}`, `{"payload":{"name":"one"},"payload":{"name":"two","user_id":"u"},"event_type":"trace_create","event_id":"a"}`,
	`{"payload":{"name":"one","user_id":"u"},"payload":{"id":"i"},"event_type":"trace_create","event_id":"a"}`, `{"payload":{"name":"one"},"payload":1,"event_type":"trace_create","event_id":"a"}`, `{"payload":1,"payload":{"name":"one"},"event_type":"trace_create","event_id":"a"}`,
	`{"event_id":"a","event_id":"b","event_type":"trace","event_type":"event","payload":{}}`, `{"event_id":"a","event_type":"event","payload":{},"timestamp":null}`, `{"event_id":"a","event_type":"event","payload":{},"timestamp":1e3}`,
	`{"event_id":"a","event_type":"event","payload":{},"timestamp":-1}`, `{"event_id":"a","event_type":"event","payload":{},"timestamp":"x"}`, `{"event_id":"a","event_type":"event","payload":{},"timestamp":"2026-03-01T10:00:00.123456789Z"}`,
	`{"event_id":"a","event_type":"event","payload":{},"timestamp":1772359201123}`, `{"event_id":"a","event_type":"event","payload":{},"timestamp":NaN}`, `{"event_id":"a","event_type":"event","payload":{"a":NaN,"b":[ Infinity , -NaN ]},"timestamp":[]}`,
	`{"event_id":"a","event_type":"trace_create","payload":{"name":NaN,"metadata":{"x":-Infinity},"NaN":"NaN"}}`, `{"event_id":"a","event_type":"observation_create","payload":{"name":"n","total_cost":NaN,"prompt_tokens":5}}`,
	`{"event_id":"a","event_type":"event","payload":{"a":[[[[[[[]]]]]]]}}`, `{"event_id":"a","event_type":"event","payload":{"a":[[[[[[[[]]]]]]]]}}`, `{"event_id":"a","event_type":"event","x":{"payload":{}},"payload":{"payload":{"name":"n"}}}`,
	` {  "event_id" : "a" , "event_type" : "trace_create" , "payload" : {  "name"	:  "n" , "tags" : [ "a" , "b" ] , "metadata" : { } } } `,
	`{"event_id":"a","event_type":"event_create","payload":{"otlp":{}}}`, `{"event_id":"a","event_type":"observation_create","payload":{"otlp":{"door":"otlp"},"span":{"traceId":"30313233343536373839616263646566","spanId":"3031323334353637","name":"n"}}}`,
	`{"event_id":"a","event_type":"observation_create","payload":{"langfuse":{"type":"span-create"},"id":"o","traceId":"t"}}`, `{"event_id":"a","event_type":"observation_create","payload":{"langfuse":{"type":"trace-create"},"id":"o","traceId":"t","name":"n"}}`,
	`{"event_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","event_type":"event","payload":{}}`,
}

var payloads = []string{
	`{}`, `{"name":"n"}`, `{"id":"o","name":"n"}`, `{"id":1,"name":"n"}`, `{"id":"","span_id":"s","name":"n","trace_id":"t"}`, `{"id":"o","trace_id":"t","name":"n","value":0.5,"observation_id":"ob"}`,
	`{"name":1}`, `{"name":{"a":1},"id":"o"}`, `{"name":"","id":"o","score_name":"q","score_value":"0.5","trace_id":"t","reason":"because"}`, `{"name":"x","name":"y","id":"o","trace_id":"t","value":"good"}`,
	`{"name":"x","name":null,"id":"o"}`, `{"n\u0061me":"esc","id":"o","trace_id":"t\"\\","value":true,"data_type":"boolean"}`,
	`{"id":"o","trace_id":"t","name":"n","type":"generation","model":"m","provider":"p","input":[{"role":"user","content":"q"}],"output":{"a":1},"prompt_tokens":3,"completion_tokens":"4","total_cost":0.5,"latency_ms":12,"metadata":{"a":1},"model_parameters":{"t":0.1},"level":"warning","tags":["a","b"],"start_time":"2026-03-01T10:00:00.123456Z","end_time":1772359201.5}`,
	`{"id":"o","trace_id":"t","name":"n","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"pages":7,"searches":1.0}}`, `{"id":"o","trace_id":"t","name":"n","usage":{"input_tokens":10,"output_tokens":2,"cache_read_input_tokens":4,"cache_creation":{"ephemeral_1h_input_tokens":2}}}`,
	`{"id":"o","usage":[],"usageMetadata":{"promptTokenCount":5,"thoughtsTokenCount":7,"candidatesTokenCount":"x"},"usage_details":{"input":1,"output":2}}`, `{"id":"o","usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":5}}}`,
	`{"id":"o","clear":["tags",1,"x","name"],"level":"FATAL2","finish_reason":"MAX_TOKENS","status":"failed","error":"boom","success":false,"error_type":"E"}`,
	`{"type":"instrumentation","operation":"x_completion","span_id":"s","timestamp":2.5,"duration_ms":1,"response_attributes":{"llm.usage.prompt_tokens":1,"llm.model":"m"}}`,
	`{"type":"instrumentation","method":"GET","endpoint":"/x","span_id":"s","trace_id":"t","request_attributes":{"llm.model":"m2","brokle.user_id":"u"}}`,
	`{"id":"o","type":"span","span_id":"s","status":"error","attributes":{"input.args.1":{"a":[]},"input.kwargs.k":1,"metadata.m":null,"error.type":"E","brokle.tags":"a,b","error.message":"bad"}}`,
	`{"tags":{"b":1,"a":"x"},"type":"span","span_id":"s","user_id":12,"session_id":true}`, `{"external_trace_id":"x","external_observation_id":"y","parent_span_id":"z","name":"n"}`,
	`{"id":"o","name":"n","start_time":"never","end_time":-1,"prompt_tokens":1.5,"completion_tokens":-1,"total_cost":"1e400","latency_ms":-2,"quality_score":"NaN","level":"loud","tags":5,"user_id":[],"version":{},"parent_trace_id":7}`,
	`{"id":"o","name":"n","trace_id":null,"user_id":null,"tags":null,"metadata":null,"input":null,"output":null,"level":null,"value":null}`, `{"id":"o","name":"n","trace_id":"t","value":"x","data_type":"NUMERIC"}`, `{"id":"o","name":"n","trace_id":"t","value":2,"data_type":"BOOLEAN"}`,
	`{"id":"o","name":"n","trace_id":"t","string_value":"s","data_type":"odd","source":"llm","comment":"c","author_user_id":9}`, `{"id":"o","name":"n","trace_id":"t","value":[]}`, `{"id":"o","name":"n","trace_id":"","observation_id":"","value":1}`,
	` { "name" : "n" , "id" : "o" , "value" : 1e3 , "trace_id" : "t" } `, `[]`, `1`, `"x"`, `null`, `{"name":"n","id":"o","trace_id":"a\u0000b"}`, `{"":1,"name":"n"}`, `{"name":"n","id":"o","completion_start_time":1772359201,"cache_read_cost":-1,"environment":"x","release":1.50,"finish_reason":"weird"}`,
}

var bulks = []string{
	`{"telemetry":[{"a":1},{"a":1}]}`, `{"telemetry":[{"a":1}],"timestamp":1700000000.5,"batch_size":1}`, `{"timestamp":"x","telemetry":[{"a":1}]}`, `{"telemetry":[{"a":1}],"telemetry":[{"b":2},{"c":NaN}]}`,
	`{"telemetry":[{"a":1}],"telemetry":null}`, `{"telemetry":[{"a":[[[[[[[[[1]]]]]]]]]}]}`, `{"telemetry":[{"type":"span","span_id":"s","name":"n"}]}`,
}

var scores = []string{
	`{"name":"q","trace_id":"t","value":0.5}`, `{"name":"q","value":0.5}`, `{"id":"s","name":"q","traceId":"t","value":"good","dataType":"CATEGORICAL"}`, `{"id":"","score_id":"x","name":"q","trace_id":"t","value":NaN}`,
	`{"name":"q","traceId":"t","observationId":"o","value":1,"timestamp":"2026-01-01T00:00:00Z","source":"ANNOTATION","comment":"c"}`, `{"name":"q","session_id":"s","value":1}`, `{"name":"","trace_id":"t","value":1}`, `{"id":5,"name":"q","trace_id":"t","value":1}`,
}

var langfuses = []string{
	`{"batch":[{"id":"a","type":"trace-create","body":{"id":"t"}}],"batch":[{"id":"b","type":"trace-create","body":{"id":"u"}}]}`, `{"batch":{}}`, `{"metadata":1}`, `[{"name":"q","traceId":"t","value":1},5,{"name":"r","value":2}]`, `{"batch":[{"id":"a"}],"x":nope}`,
}

var langfuseEvents = []string{
	`{"id":"a","type":"trace-create","timestamp":"2026-01-02T00:00:00Z","body":{"id":"t","name":"n","userId":"u","timestamp":"2026-01-01T00:00:00Z","tags":["a"],"environment":"Prod X"}}`,
	`{"id":"a","type":"generation-create","body":{"id":"o","traceId":"t","startTime":"2026-01-01T00:00:00Z","model":"m","modelParameters":{"t":"inf","k":1},"usage":{"input":1,"output":2,"unit":"TOKENS","totalCost":0.5},"level":"WARNING","extra":1}}`,
	`{"id":"a","type":"generation-update","body":{"id":"o","traceId":"t","usageDetails":{"input":1,"cache_read_input_tokens":5},"costDetails":{"input":0.1,"total":"0.2"},"trace":{"release":"r"}}}`,
	`{"id":"a","type":"span-create","body":{"id":5,"traceId":"t"}}`, `{"id":"a","type":"span-create","body":{}}`, `{"id":"a","type":"span-update","body":{"startTime":"x"}}`, `{"id":"a","type":"sdk-log","body":{"log":1}}`, `{"id":"a","type":"score-create","body":{"name":"q","value":1}}`,
	`{"id":"a","type":"score-create","body":{"name":"q","traceId":"t","value":"x","dataType":"TEXT"}}`, `{"id":"a","type":"score-create","timestamp":1,"body":{"name":"q","traceId":"","observationId":null,"value":1}}`, `{"id":"a","type":"nope","body":{}}`, `{"type":"trace-create","body":{}}`,
	`{"id":"a","type":"trace-create","body":[]}`, `{"id":"a","type":"trace-create"}`, `{"id":5,"type":7,"body":{}}`, `{"id":"a","type":"observation-create","body":{"id":"o","traceId":"t","type":"GENERATION","metadata":{"x":NaN},"input":Infinity}}`, `{"id":"a","type":"event-create","body":{ "id" : "o" , "traceId":"t" }}`,
	`{"id":"a b","type":"event-create","body":{"id":"o"}}`, `{"id":"a","type":"event-create","timestamp":"x","body":{"id":"o","name":"n"}}`,
}
