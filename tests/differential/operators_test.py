#!/usr/bin/env python3
"""Holds every operator to ONNX Runtime on random attributes, shapes and types.

usage: operators_test.py --tool build/bin/operators_driver [--seed N] [--cases N] [--only A,B] [--jobs N] [--verbose] [--case OPERATOR:INDEX]

The families in operators/*.py make the cases (see operators/case.py); models of one node run on both sides, ONNX Runtime without
optimisation. Cases that ONNX Runtime does not implement are skipped and counted for each operator; --cases (default 200) counts those that
it does run. Each disagreement must be explained by a rule in operators_known*.txt, a line of three parts:
  OPERATOR PREDICATE # REASON
PREDICATE is a function in operators/known*.py. Random operators are held to the distribution. ONNX Runtime runs in worker processes: a crash
is a disagreement, too. The seed is printed. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import collections
import fnmatch
import glob
import importlib
import multiprocessing
import multiprocessing.connection
import os
import pkgutil
import random
import sys
import tempfile
import time
import traceback

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import operators
from operators.case import Case, generator_for
from operators.compare import disagreement
from operators.sides import OnnxRuntime, Outcome, Sardonyx, reference

HERE = os.path.dirname(os.path.abspath(__file__))
HANG_SECONDS = 120
SKIPPED_FOR_EACH = 4  # an operator's cases end, too, when so many times --cases were drawn


def load_families():
    """Operator -> its generator, from all modules in operators/ that have CASES."""
    found = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(operators.__path__)):
        for name, generate in getattr(importlib.import_module(f"operators.{module}"), "CASES", {}).items():
            if name in found:
                raise SystemExit(f"operators/{module}.py: {name} has cases in another module, too")
            found[name] = generate
    return found


def predicates():
    """Name -> function, from operators/known*.py."""
    found = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(operators.__path__) if info.name.startswith("known")):
        found |= vars(importlib.import_module(f"operators.{module}"))
    return found


def load_rules(path):
    """Rules as (operator pattern, predicate name, reason)."""
    rules, known = [], predicates()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head, _, reason = line.partition(" # ")
            words = head.split()
            if len(words) != 2 or not reason or words[1] not in known:
                raise SystemExit(f"{path}:{number}: not a rule, or no such predicate in operators/known*.py: {line}")
            rules.append((words[0], words[1], reason))
    return rules


class Explanations:
    def __init__(self, rules):
        self.rules, self.predicates = rules, predicates()

    def find(self, case, ours, theirs):
        """The number of the first rule that explains the disagreement, or None."""
        for number, (pattern, predicate, _) in enumerate(self.rules):
            if fnmatch.fnmatchcase(case.name, pattern) and self.predicates[predicate](case, ours, theirs):
                return number
        return None


class Worker:
    """In its own process: draws an operator's cases and judges them."""

    def __init__(self, pipe, tool, rules):
        self.pipe, self.families, self.explanations = pipe, load_families(), Explanations(rules)
        self.folder = tempfile.TemporaryDirectory()
        self.theirs, self.ours = OnnxRuntime(), Sardonyx(tool, self.folder.name)

    def serve(self):
        np.seterr(all="ignore")
        for name, seed, wanted, crashed in iter(self.pipe.recv, None):
            try:
                self.operator(name, seed, wanted, crashed)
            except Exception:  # pylint: disable=broad-except
                self.pipe.send(("failed", name, f"{name}: {traceback.format_exc()}"))
            self.pipe.send(("done", name))

    def operator(self, name, seed, wanted, crashed):
        rng, batch, compared = generator_for(name, seed), [], 0
        for index in range(wanted * SKIPPED_FOR_EACH):
            case = Case(name, index, self.families[name](rng))
            if not case.follows_schema():
                continue
            model = case.model().SerializeToString()
            theirs = self.run_theirs(case, model, crashed)
            if theirs.not_implemented():
                self.pipe.send(("skipped", name))
                continue
            batch.append((case, model, theirs))
            compared += 1
            if compared == wanted or len(batch) == 50:
                self.judge(batch)
                batch = []
            if compared == wanted:
                break
        self.judge(batch)

    def run_theirs(self, case, model, crashed):
        if case.index in crashed:
            return Outcome(error="ONNX Runtime crashes")
        self.pipe.send(("case", case.index))
        return self.theirs.run(case, model)

    def judge(self, batch):
        for (case, model, theirs), ours in zip(batch, self.ours.run([(case, model) for case, model, _ in batch])):
            why = disagreement(case, ours, theirs)
            if why is None:
                both_refuse = theirs.error is not None
                self.pipe.send(("refused" if both_refuse else "agreed", case.name, f"{case.describe()}: {theirs.error}" if both_refuse else ""))
                continue
            rule = self.explanations.find(case, ours, theirs)
            if rule is not None:
                self.pipe.send(("explained", case.name, rule))
            else:
                self.pipe.send(("failed", case.name, f"{case.describe()}\n    {why}{self.third_opinion(case, model, ours, theirs)}"))

    def third_opinion(self, case, model, ours, theirs):
        if case.domain or case.sample:
            return ""
        verdict = reference(case, model)
        if verdict.error is not None:
            return f"\n    (onnx's reference refuses: {verdict.error[:200]})"
        agrees = [side for side, outcome in (("us", ours), ("ONNX Runtime", theirs)) if outcome.error is None and disagreement(case, outcome,
                                                                                                                               verdict) is None]
        return f"\n    (onnx's reference agrees with {' and '.join(agrees) or 'neither'})"


def work(pipe, tool, rules):
    Worker(pipe, tool, rules).serve()


