"""`python -m tests.crash --schedules N --seed N [--provider P] [--json]`."""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

import orjson

from tests.crash.conduct import Result, conduct
from tests.crash.lanes import play
from tests.crash.plan import Plan, draw
from tests.crash.stage import Simulated, Stage, template
from tests.crash.workers import Hits

PROVIDERS = ("hubspot",)
LANES = 3


@dataclass(slots=True)
class Summary:
    """What all schedules came to."""

    seed: int
    schedules: int = 0
    kills: int = 0
    points: Counter[str] = field(default_factory=Counter)
    failed: list[dict] = field(default_factory=list)

    def as_json(self) -> dict:
        return {
            "schedules": self.schedules,
            "violations": len(self.failed),
            "crash_points": dict(sorted(self.points.items())),
            "kills": self.kills,
            "seed": self.seed,
        }


def main() -> int:
    given = _arguments()
    started, summary = time.monotonic(), Summary(given.seed)
    with template() as data:
        seeds = range(given.seed, given.seed + given.schedules)
        how = How(given.variant, shrink=given.shrink)
        jobs = [partial(told_of, seed=seed, how=how) for seed in seeds]
        for told in play(data, jobs, given.lanes):
            add(summary, told)
            _say(told, as_json=given.json)
    if not given.json:
        print(f"{time.monotonic() - started:.1f} s")
        print("never reached:", *(name for name, hits in summary.points.items() if not hits))
    print(orjson.dumps(summary.as_json()).decode())
    return 1 if summary.failed else 0


def add(summary: Summary, told: dict) -> None:
    """Count one schedule."""
    summary.schedules += 1
    summary.kills += told["kills"]
    summary.points.update(told["points"])
    if told["violations"]:
        summary.failed.append(told)


@dataclass(frozen=True, slots=True)
class How:
    """How schedules are played: on which engine, and whether failures are made smaller."""

    variant: str = ""
    shrink: bool = True


def told_of(mine: Stage, crm: Simulated, seed: int, how: How) -> dict:
    """Conduct the schedule of a seed and tell of it."""
    return _told(mine, crm, draw(seed), how)


def _told(mine: Stage, crm: Simulated, plan: Plan, how: How) -> dict:
    hits = Hits()
    result = conduct(plan, mine, crm, hits, how.variant)
    smaller = _shrunk(mine, crm, result, how.variant) if result.violations and how.shrink else plan
    return {
        "seed": plan.seed,
        "violations": result.violations,
        "kills": result.kills,
        "points": hits.counts(),
        "seconds": result.seconds,
        "story": result.story,
        "smallest": {
            "faults": list(smaller.faults),
            **{
                name: [str(one) for one in getattr(smaller, name)]
                for name in ("chaos", "kills", "undo_kills")
            },
            "edits": len(smaller.edits),
        },
    }


def _shrunk(mine: Stage, crm: Simulated, result: Result, variant: str) -> Plan:
    """Leave out what breaks one by one, then halves of the edits, as long as something stays
    wrong.
    """
    plan = result.plan
    for name in ("chaos", "faults", "kills", "undo_kills"):
        for one in getattr(plan, name):
            left = tuple(each for each in getattr(plan, name) if each is not one)
            plan = _if_wrong(mine, crm, replace(plan, **{name: left}), plan, variant)
    while len(plan.edits) > 1:
        half = len(plan.edits) // 2
        fewer = _if_wrong(mine, crm, replace(plan, edits=plan.edits[:half]), plan, variant)
        if fewer is plan:
            fewer = _if_wrong(mine, crm, replace(plan, edits=plan.edits[half:]), plan, variant)
        if fewer is plan:
            return plan
        plan = fewer
    return plan


def _if_wrong(mine: Stage, crm: Simulated, fewer: Plan, plan: Plan, variant: str) -> Plan:
    return fewer if conduct(fewer, mine, crm, Hits(), variant).violations else plan


def _say(told: dict, *, as_json: bool) -> None:
    if told["violations"]:
        print(f"schedule {told['seed']} violates:", file=sys.stderr)
        for sentence in told["violations"]:
            print(f"  {sentence}", file=sys.stderr)
        print(
            f"  smallest: {told['smallest']}",
            *told["story"],
            sep="\n    ",
            file=sys.stderr,
            flush=True,
        )
    elif not as_json:
        print(
            f"schedule {told['seed']}: ok, {told['kills']} kills, {told['seconds']:.1f} s",
            flush=True,
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--schedules", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--provider", choices=(*PROVIDERS, "all"), default="all")
    parser.add_argument("--lanes", type=int, default=LANES)
    parser.add_argument("--variant", default="")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
