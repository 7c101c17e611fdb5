"""Runs checkov on several sets of objects with a single start: one line of JSON for each set.

The first line of the output is the number of its checks for Kubernetes objects."""

import json
import logging
import os
import pathlib
import sys
import tempfile

import yaml

# For one file, its processes cost more than they save.
os.environ["CHECKOV_PARALLELIZATION_TYPE"] = "thread"

from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.kubernetes.checks.resource.registry import registry
from checkov.kubernetes.runner import Runner as Kubernetes
from checkov.runner_filter import RunnerFilter
from checkov.secrets.runner import Runner as Secrets

logging.disable(logging.CRITICAL)
# Keep its own output apart from the answers.
answers, sys.stdout = sys.stdout, sys.stderr


def answer(value):
    print(json.dumps(value), file=answers, flush=True)


def reports(objects):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "manifests.yaml")
        file.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper))
        for name, runner in (("kubernetes", Kubernetes()), ("secrets", Secrets())):
            found = runner.run(None, files=[str(file)], runner_filter=RunnerFilter(framework=[name]))
            for record in found.failed_checks:
                # Include the checked fields, since a resource may have several containers.
                at = [record.resource, *record.check_result.get("evaluated_keys", [])]
                yield {"rule": record.check_id, "at": " ".join(at), "fails": True}


def rules():
    graph = get_graph_checks_registry("kubernetes")
    graph.load_checks()
    identities = {check.id for checks in registry.checks.values() for check in checks}
    return len(identities | {check.id for check in graph.checks})


answer(rules())
for line in sys.stdin:
    answer(list(reports(json.loads(line))))
