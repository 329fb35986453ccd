@description('The Functions app on Flex Consumption.')
param name string
param planName string
param location string
param tags { *: string }
param identityName string
param storageAccountName string
param packageContainerUri string
param applicationInsightsName string

@description('Subnet for outgoing traffic; empty for none.')
param subnetId string

@description('CIDR ranges that may call the webhook; empty for everyone.')
param allowedAddresses string[]

param instanceMemoryMB int
param maximumInstanceCount int
param httpConcurrency int
param alwaysReady { name: string, instanceCount: int }[]

param eventsQueue string
param forwardsQueue string
param acceptedEvents string
param appIds string
param maxEventBytes int
param enqueueDeadline string
param handlerDeadline string

@description('Days for which telecmi purge keeps data; empty: for good.')
param retention string
param traceSamplingRatio string

@secure()
param accessTokens string

param forwardUrl string
param forwardAnsweredBy string
param forwardOncePerConversation bool

@secure()
param forwardSecrets string

param reconcileAppId string
param reconcileBackfill bool
param reconcileSchedule string

@secure()
param reconcileSecret string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identity.id
    functionAppConfig: {
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      appSettings: [
        { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
        { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
        { name: 'AzureWebJobsStorage__blobServiceUri', value: storage.properties.primaryEndpoints.blob }
        { name: 'AzureWebJobsStorage__queueServiceUri', value: storage.properties.primaryEndpoints.queue }
        { name: 'AzureWebJobsStorage__tableServiceUri', value: storage.properties.primaryEndpoints.table }
        // .NET 10 can die with a segmentation fault (139) as a placeholder becomes the app (dotnet-worker #3335).
        { name: 'WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED', value: '0' }
        // For the host's telemetry what the code does for the app's: the default keeps 5 traces a second.
        { name: 'OTEL_TRACES_SAMPLER', value: 'microsoft.fixed_percentage' }
        { name: 'OTEL_TRACES_SAMPLER_ARG', value: traceSamplingRatio }
        { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsights.properties.ConnectionString }
        {
          name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
          value: 'Authorization=AAD;ClientId=${identity.properties.clientId}'
        }
        { name: 'TeleCmiStorage__credential', value: 'managedidentity' }
        { name: 'TeleCmiStorage__clientId', value: identity.properties.clientId }
        { name: 'TeleCmiStorage__queueServiceUri', value: storage.properties.primaryEndpoints.queue }
        { name: 'TeleCmiStorage__tableServiceUri', value: storage.properties.primaryEndpoints.table }
        { name: 'TeleCmiEventsQueue', value: eventsQueue }
        { name: 'TeleCmiForwardsQueue', value: forwardsQueue }
        { name: 'TeleCmi__AcceptedEvents', value: acceptedEvents }
        { name: 'TeleCmi__AppIds', value: appIds }
        { name: 'TeleCmi__MaxEventBytes', value: string(maxEventBytes) }
        { name: 'TeleCmi__EnqueueDeadline', value: enqueueDeadline }
        { name: 'TeleCmi__HandlerDeadline', value: handlerDeadline }
        { name: 'TeleCmi__Retention', value: retention }
        { name: 'TeleCmi__AccessTokens', value: accessTokens }
        { name: 'TeleCmi__TraceSamplingRatio', value: traceSamplingRatio }
        // An empty address is no destination; more destinations go here with the next number.
        { name: 'TeleCmi__Forward__0__Url', value: forwardUrl }
        { name: 'TeleCmi__Forward__0__Secrets', value: forwardSecrets }
        { name: 'TeleCmi__Forward__0__AnsweredBy', value: forwardAnsweredBy }
        { name: 'TeleCmi__Forward__0__OncePerConversation', value: string(forwardOncePerConversation) }
        { name: 'TeleCmi__Reconcile__AppId', value: reconcileAppId }
        { name: 'TeleCmi__Reconcile__Secret', value: reconcileSecret }
        { name: 'TeleCmi__Reconcile__Backfill', value: string(reconcileBackfill) }
        { name: 'TeleCmiReconcileSchedule', value: reconcileSchedule }
        // Where nothing is reconciled, the timer wakes nobody.
        { name: 'AzureWebJobs.ReconcileCalls.Disabled', value: string(empty(reconcileAppId)) }
      ]
      ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: [
        for (range, i) in allowedAddresses: {
          name: 'allowed-${i}'
          priority: 100 + i
          action: 'Allow'
          ipAddress: range
        }
      ]
      // Deployments come from elsewhere and prove who they are.
      scmIpSecurityRestrictionsUseMain: false
    }
  }

  resource publishingPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
