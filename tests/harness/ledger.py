"""What seep why says of a process, checked: the schema, the sums, and how much is explained."""

import json
import pathlib

import jsonschema

from harness import seep

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPAQUE_MOST, RESIDUAL_MOST = 0.05, 0.01


def validate(report):
    """Every key of the schema, and no other."""
    schema = json.loads((ROOT / "doc/why.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert set(report) == set(schema["properties"])
    for key, name in (("parts", "part"), ("arenas", "arena")):
        for row in report[key][:1]:
            assert set(row) == set(schema["$defs"][name]["properties"])


def why(pid, *options):
    answer = seep.run("why", "--json", "--max-pause", "20s", *options, pid)
    assert answer.status == seep.NONE, answer
    report = json.loads(answer.out)
    validate(report)
    parts = sum(part["bytes"] for part in report["parts"])
    assert parts == report["explained_bytes"] + report["opaque_bytes"]
    assert report["rss_bytes"] == parts + report["residual_bytes"]
    return report


def kind(report, name):
    return sum(part["bytes"] for part in report["parts"] if part["kind"] == name)


def assert_explained(report):
    rss = report["rss_bytes"]
    print(f"  {report['target']['name']}: {rss} resident, opaque "
          f"{100 * report['opaque_bytes'] / rss:.2f} %, residual {report['residual_bytes']}")
    assert report["opaque_bytes"] <= OPAQUE_MOST * rss, report["parts"]
    assert abs(report["residual_bytes"]) <= RESIDUAL_MOST * rss, report["residual_bytes"]
