"""``python -m benchmarks.matching``: measures the matcher; exit status 1 when a bar is missed."""

from typing import Annotated

import typer

from benchmarks.matching.measure import CACHE, Result, measure
from benchmarks.matching.report import table
from benchmarks.matching.sets import SETS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    chosen: Annotated[list[str] | None, typer.Option("--set", help=f"One of: {', '.join(SETS)}.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small part of every set.")] = False,
) -> None:
    """Measures the matcher on people whose truth is known, and prints a table in Markdown."""
    names = chosen or list(SETS)
    if unknown := set(names) - set(SETS):
        raise typer.BadParameter(f"no such set: {', '.join(sorted(unknown))}", param_hint="--set")
    results: dict[str, Result] = {}
    for name in names:
        typer.echo(f"{name} ...", err=True)
        results[name] = measure(name, quick=quick)
        if len(results[name].wrong):
            path = CACHE / f"wrong-{name}.csv"
            results[name].wrong.to_csv(path, index=False)
            typer.echo(f"Links of two people: {path}", err=True)
    typer.echo(table(results))
    missed = {name: SETS[name].bar.missed(result.score) for name, result in results.items()}
    for name, failed in missed.items():
        if failed:
            typer.echo(f"{name} misses: {', '.join(failed)}", err=True)
    raise typer.Exit(1 if any(missed.values()) else 0)


if __name__ == "__main__":
    app()
