"""Datasets and experiments by Brokle's published Python client, as its users write them.

BROKLE_API_KEY and BROKLE_BASE_URL name the server; BROKLE_ENVIRONMENT the environment. The last line printed is a JSON object of what was seen.
"""
import json
import os
import sys
import tempfile

from brokle import Brokle
from brokle.datasets import CSVColumnMapping, KeysMapping
from brokle.datasets.exceptions import DatasetError
from brokle.scores import ScoreResult

client = Brokle(api_key=os.environ["BROKLE_API_KEY"], base_url=os.environ["BROKLE_BASE_URL"])
seen = {}

dataset = client.datasets.create(name="capitals", description="of countries", metadata={"by": "hand"})
seen["inserted"] = dataset.insert([
    {"input": {"q": "France?"}, "expected": {"a": "Paris"}},
    {"input": {"q": "Italy?"}, "expected": {"a": "Rome"}, "metadata": {"hard": False}},
    {"input": {"q": "Spain?"}, "expected": {"a": "Madrid"}},
])
seen["again"] = dataset.insert([{"input": {"q": "France?"}, "expected": {"a": "Paris"}}], deduplicate=True)
seen["length"] = len(dataset)
seen["items"] = [[i.input["q"], i.expected["a"], i.source] for i in dataset]
seen["listed"] = [d.name for d in client.datasets.list()]
seen["found"] = client.datasets.get(dataset.id).description
seen["renamed"] = client.datasets.update(dataset.id, description="of Europe").description
try:
    client.datasets.create(name="capitals")
except DatasetError as e:
    seen["twice"] = str(e)
try:
    dataset.insert([{"input": None}])
except DatasetError as e:
    seen["refused"] = str(e)

before = dataset.create_version(description="three capitals", metadata={"n": 3})
seen["version"] = [before.item_count, before.description]

with tempfile.TemporaryDirectory() as d:
    path = os.path.join(d, "rows.jsonl")
    with open(path, "w") as f:
        f.write('{"question": "Norway?", "answer": "Oslo"}\n{"question": "Norway?", "answer": "Oslo"}\n')
    r = dataset.insert_from_json(path, keys_mapping=KeysMapping(input_keys=["question"], expected_keys=["answer"]))
    seen["json"] = [r.created, r.skipped]
    path = os.path.join(d, "rows.csv")
    with open(path, "w") as f:
        f.write('question,answer,topic\n"Peru?",Lima,far\nMali?\n')
    r = dataset.insert_from_csv(path, CSVColumnMapping(input_column="question", expected_column="answer", metadata_columns=["topic"]))
    seen["csv"] = [r.created, r.skipped, r.errors]
    r = dataset.from_traces([os.environ["TRACE"], "nowhere"])
    seen["traces"] = [r.created, r.errors]
    path = os.path.join(d, "out.json")
    dataset.to_json(path)
    with open(path) as f:
        seen["exported"] = [i["input"] for i in json.load(f)]

seen["versions"] = [v.item_count for v in dataset.list_versions()]
seen["then"] = len(dataset.get_version_items(before.id, limit=10))
dataset.pin_version(before.id)
info = dataset.get_info()
seen["pinned"] = [len(dataset), info.current_version, info.latest_version]


def answers(known):
    def task(item):
        if item["q"] not in known:
            raise RuntimeError("never heard of it")
        return known[item["q"]]
    return task


def exact(output, expected, input, **kwargs):
    return ScoreResult(name="exact", value=1.0 if output == expected["a"] else 0.0, reason=f"{output} for {input['q']}")


runs = []
for name, known in [("few", {"France?": "Paris", "Italy?": "Milan"}), ("all", {"France?": "Paris", "Italy?": "Rome", "Spain?": "Madrid"})]:
    out = client.experiments.run(name=name, dataset=dataset, task=answers(known), scorers=[exact], metadata={"model": name}, max_concurrency=2)
    runs.append(out.experiment_id)
    seen[name] = [out.summary["exact"].mean, len(out.items), client.experiments.get(out.experiment_id).status]
seen["runs"] = runs
seen["experiments"] = sorted(e.name for e in client.experiments.list())
compared = client.experiments.compare(runs, baseline_id=runs[0])
seen["compared"] = {name: s["mean"] for name, s in ((compared.experiments[i]["name"], compared.scores["exact"][i]) for i in runs)}
seen["diff"] = compared.get_diff("exact", runs[1])
seen["rerun"] = client.experiments.rerun(runs[0]).status

other = client.datasets.create(name="for a moment")
client.datasets.delete(other.id)
seen["deleted"] = [d.name for d in client.datasets.list()]
print(json.dumps(seen))
sys.stdout.flush()
