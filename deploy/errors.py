"""What goes wrong, each in one line that says what to do."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN_KEY = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
WRONG_REGION = frozenset(
    {
        "301",
        "PermanentRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
    }
)


class DeployError(Exception):
    """What was asked cannot be done; the message says why, and the way out."""


class BadConfiguration(DeployError):
    """The file of an endpoint cannot be read, or asks for what cannot be."""


def escape_unprintable(text: str, kept: str = "") -> str:
    """Return a text in which nothing tells a terminal what to do, nor ends the line but what is kept."""
    return "".join(
        sign if sign.isprintable() or sign in kept else repr(sign)[1:-1] for sign in text
    )


def summarize_error(error: BotoCoreError | ClientError, region: str) -> str:
    """Tell in one line what AWS or the way to it refused, and what to do."""
    if isinstance(error, ClientError):
        return " ".join(_refusal(error, region).split())
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError,
    ):
        return (
            "no AWS credentials were found: run aws configure or aws sso login, or set AWS_PROFILE"
        )
    if isinstance(
        error,
        exceptions.SSOTokenLoadError
        | exceptions.UnauthorizedSSOTokenError
        | exceptions.TokenRetrievalError,
    ):
        return "the AWS credentials have expired: run aws sso login"
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{error}: see aws configure list-profiles"
    if isinstance(
        error,
        exceptions.EndpointConnectionError
        | exceptions.ConnectTimeoutError
        | exceptions.HTTPClientError,
    ):
        return f"no connection to AWS in {region}: is the region right, and is there a network? ({_one_line(error)})"
    return _one_line(error)


def error_code(error: ClientError) -> str:
    """Return AWS's name for a refusal."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def error_message(error: ClientError) -> str:
    """Return AWS's words for a refusal."""
    return str(error.response.get("Error", {}).get("Message", "")) or error_code(error)


def _refusal(error: ClientError, region: str) -> str:
    code, operation = error_code(error), error.operation_name
    for codes, words in {
        EXPIRED: "the AWS credentials have expired: log in again (aws sso login), then run the same command",
        UNKNOWN_KEY: f"AWS does not know the credentials, or not in {region}: see aws sts get-caller-identity and the key region",
        DENIED: f"not allowed: {operation}: python -m deploy iam prints the policy that is needed ({error_message(error)})",
        THROTTLED: f"AWS throttled {operation} each time: wait a minute, then run the same command; it goes on where it was",
        WRONG_REGION: f"{operation}: the bucket is in another region than {region}: use one there, or change the key region",
    }.items():
        if code in codes:
            return words
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:  # noqa: PLR2004 - statuses of a server's failure
        return f"AWS failed at {operation} ({code}): run the same command again; it goes on where it was"
    return f"AWS refused {operation}: {error_message(error)} ({code})"


def _one_line(error: Exception) -> str:
    # The first line alone may say no more than that something is wrong.
    return " ".join(str(error).split())
