"""What people do to a run: stop it, pause it, let it go on, start it again."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import number
from crm_admin.blueprints.forms import attempt, text
from crm_admin.blueprints.sync.routes import sync, to_run
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.security.permissions import Permission
from crm_admin.services import fixes, run_control, sync_runs


def _back(run_id: UUID, said: str, level: str = "success") -> Response:
    """Say what was done, on the page the form was on: the queue, or the run."""
    flash(said, level)
    if text("next") == "queue":
        return redirect(url_for(".queue"), 303)
    return redirect(url_for(".run", run_id=run_id, tab=request.args.get("tab") or None), 303)


@sync.post("/runs/<uuid:run_id>/stop")
@requires(Permission.SYNC_RUN)
def stop(run_id: UUID) -> Response:
    """Ask the run to stop at the edge of its step."""
    sync_runs.stop(person=signed_in(), run_id=run_id)
    return _back(
        run_id,
        _("The run stops after the batch it is in. What is written stays and can be undone."),
    )


@sync.post("/runs/<uuid:run_id>/pause")
@requires(Permission.SYNC_RUN)
def pause(run_id: UUID) -> Response:
    """Ask the run to rest until somebody lets it go on."""
    run_control.pause(person=signed_in(), run_id=run_id)
    return _back(
        run_id,
        _("The run pauses; a batch in hand is finished first. Resume it when you are ready."),
    )


@sync.post("/runs/<uuid:run_id>/resume")
@requires(Permission.SYNC_RUN)
def resume(run_id: UUID) -> Response:
    """Let a paused run go on."""
    run_control.resume(person=signed_in(), run_id=run_id)
    return _back(run_id, _("The run goes on where it was."))


@sync.post("/runs/<uuid:run_id>/front")
@requires(Permission.SYNC_RUN)
def front(run_id: UUID) -> Response:
    """Put a queued run first."""
    if run_control.to_front(person=signed_in(), run_id=run_id):
        return _back(run_id, _("The next free worker takes this run."))
    said = _("The queue does not answer. The run is taken up as soon as it does.")
    return _back(run_id, said, "error")


@sync.post("/runs/<uuid:run_id>/remove")
@requires(Permission.SYNC_RUN)
def remove(run_id: UUID) -> Response:
    """Take a run that never started out of the queue."""
    run_control.remove(person=signed_in(), run_id=run_id)
    return _back(run_id, _("Taken out of the queue. Nothing was written."))


@sync.post("/runs/<uuid:run_id>/again")
@requires(Permission.SYNC_RUN)
def again(run_id: UUID) -> Response:
    """Start a run like this one."""
    started = attempt(
        lambda: sync_runs.run_again(
            person=signed_in(), run_id=run_id, once_key=text("once_key") or None
        )
    )
    return to_run(started, url_for(".run", run_id=run_id))


@sync.post("/runs/<uuid:run_id>/retry")
@requires(Permission.SYNC_RUN)
def retry(run_id: UUID) -> Response:
    """Try what failed in this run again."""
    done = attempt(
        lambda: fixes.retry(person=signed_in(), run_id=run_id, once_key=text("once_key") or None)
    )
    if done is None:
        return redirect(url_for(".run", run_id=run_id, tab="errors"), 303)
    flash(
        ngettext(
            "%(n)s record is tried again now.",
            "%(n)s records are tried again now.",
            done.records,
            n=number(done.records),
        ),
        "success",
    )
    return to_run(done.runs[0] if done.runs else None, url_for(".run", run_id=run_id))