class Crew:
    """Keeps worker processes busy; replaces those that crash or hang."""

    def __init__(self, options, names, rules, seed):
        self.options, self.rules, self.seed = options, rules, seed
        self.queue = collections.deque((name, frozenset()) for name in names)
        self.busy, self.held = {}, {}
        self.counts = collections.defaultdict(collections.Counter)
        self.failures, self.used, self.refusals, self.pending = collections.defaultdict(list), collections.Counter(), {}, {}

    def start(self):
        mine, other = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=work, args=(other, self.options.tool, self.rules), daemon=True)
        process.start()
        other.close()
        self.busy[mine] = [process, None, None, None, 0.0]
        self.feed(mine)

    def feed(self, pipe):
        if not self.queue:
            pipe.send(None)
            self.busy.pop(pipe)[0].join()
            return
        name, crashed = self.queue.popleft()
        self.busy[pipe][1:] = [name, crashed, None, time.monotonic()]
        self.pending[name] = []
        pipe.send((name, self.seed, self.options.cases, crashed))

    def run(self):
        for _ in range(min(self.options.jobs, len(self.queue))):
            self.start()
        while self.busy:
            for pipe in multiprocessing.connection.wait(list(self.busy), timeout=5):
                self.receive(pipe)
            for pipe, state in list(self.busy.items()):
                if state[4] and time.monotonic() - state[4] > HANG_SECONDS:
                    state[0].kill()

    def receive(self, pipe):
        state = self.busy[pipe]
        try:
            message = pipe.recv()
        except (EOFError, ConnectionResetError):
            self.replace(pipe)
            return
        state[4] = time.monotonic()
        if message[0] == "case":
            state[3] = message[1]
        elif message[0] == "done":
            self.count(message[1])
            self.feed(pipe)
        else:
            self.pending[message[1]].append(message)

    def replace(self, pipe):
        """The case under way is repeated as one that crashes ONNX Runtime."""
        process, name, crashed, index, _ = self.busy.pop(pipe)
        process.join()
        if index is None or index in crashed:
            self.counts[name]["failed"] += 1
            self.failures[name].append(f"{name}: the worker ended with status {process.exitcode} after case {index}")
        else:
            self.queue.appendleft((name, crashed | {index}))
        self.start()

    def count(self, name):
        for kind, _, *rest in self.pending.pop(name):
            self.counts[name][kind] += 1
            if kind == "explained":
                self.used[rest[0]] += 1
            elif kind == "failed":
                self.failures[name].append(rest[0])
            elif kind == "refused":
                self.refusals[name] = rest[0]
        if self.options.verbose:
            print(name, dict(self.counts[name]), flush=True)


def report(crew, shown):
    for name, lines in sorted(crew.failures.items()):
        for line in lines[:shown]:
            print(f"FAILED {line}")
        if len(lines) > shown:
            print(f"  and {len(lines) - shown} more of {name}")
    for number, (operator, predicate, reason) in enumerate(crew.rules):
        if crew.used[number]:
            print(f"explained {crew.used[number]}: {operator} {predicate}: {reason}")
    for name, counts in sorted(crew.counts.items()):
        ran = counts["agreed"] + counts["explained"] + counts["failed"]
        if ran + counts["refused"] < crew.options.cases:
            print(f"only {ran + counts['refused']} of {name} were compared")
        if counts["refused"] > ran / 10 or (counts["refused"] and crew.options.verbose):
            print(f"both refuse {counts['refused']} of {name}, such as {crew.refusals[name][:300]}")
        if counts["skipped"]:
            print(f"skipped {counts['skipped']} of {name}: not implemented in ONNX Runtime; {ran + counts['refused']} compared")
    totals = sum(crew.counts.values(), collections.Counter())
    passed = totals["agreed"] + totals["refused"] + totals["explained"]
    print(f"{len(crew.counts)} operators; {totals['agreed']} agree, {totals['explained']} differ as explained, {totals['refused']} are refused by both")
    print(f"{passed} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if totals["failed"] else 0


def show_case(options, name, index, seed):
    """Prints one case with what each side makes of it."""
    generate, rng = load_families()[name], generator_for(name, seed)
    for i in range(index + 1):
        case = Case(name, i, generate(rng))
    model = case.model().SerializeToString()
    print(case.describe())
    for i, value in enumerate(case.inputs):
        print(f"input {i}:", value)
    with tempfile.TemporaryDirectory() as folder:
        sides = {"sardonyx": Sardonyx(options.tool, folder).run([(case, model)])[0], "reference": reference(case, model),
                 "ONNX Runtime": OnnxRuntime().run(case, model)}
    for side, outcome in sides.items():
        print(f"{side}:", outcome.error if outcome.error is not None else outcome.outputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--seed", type=int, default=14, help="another one draws other cases, and may meet a disagreement that no rule covers yet")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--only", default="", help="operators, separated by commas; * is any text")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--shown", type=int, default=5, help="failures printed for each operator")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--case", default="", help="OPERATOR:INDEX: prints this case alone")
    options = parser.parse_args()
    print(f"seed {options.seed}, onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}", flush=True)
    if options.case:
        name, _, index = options.case.rpartition(":")
        show_case(options, name, int(index), options.seed)
        return 0
    names = sorted(load_families())
    if options.only:
        names = [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in options.only.split(","))]
    rules = [rule for path in sorted(glob.glob(os.path.join(HERE, "operators_known*.txt"))) for rule in load_rules(path)]
    crew = Crew(options, names, rules, options.seed)
    crew.run()
    return report(crew, options.shown)


if __name__ == "__main__":
    sys.exit(main())
