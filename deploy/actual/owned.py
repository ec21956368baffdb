"""Lists the resources that this program created for an endpoint, as their owner tag says."""

from botocore.exceptions import ClientError

from deploy.actual.lookup import describe, has_owner_tag
from deploy.aws import Aws
from deploy.config.naming import Parameters
from deploy.errors import error_code


def list_owned_configs(aws: Aws, endpoint_name: str) -> list[Parameters]:
    """Return the endpoint configs of an endpoint, newest first."""
    return _list_owned(aws, endpoint_name, "list_endpoint_configs", "EndpointConfig")


def list_owned_models(aws: Aws, endpoint_name: str) -> list[Parameters]:
    """Return the models of an endpoint, newest first."""
    return _list_owned(aws, endpoint_name, "list_models", "Model")


def list_owned_objects(aws: Aws, endpoint_name: str, bucket: str, prefix: str) -> list[Parameters]:
    """Return the S3 objects of an endpoint under a prefix; none if the bucket does not exist."""
    try:
        objects = aws.paginate("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    except ClientError as error:
        if error_code(error) == "NoSuchBucket":
            return []
        raise
    return [item for item in objects if _is_owned_object(aws, endpoint_name, bucket, item["Key"])]


def _list_owned(aws: Aws, endpoint_name: str, operation: str, kind: str) -> list[Parameters]:
    prefix = f"{endpoint_name}-"
    resources = aws.paginate(
        "sagemaker",
        operation,
        f"{kind}s",
        NameContains=prefix,
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    return [
        resource
        for resource in resources
        if resource[f"{kind}Name"].startswith(prefix)
        and _is_owned_resource(aws, endpoint_name, resource[f"{kind}Arn"])
    ]


# Another run may delete a resource between the list call and these calls, which then find no tags.


def _is_owned_resource(aws: Aws, endpoint_name: str, arn: str) -> bool:
    response = describe(aws, "sagemaker", "list_tags", ResourceArn=arn)
    return has_owner_tag(response.get("Tags", []), endpoint_name)


def _is_owned_object(aws: Aws, endpoint_name: str, bucket: str, key: str) -> bool:
    response = describe(aws, "s3", "get_object_tagging", Bucket=bucket, Key=key)
    return has_owner_tag(response.get("TagSet", []), endpoint_name)
