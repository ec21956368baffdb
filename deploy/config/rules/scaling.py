"""Checks whether the endpoint can scale as configured."""

from collections.abc import Iterator

from deploy.config.configuration import Configuration


def check_scaling(configuration: Configuration) -> Iterator[str]:
    compute, scaling = configuration.compute, configuration.scaling
    if scaling is None:
        return
    if compute.serverless:
        yield "scaling: serverless endpoints scale automatically; remove scaling"
    if scaling.max < scaling.min:
        yield f"scaling.max: expected at least scaling.min, {scaling.min}; got {scaling.max}"
    if scaling.target <= 0:
        yield f"scaling.target: expected a number above 0, got {scaling.target:g}"
    if scaling.min == 0 and not compute.asynchronous:
        yield (
            "scaling.min: expected at least 1, got 0; only asynchronous endpoints scale to zero "
            "(or use compute.serverless)"
        )
    is_backlog = scaling.metric == "backlog_per_instance"
    if is_backlog and not compute.asynchronous:
        yield (
            "scaling.metric: backlog_per_instance requires compute.asynchronous; "
            "use invocations_per_instance"
        )
    if compute.asynchronous and not is_backlog:
        yield (
            f"scaling.metric: expected backlog_per_instance for an asynchronous endpoint, "
            f"got {scaling.metric}"
        )
    if compute.instance_type.startswith("ml.t2."):
        yield (
            "compute.instance_type: t2 instances do not support scaling; "
            "use another type such as ml.c6i.large, or remove scaling"
        )
