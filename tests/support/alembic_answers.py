"""Answers of Alembic's own revision map, for the spec that compares luamig with it.

Reads a JSON list of questions from the file given, one graph each:
  {"revisions": [{"id", "down", "depends_on", "labels"}], "asked": [{"verb", "rows", "target"}]}
and writes a list of lists of answers: {"ids": […], "rows": [rows after each step]} or {"error": text}.
"""
import json
import sys
import types
import warnings

warnings.simplefilter("ignore")

from alembic.runtime.migration import HeadMaintainer, MigrationStep
from alembic.script.revision import Revision, RevisionMap


class Script(Revision):
    module = types.SimpleNamespace(upgrade=None, downgrade=None)


class Heads(HeadMaintainer):
    """Keeps the rows without a database."""

    def __init__(self, heads):
        self.heads = set(heads)

    def _insert_version(self, version):
        assert version not in self.heads
        self.heads.add(version)

    def _delete_version(self, version):
        self.heads.remove(version)

    def _update_version(self, from_, to_):
        assert to_ not in self.heads
        self.heads.remove(from_)
        self.heads.add(to_)


def revision_map(revisions):
    return RevisionMap(
        lambda: [
            Script(
                r["id"],
                tuple(r["down"]) or None,
                dependencies=tuple(r["depends_on"]) or None,
                branch_labels=tuple(r["labels"]) or None,
            )
            for r in revisions
        ]
    )


def plan(map_, rows, verb, target):
    if verb == "upgrade":
        revisions = list(map_.iterate_revisions(target, tuple(rows), implicit_base=True))[::-1]
        steps = [MigrationStep.upgrade_from_script(map_, r) for r in revisions]
    else:
        revisions = list(map_.iterate_revisions(tuple(rows), target, select_for_downgrade=True))
        steps = [MigrationStep.downgrade_from_script(map_, r) for r in revisions]
    heads = Heads(rows)
    for step in steps:
        heads.update_to_step(step)
    return {"ids": [r.revision for r in revisions], "rows": sorted(heads.heads)}


def ids_of(revisions):
    return {"ids": sorted(r.revision for r in revisions if r is not None)}


def answer(map_, asked):
    verb, rows, target = asked["verb"], asked["rows"], asked["target"]
    if verb == "show":
        return ids_of(map_.get_revisions(target))
    if verb == "current":
        return ids_of(map_._get_all_current(tuple(rows)))
    if verb == "history":
        lower, upper = target.split(":")
        return ids_of(
            map_.iterate_revisions(
                upper or "heads", lower or "base", inclusive=True, assert_relative_length=False
            )
        )
    return plan(map_, rows, verb, target)


def answers(question):
    map_ = revision_map(question["revisions"])
    out = []
    for asked in question["asked"]:
        try:
            out.append(answer(map_, asked))
        except Exception as error:  # whatever it is, Alembic has no answer
            out.append({"error": "%s: %s" % (type(error).__name__, error)})
    return out


with open(sys.argv[1]) as questions:
    json.dump([answers(q) for q in json.load(questions)], sys.stdout)
