#!/usr/bin/env python3
"""Runs the onnx package's own tests of its checker, shape inference, parser, printer and version converter against sardonyx.

usage: onnx_cases_test.py --tool build/bin/onnx_cases_driver [--folder build/onnx-tests] [--only checker_test,...]

The tests are those of the package's source distribution, fetched once into --folder; without it they are skipped. They run as they are, with
sardonyx put in the place of the functions under test (onnx_cases_plugin.py). Tests that ask for what sardonyx does otherwise on purpose are
listed, with the reason, in onnx_cases.txt: they count as skipped; a line of the list that no test needs counts as failed.
"""
import argparse
import fnmatch
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request

from model_test import Tally

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VERSION = "1.22.0"
MODULES = ["checker_test", "shape_inference_test", "data_propagation_test", "function_inference_test", "inference_function_test",
           "node_shape_inference_test", "model_inference_test", "symbolic_shape_test", "parser_test", "printer_test", "version_converter_test"]


def index_address():
    from pip._internal.models.index import PyPI
    configured = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    return os.environ.get("PIP_INDEX_URL") or configured.stdout.strip() or PyPI.simple_url


def fetch(folder):
    """Puts the package's test modules into `folder`; returns why not, or None."""
    if os.path.isdir(os.path.join(folder, "version_converter")):
        return None
    page = urllib.parse.urljoin(index_address().rstrip("/") + "/", "onnx/")
    try:
        links = re.findall(r'href="([^"]+)"', urllib.request.urlopen(page, timeout=60).read().decode())
        link = next(urllib.parse.urljoin(page, href) for href in links if f"/onnx-{VERSION}.tar.gz" in href)
        content = urllib.request.urlopen(link.split("#")[0], timeout=300).read()
    except (OSError, StopIteration) as error:
        return f"the source distribution of onnx {VERSION} cannot be fetched: {error}"
    if "#sha256=" in link and hashlib.sha256(content).hexdigest() != link.split("#sha256=")[1]:
        return f"the source distribution of onnx {VERSION} came damaged"
    prefix = f"onnx-{VERSION}/onnx/test/"
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.startswith(prefix) and member.name.endswith(".py"):
                path = os.path.join(folder, member.name[len(prefix):])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(tar.extractfile(member).read())
    return None


def listed_reasons():
    """[(pattern, reason)] of onnx_cases.txt: lines "module::Class::test   # reason"."""
    with open(os.path.join(HERE, "onnx_cases.txt")) as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split(" # ", 1)) for line in lines]


def outcomes(tool, folder, module):
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report.txt")
        environment = {**os.environ, "SARDONYX_DRIVER": os.path.abspath(tool), "SARDONYX_REPORT": report, "PYTHONPATH": HERE,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "--maxfail=100000", "-p", "no:cacheprovider", "-p", "onnx_cases_plugin",
                              module + ".py"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not os.path.exists(report):
            return [("failed", module, run.stdout[-2000:] + run.stderr[-2000:])]
        with open(report) as file:
            found = [tuple(line.rstrip("\n").split("\t")) for line in file]
        return found or [("failed", module, run.stdout[-2000:] + run.stderr[-2000:])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", default=os.path.join(ROOT, "build/onnx-tests"))
    parser.add_argument("--only", default=",".join(MODULES))
    arguments = parser.parse_args()
    tally = Tally()
    useless = {pattern for pattern, _ in listed_reasons()}
    why_not = fetch(arguments.folder)
    reasons = listed_reasons()
    for module in arguments.only.split(",") if why_not is None else []:
        for outcome, name, error in outcomes(arguments.tool, arguments.folder, module):
            pattern, reason = next(((p, why) for p, why in reasons if fnmatch.fnmatchcase(name.replace(".py", ""), p)), (None, None))
            if outcome == "skipped":
                tally.skip(name, error or "onnx skips it")
            elif reason is None or outcome == "passed":
                tally.check(module, name, outcome == "passed", error)
            else:
                useless.discard(pattern)
                tally.skip(name, reason)
        for pattern in [p for p in useless if p.startswith(module + "::")]:
            tally.check(module, pattern, False, "onnx_cases.txt lists it, and no such test fails")
    if why_not is not None:
        tally.skip("onnx's own tests", why_not)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
