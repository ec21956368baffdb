"""The error that ends a batch transform job."""


class JobFailed(Exception):
    """The job failed and wrote no output; the message gives the reason."""
