"""Deployment errors, and one-line summaries of AWS errors with their fix."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

SERVER_ERROR = 500
EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
INVALID_CREDENTIALS = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
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
CLIENT_ERRORS = (
    (
        EXPIRED_CREDENTIALS,
        "AWS credentials have expired; run aws sso login, then the same command again",
    ),
    (
        INVALID_CREDENTIALS,
        (
            "AWS credentials are not valid in {region}; "
            "check aws sts get-caller-identity and the key region"
        ),
    ),
    (
        ACCESS_DENIED,
        "access denied: {operation}; python -m deploy iam prints the required policy ({message})",
    ),
    (THROTTLED, "AWS throttled {operation}; run the same command in a minute to continue"),
    (
        WRONG_REGION,
        (
            "{operation}: the bucket is not in {region}; "
            "use a bucket in that Region, or change the key region"
        ),
    ),
)
NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
)
EXPIRED_SSO = (
    exceptions.SSOTokenLoadError,
    exceptions.UnauthorizedSSOTokenError,
    exceptions.TokenRetrievalError,
)
NO_CONNECTION = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.HTTPClientError,
)


class DeployError(Exception):
    """The command failed; the message gives the cause and the fix."""


class BadConfiguration(DeployError):
    """The endpoint configuration is not readable or not valid."""


def escape_unprintable(text: str, keep: str = "") -> str:
    """Escape control characters, such as newlines and terminal codes, except those in ``keep``."""
    return "".join(
        character if character.isprintable() or character in keep else repr(character)[1:-1]
        for character in text
    )


def summarize_error(error: BotoCoreError | ClientError, region: str) -> str:
    """Return one line with the cause of a failed AWS call and its fix."""
    if isinstance(error, ClientError):
        return _on_one_line(_summarize_client_error(error, region))
    return _on_one_line(_summarize_local_error(error, region))


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error, such as ``ValidationException``."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def error_message(error: ClientError) -> str:
    """Return the message of an AWS error, or its code if there is none."""
    return str(error.response.get("Error", {}).get("Message", "")) or error_code(error)


def _summarize_client_error(error: ClientError, region: str) -> str:
    code, operation, message = error_code(error), error.operation_name, error_message(error)
    for codes, summary in CLIENT_ERRORS:
        if code in codes:
            return summary.format(operation=operation, region=region, message=message)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= SERVER_ERROR:
        return f"AWS failed during {operation} ({code}); run the same command again to continue"
    return f"AWS rejected {operation}: {message} ({code})"


def _summarize_local_error(error: BotoCoreError, region: str) -> str:
    if isinstance(error, NO_CREDENTIALS):
        return "no AWS credentials; run aws configure or aws sso login, or set AWS_PROFILE"
    if isinstance(error, EXPIRED_SSO):
        return "AWS credentials have expired; run aws sso login"
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{error}; list the profiles with aws configure list-profiles"
    if isinstance(error, NO_CONNECTION):
        return f"cannot connect to AWS in {region}; check the key region and the network ({error})"
    return str(error)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
