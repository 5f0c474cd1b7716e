"""What one schedule does, drawn from its seed alone: edits, faults of the CRM, kills of workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from crm_admin.crashpoints import NAMES

OBJECTS: Final = ("contacts", "companies", "deals")
EDITS: Final = {
    "ours_update": 26,
    "theirs_update": 26,
    "collide": 12,
    "ours_blank": 5,
    "theirs_blank": 5,
    "ours_create": 12,
    "theirs_create": 10,
    "ours_refer": 6,
    "run_delta": 8,
    "run_full": 2,
    "run_record": 6,
}
# Frozen between its last look at the lease and the first byte, a worker cannot be fenced.
UNFENCED: Final = "intent.before_send"
FREEZES: Final = (
    "intent.sending.after_commit",
    "intent.after_send",
    "page.fetched",
    "page.applied.before_commit",
    "intent.result.before_commit",
    "intent.unknown.after_lookup",
    "step.after_commit",
    "pass_end.before_commit",
    "run.finish.before_commit",
)
# Reached by whoever asks for a run, not by who works on it.
ASKING: Final = ("run.created.before_commit", "run.created.after_commit", "run.enqueued")
UNDOING: Final = ("undo.planned", "undo.half_sent")
FAULTS: Final[tuple[Mapping[str, object], ...]] = (
    {"fault": "429", "value": {"retry_after": "0.2"}},
    {"fault": "500"},
    {"fault": "502"},
    {"fault": "timeout_after", "path": "/batch/"},
    {"fault": "reset_after", "path": "/batch/"},
    {"fault": "reset_before"},
    {"fault": "half_batch", "path": "/batch/(create|upsert|update)$"},
    {"fault": "late", "path": "/batch/(create|upsert|update)$", "seconds": 0.3},
    {"fault": "empty"},
    {"fault": "html"},
    {"fault": "truncated"},
    {"fault": "shuffled"},
    {"fault": "missing_items", "path": "/batch/(create|upsert|update)$"},
    {"fault": "repeated_items"},
    {"fault": "slow", "seconds": 0.15},
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of the workload; `draw` chooses its record and field among what there is then."""

    kind: str
    object: str
    draw: float
    pause: float


@dataclass(frozen=True, slots=True)
class Kill:
    """How a worker ends: at the `hit`-th pass of a point, or `after` a time; or it is frozen."""

    action: str
    point: str = ""
    hit: int = 1
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule. `marker` off denies the right to make fields, so creates are found by look-up."""

    seed: int
    marker: bool
    observe: bool
    undo: bool
    sharp: bool
    index_lag: float
    edits: tuple[Edit, ...]
    faults: tuple[Mapping[str, object], ...]
    kills: tuple[Kill, ...]
    undo_kills: tuple[Kill, ...]


def draw(seed: int) -> Plan:
    """Return the schedule of a seed."""
    random = Random(seed)
    kinds, weights = list(EDITS), list(EDITS.values())
    edits = tuple(
        Edit(
            random.choices(kinds, weights)[0],
            random.choice(OBJECTS),
            random.random(),
            random.choice((0.0, 0.0, 0.01, 0.03, 0.08)),
        )
        for _ in range(random.randint(20, 60))
    )
    faults = tuple(
        {**random.choice(FAULTS), "every": random.randint(2, 9), "times": random.randint(1, 4)}
        for _ in range(random.randint(1, 4))
    )
    return Plan(
        seed=seed,
        marker=random.random() < 0.5,
        observe=random.random() < 0.35,
        undo=random.random() < 0.4,
        sharp=random.random() < 0.5,
        index_lag=random.choice((0.0, 0.05, 0.1)),
        edits=edits,
        faults=faults,
        kills=tuple(_kill(random) for _ in range(random.randint(3, 5))),
        undo_kills=tuple(
            Kill("kill", random.choice((*UNDOING, "intent.after_send")), 1) for _ in range(2)
        ),
    )


def _kill(random: Random) -> Kill:
    style = random.random()
    if style < 0.15:
        return Kill("kill", after=random.uniform(0.05, 0.6))
    if style < 0.35:
        return Kill("stop", random.choice(FREEZES), random.randint(1, 3))
    points = sorted(NAMES - set(UNDOING))
    return Kill("kill", random.choice(points), random.randint(1, 3))
