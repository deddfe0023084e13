"""Change the calculator one place at a time, and say which changes no test notices: `python -m tools.mutants`.

mutmut makes the mutants; what is changed and which tests are run is in its table of pyproject.toml. They are tried here, as that
is quicker: a worker collects the tests once, sees which test reaches which line, and forks for each mutant a process that runs
those tests alone that reach the changed statement, the ones that found most before first, until one fails.

Names are those of mutmut: `projections.evaluation.forms.x_scaled__mutmut_2`. Verdicts are kept in mutants/verdicts.json, each
with a digest of the function and of the changed one, so that a part can be tried again and an edited function is tried anew;
what its tests or the functions it calls have become meanwhile is not seen: remove the file to try all. Changes that survive are
shown as differences in mutants/survivors.txt. Two runs at once need a folder each: MUTANTS_IN names another one than mutants/.

A mutant is found where a test fails or brings Python down (a library that is given nonsense may end the process), and where it
takes far longer than its tests do, or more memory than there is (`endless`).
What goes wrong beside a test (pytest itself, a process that ends without an answer, tests that cannot be collected or fail
without any mutant) says nothing of a mutant: it is written to stderr, and the run stops with 3.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import faulthandler
import fnmatch
import functools
import gc
import importlib
import json
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / os.environ.get("MUTANTS_IN", "mutants")
VERDICTS = PLACE / "verdicts.json"
# A mutant may never end, or ask for all memory there is. Seconds are those of the processor, as others may use it as well; what
# only waits uses none, and is stopped by the clock after so many times as long.
_MOST_BYTES = 4 << 30
_CLOCK = 20
_CRASHES = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, -signal.SIGABRT)
_CACHED = type(functools.cache(len))
_SURVIVED, _KILLED, _ENDLESS, _UNREACHED = "survived", "killed", "endless", "unreached"


def main() -> int:
    """Make the mutants, try those that are asked for, and print a table; 1 where one survives, 3 where they could not be tried."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="*", metavar="PATTERN", help="names of mutants, with * (all)")
    parser.add_argument("--workers", type=int, default=1, help="processes that try mutants (1)")
    parser.add_argument(
        "--again", action="store_true", help="only what survived, or was not reached, last time"
    )
    parser.add_argument(
        "--tests",
        nargs="+",
        metavar="FILE",
        help="try against these alone, which is quick; what survives is tried --again",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        return _work(Path(asked.worker))
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "mutmut"
    ]
    if asked.tests:
        settings["pytest_add_cli_args_test_selection"] = asked.tests
    made = make(settings)
    known = _kept(made)
    names = list(made)
    picked = [
        name
        for name in names
        if not asked.only or any(fnmatch.fnmatchcase(name, pattern) for pattern in asked.only)
    ]
    if asked.again:
        picked = [name for name in picked if known.get(name, _UNREACHED) in (_SURVIVED, _UNREACHED)]
    for name in picked:
        known.pop(name, None)
    written = 0.0
    try:
        for name, verdict in _tried(picked, settings, asked.workers):
            known[name] = verdict
            if verdict in (_SURVIVED, _UNREACHED):
                print(f"{verdict}: {name}", flush=True)
            if time.monotonic() > written + 2:
                _keep(known, made)
                written = time.monotonic()
    except BrokenError as error:
        print(error, file=sys.stderr)
        return 3
    finally:
        _keep(known, made)
    left = [name for name in picked if known[name] in (_SURVIVED, _UNREACHED)]
    (PLACE / "survivors.txt").write_text("".join(_differences(name) for name in left), encoding="utf-8")
    _table(names, known)
    return 1 if left else 0


class BrokenError(Exception):
    """Mutants could not be tried, for a reason that says nothing of them."""


class CrashedError(BrokenError):
    """Python itself came down, as it does where a library in another language is given nonsense."""


def _kept(made: dict[str, str]) -> dict[str, str]:
    """Return the verdicts of earlier runs on mutants that are still what they were."""
    if not VERDICTS.exists():
        return {}
    kept: dict[str, list[str]] = json.loads(VERDICTS.read_text())
    return {name: verdict for name, (digest, verdict) in kept.items() if made.get(name) == digest}


