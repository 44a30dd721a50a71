"""`python -m tests.crash`: a campaign of kills, on one line what people see of it in the end."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor

import click

from tests.crash.campaign import Report, run_campaign
from tests.crash.verdict import total


def run_worker(kills: int, seed: int, database: str) -> Report:
    """Run one of several campaigns."""
    return asyncio.run(run_campaign(kills, seed, database))


@click.command()
@click.option("--kills", type=click.IntRange(1), default=100, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--db", type=click.Choice(["sqlite", "postgres"]), default="sqlite")
@click.option("--workers", type=click.IntRange(1), default=3, show_default=True)
def main(kills: int, seed: int, db: str, workers: int) -> None:
    """Kill bots so often while people ask, and judge the threads."""
    began = time.monotonic()
    workers = min(workers, kills)
    shares = [kills // workers + (n < kills % workers) for n in range(workers)]
    seeds = [seed * 1_000 + n for n in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        reports = list(pool.map(run_worker, shares, seeds, [db] * workers))
    for number, report in zip(seeds, reports, strict=True):
        click.echo(f"seed {number}: {report}")
        for fault in report.verdict.faults:
            click.echo(f"  {fault}  (log {report.log})")
    verdict = total(report.verdict for report in reports)
    click.echo(f"{time.monotonic() - began:.0f} s")
    click.echo(str(verdict))
    raise SystemExit(0 if verdict.is_good else 1)


if __name__ == "__main__":
    main()
