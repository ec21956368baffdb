"""Lists the IAM actions that each policy allows."""

INVOKE = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"]
PULL_IMAGE = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
WRITE_LOGS = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
]
ATTACH_TO_VPC = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
]
MANAGE_ENDPOINT = [
    "sagemaker:CreateModel",
    "sagemaker:DescribeModel",
    "sagemaker:DeleteModel",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:CreateEndpoint",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DeleteEndpoint",
    "sagemaker:UpdateEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "sagemaker:AddTags",
    "sagemaker:DeleteTags",
    "sagemaker:ListTags",
]
# These actions accept no ARN as their resource.
LIST_RESOURCES = [
    "sagemaker:ListModels",
    "sagemaker:ListEndpointConfigs",
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeSubnets",
]
# Application Auto Scaling also describes endpoint configs with other names.
DESCRIBE_ENDPOINTS = ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"]
MANAGE_OBJECTS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:GetObjectTagging",
    "s3:DeleteObject",
]
MANAGE_ALARMS = [
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
]
MANAGE_SCALING = [
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:PutScheduledAction",
]
MANAGE_PAYLOADS = ["s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"]
USE_KMS_KEYS = ["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:DescribeKey"]