def _keep(known: dict[str, str], made: dict[str, str]) -> None:
    new = VERDICTS.with_suffix(".new")
    new.write_text(json.dumps({name: [made[name], verdict] for name, verdict in known.items()}, indent=1))
    new.replace(VERDICTS)


def make(settings: dict[str, Any]) -> dict[str, str]:
    """Make mutants/ anew, a copy in which the files to change hold all their mutants; return a digest of each by its name."""
    PLACE.mkdir(exist_ok=True)
    for name in (*settings["source_paths"], "tests", *settings.get("also_copy", ()), "pyproject.toml"):
        source, target = ROOT / name, PLACE / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    digests: dict[str, str] = {}
    for path in sorted(path for pattern in settings["only_mutate"] for path in ROOT.glob(pattern)):
        code, made = _mutated(path)
        (PLACE / path.relative_to(ROOT)).write_text(code, encoding="utf-8")
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removeprefix("src.")
        digests |= {f"{module}.{name}": digest for name, digest in made.items()}
    return digests


def _mutated(path: Path) -> tuple[str, dict[str, str]]:
    """Return a file with its mutants, and a digest of each; what was made of the same text before is taken from where it was kept."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    text = path.read_text(encoding="utf-8")
    makers = Path(__file__).read_bytes() + version("mutmut").encode()
    kept = PLACE / "made" / f"{sha256(makers + text.encode()).hexdigest()}.json"
    if not kept.exists():
        # mutmut leaves decorated functions alone; a property is made one again when its mutants are there.
        plain, names = (
            re.sub(r"    @property\n(    def )", r"\1", text),
            re.findall(r"    @property\n    def (\w+)", text),
        )
        made = mutate_file_contents(str(path), plain)
        any_of = "|".join(names) or " "
        top = rf"(    @_mutmut_mutated\(mutants_xǁ\w+ǁ(?:{any_of})__mutmut\)\n)"
        code = re.sub(top, r"    @property\n\1", made.code)
        # One that mutmut found nothing to change in stands as it stood, without its decorator.
        code = re.sub(rf"(?<!__mutmut\)\n)(    def (?:{any_of})\(self\))", r"    @property\n\1", code)
        kept.parent.mkdir(exist_ok=True)
        functions = _functions_of(code)
        kept.write_text(json.dumps([code, {name: _digest(functions, name) for name in made.mutant_names}]))
    found: tuple[str, dict[str, str]] = json.loads(kept.read_text())
    return found


def _digest(functions: tuple[list[str], dict[str, Any]], mutant: str) -> str:
    """Return a digest of a function and of what a mutant makes of it: numbers are given anew when a function is edited."""
    _, old, new = _sides(functions, mutant)
    return sha256("\n".join([*old, "becomes", *new]).encode()).hexdigest()[:16]


def _tried(names: list[str], settings: dict[str, Any], workers: int) -> Iterator[tuple[str, str]]:
    """Yield each mutant with its verdict, as the workers come to them."""
    tests = [*settings["pytest_add_cli_args"], *settings["pytest_add_cli_args_test_selection"]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(PLACE / "src"), str(PLACE), str(ROOT)))}
    running = []
    for number in range(min(workers, len(names))):
        work = PLACE / f"work-{number}.json"
        work.write_text(json.dumps({"names": names[number::workers], "tests": tests}))
        running.append(
            subprocess.Popen(  # noqa: S603 - it is this file
                [sys.executable, "-m", "tools.mutants", "--worker", str(work)],
                cwd=PLACE, env=environment, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
    missing = set(names)
    try:
        for line in _lines(running):
            name, verdict = json.loads(line)
            missing.discard(name)
            yield name, verdict
    finally:
        for one in running:
            one.terminate()
    if missing:
        raise BrokenError(f"{len(missing)} mutants were not tried; what stopped it stands above")


def _lines(running: list[subprocess.Popen[str]]) -> Iterator[str]:
    """Yield what the workers say, until all are done or one of them fails."""
    import selectors

    with selectors.DefaultSelector() as waiting:
        for one in running:
            waiting.register(one.stdout or sys.stdin, selectors.EVENT_READ, one)
        while waiting.get_map():
            for key, _ in waiting.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line.startswith("["):
                    yield line
                elif not line:
                    waiting.unregister(key.fileobj)
                    if key.data.wait():
                        return


class _Switch:
    """Stands for mutmut's own: which mutant is called instead of its function."""

    def __init__(self) -> None:
        self.active = ("", "")

    def wrap(self, mutants: dict[str, Any], is_classmethod: bool = False) -> Callable[[Any], Any]:
        """Return a decorator, as the files with mutants use it."""
        if is_classmethod:
            raise NotImplementedError("class methods are not handled; handle them here")

        def decorate(function: Any) -> Any:
            module = function.__module__

            @functools.wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                original = mutants["_mutmut_orig"]
                wanted, name = self.active
                return (mutants.get(name, original) if wanted == module else original)(*args, **kwargs)

            return call

        return decorate


