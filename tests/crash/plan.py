"""What one schedule does, drawn from its seed alone: edits, faults of the CRM, kills of workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from crm_admin.crashpoints import NAMES

KIND: Final = {"contacts": "contact", "companies": "company", "deals": "deal"}
OBJECTS: Final = tuple(KIND)
EDITS: Final = {
    "ours_update": 26,
    "theirs_update": 26,
    "collide": 12,
    "ours_blank": 5,
    "theirs_blank": 5,
    "ours_create": 14,
    "theirs_create": 10,
    "ours_refer": 6,
    "run_delta": 8,
    "run_full": 1,
    "run_record": 6,
    "resolve": 7,
    "theirs_associate": 5,
    "publish": 2,
}
LOSSES: Final = {"theirs_archive": 5, "theirs_merge": 4}
REMOVALS: Final = {"theirs_archive": 12, "ours_archive": 12}
SIGN_INS: Final = {"token_ends": 12}
CHAOS: Final = ("queue_emptied", "queue_broken", "database_broken")
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
UNDOING: Final = tuple(sorted(name for name in NAMES if name.startswith("undo.")))
# Reached by the command that seals secrets anew, not by workers.
ROTATING: Final = "maintenance.key_rotation_half"
REMOVING: Final = "removal.slice_read"
POINTS: Final = tuple(sorted(NAMES))
WRITES: Final = "/batch/(create|upsert|update)$"
WRITE_FAULTS: Final[tuple[Mapping[str, object], ...]] = (
    {"fault": "timeout_after", "path": WRITES},
    {"fault": "reset_after", "path": WRITES},
    {"fault": "half_batch", "path": WRITES},
    {"fault": "late", "path": WRITES, "seconds": 0.3},
    {"fault": "missing_items", "path": WRITES},
    {"fault": "500", "path": WRITES},
)
FAULTS: Final[tuple[Mapping[str, object], ...]] = (
    {"fault": "429", "value": {"retry_after": "0.2"}},
    {"fault": "500"},
    {"fault": "502"},
    {"fault": "timeout_after"},
    {"fault": "reset_before"},
    {"fault": "empty"},
    {"fault": "html"},
    {"fault": "truncated"},
    {"fault": "shuffled"},
    {"fault": "repeated_items"},
    {"fault": "slow", "seconds": 0.15},
)
SENDING: Final = (
    "batch.half_of_results_applied",
    "intent.after_send",
    "intent.before_send",
    "intent.result.after_commit",
    "intent.result.before_commit",
    "intent.sending.after_commit",
    "intent.unknown.after_lookup",
    "intent.unknown.before_lookup",
)
# What only some schedules reach is not what others wait for.
ANYWHERE: Final = tuple(
    name
    for name in POINTS
    if name not in {*UNDOING, ROTATING, REMOVING} and not name.startswith("token.")
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
    """How a worker ends: at the `hit`-th pass of a point, at the latest `after` so many seconds; or
    it is frozen.
    """

    action: str
    point: str = ""
    hit: int = 1
    after: float = 1.2


@dataclass(frozen=True, slots=True)
class Chaos:
    """What breaks before the `at`-th edit."""

    kind: str
    at: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule. `marker` off denies the right to make fields, so creates are found by look-up;
    without `fulls` only the first run reads everything, and what a later one misses stays missed.
    `sharp` tells edits apart by milliseconds; `crowd` are contacts that make reading long; `redo`
    takes the undo back too. With `signed_in` the connection has a token that ends; with `removal`
    what is thrown away on one side goes on the other; `rotate` seals all secrets anew meanwhile.
    """

    seed: int
    marker: bool
    observe: bool
    undo: bool
    redo: bool
    sharp: bool
    fulls: bool
    index_lag: float
    crowd: int
    edits: tuple[Edit, ...]
    faults: tuple[Mapping[str, object], ...]
    kills: tuple[Kill, ...]
    undo_kills: tuple[Kill, ...]
    chaos: tuple[Chaos, ...] = ()
    signed_in: bool = False
    removal: bool = False
    rotate: bool = False


def draw(seed: int) -> Plan:
    """Return the schedule of a seed; one kill in turn is at each point there is, rare ones too."""
    random = Random(seed)
    point = POINTS[seed % len(POINTS)]
    removal = point == REMOVING or random.random() < 0.1
    signed_in = point.startswith("token.") or random.random() < 0.15
    losses = removal or random.random() < 0.3
    fulls = losses or random.random() < 0.3
    kinds = {
        **EDITS,
        **(LOSSES if losses else {}),
        **(REMOVALS if removal else {}),
        **(SIGN_INS if signed_in else {}),
    }
    edits = _edits(random, kinds)
    return Plan(
        seed=seed,
        marker=random.random() < 0.5,
        observe=point == "plan.slice_read" or random.random() < 0.3,
        undo=point in UNDOING or random.random() < 0.35,
        redo=random.random() < 0.4,
        sharp=random.random() < 0.5,
        fulls=fulls,
        index_lag=random.choice((0.0, 0.05, 0.1)),
        crowd=random.choice((0, 0, 0, 10, 25)),
        edits=edits,
        faults=_faults(random),
        kills=_kills(random, point),
        undo_kills=_undo_kills(random, point),
        chaos=_chaos(random, len(edits)),
        signed_in=signed_in,
        removal=removal,
        rotate=point == ROTATING or random.random() < 0.05,
    )


def _edits(random: Random, weighed: Mapping[str, int]) -> tuple[Edit, ...]:
    kinds, weights = list(weighed), list(weighed.values())
    return tuple(
        Edit(
            random.choices(kinds, weights)[0],
            random.choice(OBJECTS),
            random.random(),
            random.choice((0.0, 0.0, 0.01, 0.03, 0.08)),
        )
        for _ in range(random.randint(20, 60))
    )


def _faults(random: Random) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            **random.choice(random.choice((FAULTS, WRITE_FAULTS))),
            "every": random.randint(1, 7),
            "times": random.randint(1, 4),
        }
        for _ in range(random.randint(1, 4))
    )


def _kills(random: Random, point: str) -> tuple[Kill, ...]:
    drawn = tuple(_kill(random) for _ in range(random.randint(2, 4)))
    if point in UNDOING or point == ROTATING:
        return drawn
    return (Kill("kill", point, random.randint(1, 2)), *drawn)


def _undo_kills(random: Random, point: str) -> tuple[Kill, ...]:
    first = point if point in UNDOING else random.choice((*UNDOING, "intent.after_send"))
    return (Kill("kill", first), Kill("kill", random.choice((*UNDOING, "intent.after_send"))))


def _chaos(random: Random, edits: int) -> tuple[Chaos, ...]:
    if random.random() > 0.3:
        return ()
    kind = random.choices(CHAOS, (4, 3, 3))[0]
    return (Chaos(kind, random.randrange(edits)),)


def _kill(random: Random) -> Kill:
    style = random.random()
    if style < 0.15:
        return Kill("kill", after=random.uniform(0.05, 0.4))
    if style < 0.35:
        return Kill("stop", random.choice(FREEZES), random.randint(1, 3))
    if style < 0.65:
        return Kill("kill", random.choice(SENDING), random.randint(1, 3))
    return Kill("kill", random.choice(ANYWHERE), random.randint(1, 3))
