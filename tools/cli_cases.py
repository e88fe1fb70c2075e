"""Runs the command-line cases of tests/cli: text files that read like a terminal.

    # a comment
    $ sardonyx check {data}/bad.onnx      a command; {data}: tests/cli/data, {tmp}: a fresh folder, {root}: the repository
    invalid                                expected output, standard output and standard error together, line by line;
    ~ .*line \\d+                          a line that starts with "~ " is a regular expression, "..." stands for any lines
    exit 1                                 the expected exit status (0 where none is given)
    requires ../shared/data/superres       skips the file, with this reason, where the path is absent
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree


def parse(text):
    """Returns (requirements, [(line number, command, expected lines, exit status)])."""
    requirements, steps = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or (not line.strip() and not steps):
            continue
        if line.startswith("requires "):
            requirements.append(line[len("requires "):].strip())
        elif line.startswith("$ "):
            steps.append([number, line[2:], [], 0])
        elif line.startswith("exit "):
            steps[-1][3] = int(line[5:])
        elif line.strip():
            steps[-1][2].append(line)
    return requirements, steps


SVG = "{http://www.w3.org/2000/svg}"


def svg_problems(path):
    """What is wrong with a picture: not well-formed, shapes outside its frame, numbers that are none; for the cases."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except xml.etree.ElementTree.ParseError as error:
        return [str(error)]
    problems = [] if root.tag == SVG + "svg" else [f"the root is {root.tag}"]
    width, height = (float(part) for part in root.get("viewBox").split()[2:])
    for rect in root.iter(SVG + "rect"):
        if rect.get("width") == "100%":
            continue
        left, top, wide, high = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        inside = left >= 0 and top >= 0 and left + wide <= width and top + high <= height
        if not inside:
            problems.append(f"outside of {width} x {height}: {rect.attrib}")
        if rect.find(SVG + "title") is None:
            problems.append(f"no title: {rect.attrib}")
    return problems


def example_problems(document, command, output):
    """Lines of a command's example in a document that its output does not have so, but for numbers and spaces; for the cases."""
    def essence(line):
        return re.sub(r"\d+(\.\d+)? ?[kMGT]?", "0", " ".join(line.split()))

    text = pathlib.Path(document).read_text()
    example = text[text.index(f"$ {command}\n") :].split("```")[0].splitlines()[1:]
    actual = pathlib.Path(output).read_text().splitlines()
    problems = [f"{mine} | {theirs}" for mine, theirs in zip(example, actual) if essence(mine) != essence(theirs)]
    return problems if len(example) == len(actual) else problems + [f"{len(example)} lines, {len(actual)} in the output"]


def line_matches(expected, line):
    if expected.startswith("~ "):
        return re.search(expected[2:], line) is not None
    return expected.rstrip() == line.rstrip()


def output_matches(expected, lines):
    if not expected:
        return not lines
    if expected[0] == "...":
        return any(output_matches(expected[1:], lines[i:]) for i in range(len(lines) + 1)) if expected[1:] else True
    return bool(lines) and line_matches(expected[0], lines[0]) and output_matches(expected[1:], lines[1:])


def run_file(path, program, root, environment):
    """Returns (outcome, detail)."""
    requirements, steps = parse(path.read_text())
    for requirement in requirements:
        if not (root / requirement).exists():
            return "skipped", f"{requirement} is not here"
    folder = tempfile.mkdtemp(prefix="sardonyx_cli_")
    places = {"{data}": str(root / "tests/cli/data"), "{tmp}": folder, "{root}": str(root)}

    def fill(text):
        for key, value in places.items():
            text = text.replace(key, value)
        return text

    try:
        for number, command, expected, status in steps:
            shell = f'sardonyx() {{ "{program}" "$@"; }}\n{fill(command)}'
            result = subprocess.run(["bash", "-c", shell], cwd=root, text=True, errors="replace", stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, env={**os.environ, **environment}, check=False)
            lines = [line for line in result.stdout.splitlines() if line.strip()]
            if result.returncode != status:
                return "failed", f"{path.name}:{number}: {command}\nexit status {result.returncode}, not {status}\n{result.stdout}"
            if not output_matches([fill(line) for line in expected], lines):
                return "failed", f"{path.name}:{number}: {command}\nexpected:\n" + "\n".join(expected) + f"\ngot:\n{result.stdout}"
    except subprocess.TimeoutExpired as slow:
        return "failed", f"{path.name}: timed out: {slow.cmd}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "passed", ""


def run(tally, stage, program, folder, environment=None):
    root = pathlib.Path(folder).parent.parent
    for path in sorted(pathlib.Path(folder).glob("*.test")):
        outcome, detail = run_file(path, program, root, environment or {})
        tally.add(f"{stage} {path.stem}", outcome, detail)