class _Trials:
    """A pytest plugin that tries mutants instead of running the tests once."""

    def __init__(self, names: list[str], switch: _Switch) -> None:
        self.names, self.switch = names, switch
        self.failed = self.broken = False
        self.found: Counter[str] = Counter()
        self.reached: dict[tuple[str, int], dict[str, float]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            print(report.longreprtext, file=sys.stderr)

    def pytest_internalerror(self, excrepr: Any) -> None:
        print(excrepr, file=sys.stderr)

    def pytest_runtestloop(self, session: Any) -> bool:
        try:
            self._try_all(session)
        except BrokenError as error:
            self.broken = True
            print(error, file=sys.stderr)
        return True

    def _try_all(self, session: Any) -> None:
        items = {item.nodeid: item for item in session.items}
        if session.testsfailed or not items:
            raise BrokenError(f"tests cannot be collected ({session.testsfailed} errors); mend them first")
        for module in sorted({name.rpartition(".")[0] for name in self.names}):
            found = importlib.import_module(module).__file__
            if found != str(_path(module)):
                raise BrokenError(f"{module} is imported from {found} and not from {_path(module)}")
        for item in items.values():
            _without_shrinking(item)
        try:
            learned = forked(lambda: self._learned(items))
        except TimeoutError:
            raise BrokenError("the tests take too long without any mutant; try fewer with --tests") from None
        if isinstance(learned, str):
            raise BrokenError(f"{learned} fails without any mutant; mend it first")
        self.reached, modules = learned
        for module in modules:
            # What a test imports late is imported once, not in each process.
            importlib.import_module(module)
        gc.freeze()
        for name in self.names:
            print(json.dumps([name, self._tried(name, items)]), file=sys.__stdout__, flush=True)

    def _learned(
        self, items: dict[str, Any]
    ) -> tuple[dict[tuple[str, int], dict[str, float]], list[str]] | str:
        """Return the seconds of each test by the lines it reaches, and what the tests imported; or a test that fails."""
        reached: dict[tuple[str, int], dict[str, float]] = {}
        before = set(sys.modules)
        for nodeid, item in items.items():
            lines: set[tuple[str, int]] = set()
            begun = time.perf_counter()
            self._run(item)
            lasted = time.perf_counter() - begun
            if self.failed:
                return nodeid
            _forget()
            sys.settrace(_tracer(lines))
            self._run(item)
            sys.settrace(None)
            if self.failed:
                return nodeid
            for line in lines:
                reached.setdefault(line, {})[nodeid] = lasted
        for nodeid, item in reversed(items.items()):
            # One that needs others before it would find every mutant.
            self._run(item)
            if self.failed:
                return nodeid
        late = [name for name in set(sys.modules) - before if name.startswith(("ledger.", "projections."))]
        return reached, sorted(late)

    def _run(self, item: Any) -> None:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)

    def _tried(self, name: str, items: dict[str, Any]) -> str:
        module, _, mutant = name.rpartition(".")
        path = str(_path(module))
        tests: dict[str, float] = {}
        for line in _changed_lines(name):
            tests.update(self.reached.get((path, line), {}))
        if not tests:
            return _UNREACHED
        order = sorted(tests, key=lambda nodeid: (tests[nodeid] > 0.1, -self.found[nodeid], tests[nodeid]))

        def attempt() -> str | None:
            self.switch.active = module, mutant
            for nodeid in order:
                self._run(items[nodeid])
                if self.failed:
                    return nodeid
            return None

        try:
            killer: str | None = forked(attempt, seconds=int(4 + 4 * sum(tests.values())))
        except TimeoutError:
            return _ENDLESS
        except CrashedError:
            return _KILLED
        if killer is None:
            return _SURVIVED
        self.found[killer] += 1
        return _KILLED


