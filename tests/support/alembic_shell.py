"""Alembic's command line for a spec that gives many commands: its start takes most of the time.

Reads a command a line, and answers with what it printed and a line "exit STATUS". Its errors go to
stderr, as Alembic's do.
"""
import contextlib
import io
import shlex
import sys
import warnings

warnings.simplefilter("ignore")

from alembic.config import CommandLine

for line in sys.stdin:
    out = io.StringIO()
    status = 0
    try:
        with contextlib.redirect_stdout(out):
            # Config takes sys.stdout when it is made, not when the module is loaded.
            CommandLine(prog="alembic").main(argv=shlex.split(line))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except Exception as error:
        out.write(f"{type(error).__name__}: {error}\n")
        status = 1
    sys.__stdout__.write(f"{out.getvalue()}exit {status}\n")
    sys.__stdout__.flush()
