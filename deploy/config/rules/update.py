"""Checks the deployment strategy of updates, and its waits and alarms."""

from collections.abc import Iterator

from deploy.config.configuration import Configuration

MAX_ALARMS = 10  # of AutoRollbackConfiguration


def check_update(configuration: Configuration) -> Iterator[str]:
    yield from _check_steps(configuration)
    update = configuration.update
    step_count = {
        "rolling": -(-100 // update.step_percent),
        "linear": -(-100 // update.step_percent),
        "canary": 2,
    }.get(update.strategy, 1)
    wait_seconds = step_count * update.wait_seconds + update.termination_wait_seconds
    if wait_seconds >= update.timeout_seconds:
        yield (
            f"update.timeout_seconds: expected more than {wait_seconds}, the total waiting time; "
            f"got {update.timeout_seconds}"
        )
    alarms = update.alarms
    alarm_count = len(alarms.names) + bool(alarms.errors_5xx) + bool(alarms.latency_p99_ms)
    if alarm_count > MAX_ALARMS:
        yield (
            f"update.alarms.names: expected at most {MAX_ALARMS} alarms in total, got {alarm_count}"
        )


def _check_steps(configuration: Configuration) -> Iterator[str]:
    update, compute, scaling = configuration.update, configuration.compute, configuration.scaling
    min_instances, key = compute.instance_count, "compute.instance_count"
    if scaling and scaling.min <= min_instances:
        min_instances, key = scaling.min, "scaling.min"
    # A step of at most half of the instances needs two of them.
    if update.strategy != "all_at_once" and min_instances < 2 and not compute.serverless:  # noqa: PLR2004
        yield (
            f"update.strategy: {update.strategy} requires at least 2 instances, "
            f"{key} allows {min_instances}; use all_at_once or raise {key}"
        )
    min_percent = {"rolling": 5, "linear": 10}.get(update.strategy, 1)
    if update.step_percent < min_percent:
        yield (
            f"update.step_percent: expected a number from {min_percent} to 50 for "
            f"{update.strategy}, got {update.step_percent}"
        )