def forked(call: Callable[[], Any], seconds: int = 600, clock: int = _CLOCK) -> Any:
    """Return what a function returns in a process of its own.

    Raises TimeoutError where that takes too long, or too much; BrokenError where it raises, or the process ends otherwise:
    CrashedError where Python came down in it.
    """
    come, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(come)
        _answer(go, call, seconds)
    os.close(go)
    with os.fdopen(come, "rb", buffering=0) as answer:
        content = _read(answer, time.monotonic() + seconds * clock)
    if content is None:
        os.kill(child, signal.SIGKILL)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if content is None or ended == -signal.SIGXCPU:
        raise TimeoutError
    if ended in _CRASHES:
        raise CrashedError(f"a process that tries a mutant was ended by {signal.Signals(-ended).name}")
    if ended or not content:
        raise BrokenError(f"a process that tries a mutant ended with {ended}, and without an answer")
    returned, value = pickle.loads(content)  # noqa: S301 - it comes from the process that was forked above
    if returned:
        return value
    if value is None:
        raise TimeoutError
    raise BrokenError(f"what tries a mutant failed itself:\n{value}")


def _answer(go: int, call: Callable[[], Any], seconds: int) -> NoReturn:
    """End this process with what a function returns, or how it failed, written to a pipe; None where it ran out of memory."""
    try:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        answer: tuple[bool, Any]
        try:
            answer = True, call()
        except MemoryError:
            answer = False, None
        except BaseException:  # noqa: BLE001 - the process that waits raises it
            answer = False, traceback.format_exc()
        with os.fdopen(go, "wb") as out:
            pickle.dump(answer, out)
        os._exit(0)
    finally:
        os._exit(1)


def _read(answer: Any, until: float) -> bytes | None:
    """Return all that comes from a pipe, or None where it is not closed by then."""
    import select

    content = b""
    while select.select([answer], [], [], max(0.0, until - time.monotonic()))[0]:
        more = answer.read(1 << 20)
        if not more:
            return content
        content += more
    return None


def _forget() -> None:
    """Empty what functions keep of their answers, so that a test reaches what it would reach alone."""
    modules = [module for name, module in sys.modules.items() if name.startswith(("ledger.", "projections."))]
    for value in [value for module in modules for value in vars(module).values()]:
        if isinstance(value, _CACHED):
            value.cache_clear()


def _tracer(lines: set[tuple[str, int]]) -> Any:
    """Return a trace function that gathers the lines of files with mutants."""
    inside = tuple(f"{PLACE / name}{os.sep}" for name in ("src", "projections"))

    def local(frame: Any, event: str, _: object) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: Any, _event: str, _: object) -> Any:
        return local if frame.f_code.co_filename.startswith(inside) else None

    return trace


def _without_shrinking(item: Any) -> None:
    """Let a law fail with the first case that breaks it."""
    from hypothesis import Phase, settings

    inner = getattr(item.obj, "__func__", item.obj)
    found = getattr(inner, "_hypothesis_internal_use_settings", None)
    if found is not None:
        found = settings(found, phases=(Phase.explicit, Phase.generate), database=None)
        vars(inner)["_hypothesis_internal_use_settings"] = found


