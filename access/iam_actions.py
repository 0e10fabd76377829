"""Which AWS actions cannot be restricted to a resource, for the services that this project grants.

Owns the table and nothing else. For every other service the answer is "not known", never a pass.
Source: AWS, "Service Authorization Reference", as of June 2026: the actions without a resource
type. `Verb*` stands where that holds for every action of the service that begins with the verb, and
for EC2's Describe, of which a handful takes one; none of those reads a secret.
"""

from __future__ import annotations

from access.iam import matches

_WITHOUT_RESOURCE = {
    "cloudwatch": """
        BatchGetServiceLevelIndicatorReport CreateServiceLevelObjective DeleteAnomalyDetector
        DescribeAlarmsForMetric DescribeAnomalyDetectors DescribeInsightRules
        EnableTopologyDiscovery GenerateQuery GenerateQueryResultsSummary GetMetricData
        GetMetricStatistics GetMetricWidgetImage GetTopologyDiscoveryStatus GetTopologyMap Link
        ListDashboards ListEntitiesForMetric ListManagedInsightRules ListMetricStreams ListMetrics
        ListServiceLevelObjectives ListServices PutAnomalyDetector PutManagedInsightRules
        PutMetricData
    """,
    "ec2": """
        Describe* AdvertiseByoipCidr AssociateIpamByoasn AssociateTrunkInterface BundleInstance
        CancelBundleTask CancelConversionTask CancelReservedInstancesListing ConfirmProductInstance
        CreateDefaultSubnet CreateDefaultVpc CreateReservedInstancesListing
        CreateSpotDatafeedSubscription DeleteSpotDatafeedSubscription DeleteSubnetCidrReservation
        DeprovisionByoipCidr DeregisterInstanceEventNotificationAttributes
        DisableAllowedImagesSettings DisableAwsNetworkPerformanceMetricSubscription
        DisableCapacityManager DisableEbsEncryptionByDefault DisableImageBlockPublicAccess
        DisableIpamOrganizationAdminAccount DisableSerialConsoleAccess
        DisableSnapshotBlockPublicAccess DisassociateIpamByoasn DisassociateTrunkInterface
        EnableAllowedImagesSettings EnableAwsNetworkPerformanceMetricSubscription
        EnableCapacityManager EnableEbsEncryptionByDefault EnableImageBlockPublicAccess
        EnableIpamOrganizationAdminAccount EnableReachabilityAnalyzerOrganizationSharing
        EnableSerialConsoleAccess EnableSnapshotBlockPublicAccess ExportTransitGatewayRoutes
        GetAllowedImagesSettings GetAwsNetworkPerformanceData GetCapacityManagerAttributes
        GetCapacityManagerMetricData GetCapacityManagerMetricDimensions
        GetDefaultCreditSpecification GetEbsDefaultKmsKeyId GetEbsEncryptionByDefault
        GetEnabledIpamPolicy GetHostReservationPurchasePreview GetImageBlockPublicAccessState
        GetInstanceMetadataDefaults GetInstanceTypesFromInstanceRequirements
        GetSerialConsoleAccessStatus GetSnapshotBlockPublicAccessState GetSpotPlacementScores
        GetSubnetCidrReservations GetTransitGatewayAttachmentPropagations
        GetTransitGatewayPrefixListReferences GetTransitGatewayRouteTableAssociations
        GetTransitGatewayRouteTablePropagations GetVpnConnectionDeviceTypes InjectApiError List*
        ModifyAvailabilityZoneGroup ModifyDefaultCreditSpecification ModifyEbsDefaultKmsKeyId
        ModifyIdFormat ModifyIdentityIdFormat ModifyInstanceMetadataDefaults
        ModifyVpcBlockPublicAccessOptions MoveAddressToVpc ProvisionByoipCidr
        PurchaseReservedInstancesOffering PurchaseScheduledInstances
        RegisterInstanceEventNotificationAttributes ReplaceImageCriteriaInAllowedImagesSettings
        ResetEbsDefaultKmsKeyId RestoreAddressToClassic RunScheduledInstances
        StartDeclarativePoliciesReport UpdateCapacityManagerOrganizationsAccess WithdrawByoipCidr
    """,
    "ecr": """
        CreatePullThroughCacheRule CreateRepositoryCreationTemplate DeletePullThroughCacheRule
        DeleteRegistryPolicy DeleteRepositoryCreationTemplate DeleteSigningConfiguration
        DeregisterPullTimeUpdateExclusion DescribePullThroughCacheRules DescribeRegistry
        DescribeRepositoryCreationTemplates GetAccountSetting GetAuthorizationToken
        GetRegistryPolicy GetRegistryScanningConfiguration GetSigningConfiguration
        ListPullTimeUpdateExclusions PutAccountSetting PutRegistryPolicy
        PutRegistryScanningConfiguration PutReplicationConfiguration PutSigningConfiguration
        RegisterPullTimeUpdateExclusion UpdatePullThroughCacheRule UpdateRepositoryCreationTemplate
        ValidatePullThroughCacheRule
    """,
    "iam": """
        CreateAccountAlias DeleteAccountAlias DeleteAccountPasswordPolicy DeleteCloudFrontPublicKey
        Disable* EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions
        EnableOutboundWebIdentityFederation GenerateCredentialReport GetAccountAuthorizationDetails
        GetAccountEmailAddress GetAccountName GetAccountPasswordPolicy GetAccountSummary
        GetCloudFrontPublicKey GetContextKeysForCustomPolicy GetCredentialReport
        GetOrganizationsAccessReport GetOutboundWebIdentityFederationInfo
        GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities ListAccountAliases
        ListCloudFrontPublicKeys ListDelegationRequests ListGroups ListInstanceProfiles
        ListOpenIDConnectProviders ListOrganizationsFeatures ListPolicies ListRoles
        ListSAMLProviders ListSTSRegionalEndpointsStatus ListServerCertificates ListUsers
        ListVirtualMFADevices SetSTSRegionalEndpointStatus SetSecurityTokenServicePreferences
        SimulateCustomPolicy UpdateAccountEmailAddress UpdateAccountName UpdateAccountPasswordPolicy
        UpdateCloudFrontPublicKey UploadCloudFrontPublicKey
    """,
    "kms": """
        ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore
        DescribeCustomKeyStores DisconnectCustomKeyStore GenerateRandom ListAliases ListKeys
        ListRetirableGrants UpdateCustomKeyStore
    """,
    "logs": """
        AssociateSourceToS3TableIntegration CallWithBearerToken CancelExportTask CancelImportTask
        CreateImportTask CreateLogDelivery DeleteAccountPolicy DeleteIndexPolicy DeleteIntegration
        DeleteLogDelivery DeletePipelineRule DeleteQueryDefinition DeleteResourcePolicy
        DescribeAccountPolicies DescribeConfigurationTemplates DescribeDeliveries
        DescribeDeliveryDestinations DescribeDeliverySources DescribeDestinations
        DescribeExportTasks DescribeFieldIndexes DescribeImportTaskBatches DescribeImportTasks
        DescribeIndexPolicies DescribeLogGroups DescribeLookupTables DescribeQueries
        DescribeQueryDefinitions DescribeResourcePolicies DisassociateSourceFromS3TableIntegration
        GetIntegration GetLogDelivery GetLogFields Link ListAggregateLogGroupSummaries
        ListEntitiesForLogGroup ListIntegrations ListLogDeliveries ListLogGroups
        ListLogGroupsForEntity ListLogGroupsForQuery ListScheduledQueries
        ListSourcesForS3TableIntegration PutAccountPolicy PutIndexPolicy PutIntegration
        PutPipelineRule PutQueryDefinition PutResourcePolicy StopLiveTail StopQuery TestMetricFilter
        TestTransformer UpdateLogDelivery
    """,
    "s3": """
        CreateJob CreateStorageLensGroup GetAccessPoint GetAccountPublicAccessBlock
        ListAccessGrantsInstances ListAccessPoints ListAccessPointsForObjectLambda ListAllMyBuckets
        ListJobs ListMultiRegionAccessPoints ListStorageLensConfigurations ListStorageLensGroups
        PutAccessPointPublicAccessBlock PutAccountPublicAccessBlock PutStorageLensConfiguration
    """,
    "sagemaker": """
        CreateLineageGroupPolicy DeleteLineageGroupPolicy DeleteResourcePolicy DescribeLineageGroup
        DisableSagemakerServicecatalogPortfolio EnableSagemakerServicecatalogPortfolio
        GetLineageGroupPolicy GetResourcePolicy GetSagemakerServicecatalogPortfolioStatus
        GetSearchSuggestions ListActions ListAlgorithms ListAppImageConfigs ListApps ListArtifacts
        ListAssociations ListAutoMLJobs ListCandidatesForAutoMLJob ListClusterSchedulerConfigs
        ListClusters ListCodeRepositories ListCompilationJobs ListComputeQuotas ListContexts
        ListDataQualityJobDefinitions ListDeviceFleets ListDevices ListDomains
        ListEdgeDeploymentPlans ListEdgePackagingJobs ListEndpointConfigs ListEndpoints
        ListExperiments ListFeatureGroups ListFlowDefinitions ListHubs ListHumanLoops
        ListHumanTaskUis ListHyperParameterTuningJobs ListImages ListInferenceComponents
        ListInferenceExperiments ListInferenceRecommendationsJobSteps
        ListInferenceRecommendationsJobs ListLabelingJobs ListLineageGroups ListMlflowApps
        ListMlflowTrackingServers ListModelBiasJobDefinitions ListModelCards
        ListModelExplainabilityJobDefinitions ListModelMetadata ListModelPackageGroups
        ListModelQualityJobDefinitions ListModels ListMonitoringAlertHistory ListMonitoringAlerts
        ListMonitoringExecutions ListMonitoringSchedules ListNotebookInstanceLifecycleConfigs
        ListNotebookInstances ListOptimizationJobs ListPartnerApps ListPipelines ListProcessingJobs
        ListProjects ListResourceCatalogs ListSharedModelEvents ListSharedModels ListSpaces
        ListStageDevices ListStudioLifecycleConfigs ListSubscribedWorkteams ListTrainingJobs
        ListTrainingPlans ListTransformJobs ListTrialComponents ListTrials ListUserProfiles
        ListWorkforces ListWorkteams PutLineageGroupPolicy PutResourcePolicy QueryLineage
        RenderUiTemplate Search SearchTrainingPlanOfferings
    """,
    "secretsmanager": """
        BatchGetSecretValue GetRandomPassword ListSecrets
    """,
    "ssm": """
        CancelCommand CreateActivation CreateMaintenanceWindow CreateOpsItem CreateOpsMetadata
        CreatePatchBaseline DeleteActivation DeleteInventory DescribeActivations
        DescribeAutomationExecutions DescribeAvailablePatches DescribeInstanceInformation
        DescribeInstancePatchStatesForPatchGroup DescribeInstanceProperties
        DescribeInventoryDeletions DescribeMaintenanceWindowExecutionTaskInvocations
        DescribeMaintenanceWindowExecutionTasks DescribeMaintenanceWindowSchedule
        DescribeMaintenanceWindows DescribeMaintenanceWindowsForTarget DescribeOpsItems
        DescribeParameters DescribePatchBaselines DescribePatchGroupState DescribePatchGroups
        DescribePatchProperties DescribeSessions ExecuteAPI GetCommandInvocation
        GetDeployablePatchSnapshotForInstance GetExecutionPreview GetInventory GetInventorySchema
        GetMaintenanceWindowExecution GetMaintenanceWindowExecutionTask
        GetMaintenanceWindowExecutionTaskInvocation GetManifest GetPatchBaselineForPatchGroup
        ListAssociations ListCommandInvocations ListCommands ListComplianceItems
        ListComplianceSummaries ListDocuments ListInventoryEntries ListOpsItemEvents
        ListOpsItemRelatedItems ListOpsMetadata ListResourceComplianceSummaries ListResourceDataSync
        PutConfigurePackageResult PutInventory RegisterManagedInstance StartExecutionPreview
    """,
    "sts": """
        DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken
        GetServiceBearerToken GetSessionToken GetWebIdentityToken TagGetWebIdentityToken
    """,
}

_PATTERNS = {
    service: tuple(f"{service}:{name}" for name in names.split())
    for service, names in _WITHOUT_RESOURCE.items()
}


def restrictable(action: str) -> bool | None:
    """Whether an action takes a resource; None for a service that the table does not hold.

    A pattern such as `kms:List*` is restrictable unless the table has it, or a wider one.
    """
    patterns = _PATTERNS.get(action.partition(":")[0].lower())
    if patterns is None:
        return None
    return not any(matches(pattern, action) for pattern in patterns)
