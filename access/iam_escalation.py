"""Sets of AWS actions with which an identity can make itself an administrator.

Owns the list. A set counts when all of its actions are allowed together; each is the least that is
needed for one way. Sources: AWS documentation of each action; published research on IAM privilege
escalation (pathfinding.cloud lists the ways by service).
"""

from __future__ import annotations

from access.iam import Document

WAYS: tuple[frozenset[str], ...] = tuple(
    frozenset(way.split())
    for way in (
        # Policies and their versions.
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:AttachUserPolicy",
        "iam:AttachGroupPolicy",
        "iam:AttachRolePolicy sts:AssumeRole",
        "iam:PutUserPolicy",
        "iam:PutGroupPolicy",
        "iam:PutRolePolicy sts:AssumeRole",
        "iam:AddUserToGroup",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutUserPermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        # Credentials and trust of others.
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:UpdateAssumeRolePolicy sts:AssumeRole",
        "iam:CreateServiceSpecificCredential",
        "iam:DeactivateMFADevice iam:UpdateLoginProfile",
        # A role passed to something that runs the caller's code.
        "iam:PassRole ec2:RunInstances",
        "iam:PassRole ec2:RequestSpotInstances",
        "iam:PassRole lambda:CreateFunction lambda:InvokeFunction",
        "iam:PassRole lambda:CreateFunction lambda:AddPermission",
        "iam:PassRole lambda:CreateFunction lambda:CreateEventSourceMapping",
        "iam:PassRole cloudformation:CreateStack",
        "iam:PassRole cloudformation:CreateStackSet cloudformation:CreateStackInstances",
        "iam:PassRole datapipeline:CreatePipeline datapipeline:PutPipelineDefinition",
        "iam:PassRole glue:CreateDevEndpoint",
        "iam:PassRole glue:CreateJob glue:StartJobRun",
        "iam:PassRole codebuild:CreateProject codebuild:StartBuild",
        "iam:PassRole codepipeline:CreatePipeline",
        "iam:PassRole ecs:RegisterTaskDefinition ecs:RunTask",
        "iam:PassRole ecs:RegisterTaskDefinition ecs:CreateService",
        "iam:PassRole batch:RegisterJobDefinition batch:SubmitJob",
        "iam:PassRole states:CreateStateMachine states:StartExecution",
        "iam:PassRole ssm:StartAutomationExecution",
        "iam:PassRole bedrock-agentcore:CreateCodeInterpreter",
        "iam:PassRole apprunner:CreateService",
        "iam:PassRole scheduler:CreateSchedule",
        # Machine learning.
        "iam:PassRole sagemaker:CreateNotebookInstance "
        "sagemaker:CreatePresignedNotebookInstanceUrl",
        "iam:PassRole sagemaker:CreateTrainingJob",
        "iam:PassRole sagemaker:CreateProcessingJob",
        "iam:PassRole sagemaker:CreateHyperParameterTuningJob",
        "iam:PassRole sagemaker:CreateUserProfile sagemaker:CreatePresignedDomainUrl",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
        "sagemaker:CreatePresignedDomainUrl",
        "sagemaker:CreateNotebookInstanceLifecycleConfig sagemaker:UpdateNotebookInstance",
        "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        "iam:PassRole emr-serverless:StartJobRun",
        # Code of something that has a role already.
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration lambda:PublishLayerVersion",
        "glue:UpdateDevEndpoint",
        "glue:UpdateJob glue:StartJobRun",
        "codebuild:UpdateProject codebuild:StartBuild",
        "cloudformation:UpdateStack",
        "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet",
        "ec2:ModifyInstanceAttribute ec2:StopInstances ec2:StartInstances",
        "ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate",
        "ec2-instance-connect:SendSSHPublicKey",
        "ssm:SendCommand",
        "ssm:StartSession",
        "ecs:ExecuteCommand",
        "eks:CreateAccessEntry eks:AssociateAccessPolicy",
        # Identities of the organisation.
        "identitystore:CreateGroupMembership",
        "sso:AttachManagedPolicyToPermissionSet sso:ProvisionPermissionSet",
        "sso:PutInlinePolicyToPermissionSet sso:ProvisionPermissionSet",
    )
)


def ways(document: Document) -> list[frozenset[str]]:
    """The ways that a document opens, the shortest first; none contains another."""
    open_ways: list[frozenset[str]] = []
    for way in sorted(WAYS, key=lambda actions: (len(actions), sorted(actions))):
        within = any(shorter <= way for shorter in open_ways)
        if not within and all(document.allows(action) for action in way):
            open_ways.append(way)
    return open_ways