def _work(path: Path) -> int:
    """Try the mutants that a file names, a JSON line with a verdict for each."""
    import pytest
    from mutmut.mutation import trampoline

    work, switch = json.loads(path.read_text()), _Switch()
    vars(trampoline)["wrap_in_trampoline"] = switch.wrap
    trials = _Trials(work["names"], switch)
    ended = int(pytest.main(["-q", "--tb=no", "-s", "--no-header", *work["tests"]], [trials]))
    return 3 if trials.broken else ended


@functools.cache
def _path(module: str) -> Path:
    parts = Path(*module.split(".")).with_suffix(".py")
    return next(path for path in (PLACE / "src" / parts, PLACE / parts) if path.exists())


@functools.cache
def _functions(module: str) -> tuple[list[str], dict[str, Any]]:
    """Return the lines of a file with mutants, and its functions."""
    return _functions_of(_path(module).read_text(encoding="utf-8"))


def _functions_of(text: str) -> tuple[list[str], dict[str, Any]]:
    found = {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    return text.splitlines(), found


def _both(name: str) -> tuple[Any, list[str], list[str]]:
    """Return the original of a mutant, and the lines of both, each without its name."""
    module, _, mutant = name.rpartition(".")
    return _sides(_functions(module), mutant)


def _sides(found: tuple[list[str], dict[str, Any]], mutant: str) -> tuple[Any, list[str], list[str]]:
    lines, functions = found
    before = functions[f"{mutant.rpartition('__mutmut_')[0]}__mutmut_orig"]
    old, new = (
        [line.replace(node.name, "") for line in lines[node.lineno - 1 : node.end_lineno]]
        for node in (before, functions[mutant])
    )
    return before, old, new


def _changed_lines(name: str) -> set[int]:
    """Return the lines of the statements of the original that a mutant changes; those of all of it for its signature."""
    before, old, new = _both(name)
    whole = range(before.lineno, before.end_lineno + 1)
    changed = {
        before.lineno + line
        for what, a, b, _, _ in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if what != "equal"
        for line in range(a, max(b, a + 1))
    }
    spans: list[range] = [
        _lines_of(node) for node in ast.walk(before) if isinstance(node, ast.stmt | ast.match_case)
    ]
    found: set[int] = set()
    for line in changed:
        here = [span for span in spans if line in span]
        shortest: range = min(here, key=len) if here else whole
        found.update(shortest)
    return found if before.body[0].lineno <= min(changed) else set(whole)


def _lines_of(node: Any) -> range:
    """Return the lines of a statement; of one that holds others those before the first of them."""
    begin = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    if not inner:
        return range(begin, node.end_lineno + 1)
    first = inner[0].pattern.lineno if isinstance(inner[0], ast.match_case) else inner[0].lineno
    return range(begin, max(first, begin + 1))


def _differences(name: str) -> str:
    """Return what a mutant changes, between brackets: `a[- b-][+ c+] d`."""
    _, old, new = _both(name)
    before, after = (re.findall(r"\w+|\s+|.", " ".join(lines)) for lines in (old, new))
    shown = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        same = "".join(before[a:b])
        if what == "equal":
            shown.append(same if len(same) < 200 else f"{same[:90]} … {same[-90:]}")
        else:
            shown.append(f"[-{same}-][+{''.join(after[c:d])}+]")
    return f"## {name}\n{re.sub(' +', ' ', ''.join(shown))}\n\n"


def _table(names: list[str], known: dict[str, str]) -> None:
    """Print how many mutants of each module there are, were tried, and survive."""
    rows: dict[str, Counter[str]] = {}
    for name in names:
        module = name.rpartition(".")[0]
        rows.setdefault(module, Counter()).update(["mutants", known.get(name, "not tried")])
    heads = ("mutants", "not tried", _KILLED, _ENDLESS, _SURVIVED, _UNREACHED)
    print(f"| module | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for module, counts in rows.items():
        print(f"| `{module}` | {' | '.join(str(counts[head]) for head in heads)} |")


if __name__ == "__main__":
    sys.exit(main())
