import type { ScoreDefinition } from "../types.ts";

/** THUMBS is the score that needs no definition. */
const THUMBS: ScoreDefinition = {
  name: "thumbs",
  data_type: "BOOLEAN",
  description: "",
  updated_at: "",
  updated_by: "",
};

/** definitionsOf are the scores that people can give: those that the project defines, and thumbs. */
export const definitionsOf = (defined: ScoreDefinition[]): ScoreDefinition[] => [
  ...defined,
  ...(defined.some(d => d.name === THUMBS.name) ? [] : [THUMBS]),
];
