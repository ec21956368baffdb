"""What ends a job, in the words of who started it."""


class JobFailed(Exception):
    """The job has no output, for the reason that the message tells."""
