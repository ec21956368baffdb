"""Data capture: the parameters of CreateEndpointConfig, and what Model Monitor needs of them."""

from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters
from serve.media.types import parse_content_type


def build_capture_config(configuration: Configuration) -> Parameters | None:
    """Return DataCaptureConfig, or None if nothing is captured."""
    capture = configuration.capture
    if capture is None:
        return None
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.destination,
        "KmsKeyId": configuration.kms.artifact_key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": _build_media_types(configuration),
    }


def capture_warning(configuration: Configuration) -> str | None:
    """Return a warning if payloads and responses are captured in different encodings.

    Model Monitor cannot merge them then. Source: "Capture data from real-time endpoint" in the
    SageMaker guide.
    """
    accept = configuration.data_format.accept
    if configuration.capture is None or not accept:
        return None
    payload_types = [
        parse_content_type(media_type).name
        for media_type in configuration.data_format.content_types
    ]
    different = [name for name in payload_types if name != _name(accept)]
    if not different:
        return None
    return (
        f"capture: Model Monitor cannot use payloads in {', '.join(different)} with responses in "
        f"{_name(accept)}; remove data_format.accept to answer CSV with CSV and JSON with JSON"
    )


def _build_media_types(configuration: Configuration) -> Parameters | None:
    # SageMaker rejects names without a slash, such as csv.
    content_types = configuration.data_format.content_types
    names = [name for name in map(_name, content_types) if "/" in name]
    headers = {
        "CsvContentTypes": [name for name in names if "csv" in name],
        "JsonContentTypes": [name for name in names if "json" in name],
    }
    return {key: values for key, values in headers.items() if values} or None


def _name(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
