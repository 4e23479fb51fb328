/** questions are some to begin with. The same stand in docs/sql.md, where a test holds them against each other and runs them. */
export const questions: { title: string; sql: string }[] = [
  {
    title: "What did each model cost, and how often was it called?",
    sql: `SELECT model, count(*) AS calls, sum(counted_cost) AS cost, sum(counted_tokens) AS tokens
FROM observations
WHERE model IS NOT NULL
GROUP BY model
ORDER BY cost DESC NULLS LAST`,
  },
  {
    title: "How many traces were there each hour, and how many failed?",
    sql: `SELECT date_trunc('hour', start_time) AS hour, count(*) AS traces, sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS failed
FROM traces
GROUP BY 1
ORDER BY 1`,
  },
  {
    title: "Who spends the most?",
    sql: `SELECT user_id, count(*) AS traces, sum(total_cost) AS cost
FROM traces
WHERE user_id IS NOT NULL
GROUP BY user_id
ORDER BY cost DESC NULLS LAST
LIMIT 20`,
  },
  {
    title: "Which traces are the slowest?",
    sql: `SELECT id, name, start_time, latency_ms, total_cost
FROM traces
WHERE latency_ms IS NOT NULL
ORDER BY latency_ms DESC
LIMIT 20`,
  },
  {
    title: "What goes wrong, and where?",
    sql: `SELECT name, error_type, count(*) AS errors, max(start_time) AS last_seen
FROM observations
WHERE level = 'ERROR'
GROUP BY name, error_type
ORDER BY errors DESC
LIMIT 50`,
  },
];
