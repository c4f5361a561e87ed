"""What a step that fails says to Dagster: whether trying again may help, and never a value of a row.

Texts of DuckDB, Polars and Python quote values, so that only the kind of the error and the lines of our code cross
into Dagster's log. What may pass by itself (a lock, the disk) is tried again; what will not is not.
"""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import ParamSpec, TypeVar, cast

import dagster as dg

from assets.deliveries.problems import InputProblem
from assets.failures import is_disk_full, may_pass

P = ParamSpec("P")
T = TypeVar("T")
WAREHOUSE_POOL = "warehouse"
"""Of the runs whose steps are in this pool the daemon starts one at a time; the others wait in its queue."""
SHOWN_FRAMES = 6


def column_schema(columns: Iterable[tuple[str, str]], meanings: Mapping[str, str] | None = None) -> dg.TableSchema:
    """Columns of a table, as (name, type), in the form that Dagster shows, with what they mean where that is known."""
    return dg.TableSchema(
        columns=[dg.TableColumn(name, kind, description=(meanings or {}).get(name)) for name, kind in columns]
    )


class PermanentFailure(dg.Failure):
    """A failure that no retry mends."""

    def __init__(self, sentence: str, metadata: Mapping[str, dg.MetadataValue] | None = None) -> None:
        """Say what is wrong and what to do."""
        super().__init__(sentence, metadata=metadata, allow_retries=False)


def failures_said(step: Callable[P, T]) -> Callable[P, T]:
    """Turn whatever goes wrong in a step into a failure with words of our own, that knows whether it may pass."""
    if inspect.isgeneratorfunction(step):

        @functools.wraps(step)
        def produce(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
            with _said():
                yield from step(*args, **kwargs)

        return cast("Callable[P, T]", produce)

    @functools.wraps(step)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with _said():
            return step(*args, **kwargs)

    return call


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except dg.Failure:
        raise
    except InputProblem as problem:
        sentence = problem.with_code
        raise PermanentFailure(sentence) from None
    except Exception as error:  # noqa: BLE001 every other text may hold a value
        raise _failure(error) from None


def _failure(error: Exception) -> dg.Failure:
    where = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    ]
    metadata = {"kind": dg.MetadataValue.text(type(error).__name__), "where": dg.MetadataValue.json(where)}
    if is_disk_full(error):
        return dg.Failure("DISK: no space is left on the disk. Make room; the run is tried again.", metadata=metadata)
    if may_pass(error):
        return dg.Failure(
            f"IO: a file or a database could not be used ({type(error).__name__}). The step is tried again.",
            metadata=metadata,
        )
    return PermanentFailure(
        f"PROGRAM: an error of the program ({type(error).__name__}), which trying again does not mend. "
        "Report it with the lines named under `where`.",
        metadata,
    )
