targetScope = 'subscription'

metadata description = 'TeleCmi.Functions on Azure. How to use it: docs/deploy.md.'

@description('Name of the environment (azd fills it in); the resource group is named after it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region for everything; it must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the resource group; by default rg-<environment>.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Kinds to accept, separated by commas; * for all.')
param acceptedEvents string = 'outgoing.answered'

@description('App ids to accept, separated by commas; empty for all.')
param appIds string = ''

@description('The largest event in bytes.')
@minValue(1024)
@maxValue(24576)
param maxEventBytes int = 16384

@description('How long storage may take to accept an event before TeleCMI is asked to send it again (hours:minutes:seconds).')
param enqueueDeadline string = '00:00:08'

@description('How long one handler may take for one event (hours:minutes:seconds).')
param handlerDeadline string = '00:01:00'

@description('Days for which telecmi purge keeps events, deliveries and dead letters, at least 7; empty: for good.')
param retention string = ''

@description('Secrets that are accepted in the webhook\'s path, separated by commas, each 20 characters or longer; empty switches that path off.')
@secure()
param accessTokens string = ''

@description('Where accepted events are forwarded to (docs/forwarding.md), an https address; empty for nowhere.')
param forwardUrl string = ''

@description('The whsec_ secret that signs what is forwarded; two, separated by a comma, while one replaces the other.')
@secure()
param forwardSecrets string = ''

@description('Whose answered events are forwarded.')
@allowed(['both', 'agent', 'customer'])
param forwardAnsweredBy string = 'both'

@description('Forward only the customer\'s first answered event of a conversation.')
param forwardOncePerConversation bool = false

@description('App id whose calls are compared with TeleCMI\'s reports (docs/reconcile.md); empty for none.')
param reconcileAppId string = ''

@description('The app id\'s secret for TeleCMI\'s reports.')
@secure()
param reconcileSecret string = ''

@description('Queue what is missing by itself.')
param reconcileBackfill bool = false

@description('When calls are compared: an NCRONTAB expression, UTC.')
param reconcileSchedule string = '0 10 * * * *'

@description('Share of traces that are kept, above 0 to 1. Metrics are always complete.')
param traceSamplingRatio string = '1'

@description('Memory of one instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Instances at most. The limit holds for each group that scales on its own: the webhook, and each queue.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Requests that one instance handles at the same time. They wait for storage, not for the processor.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Instances that always stand ready for the webhook: from zero, a call event waits seconds for its response, and can meet a host whose keys are not loaded yet.')
@minValue(0)
param alwaysReadyHttp int = 1

@description('Instances that always stand ready for processing. With 0 an event can wait up to two minutes before a sleeping app notices its queue: too late for a screen pop.')
@minValue(0)
param alwaysReadyProcessing int = 0

@description('The same for forwarding.')
@minValue(0)
param alwaysReadyForwarding int = 0

@description('Storage behind private endpoints in a virtual network of its own. An app that already runs goes from off to prepare (the private way is there, the public one still open) and then to on, so that it is never cut off.')
@allowed(['off', 'prepare', 'on'])
param privateNetwork string = 'off'

@description('Address space of that network; /24 or larger.')
param networkAddressSpace string = '10.46.0.0/24'

@description('Protect the storage account, and with it the journal, from being deleted; azd down then fails until the lock is removed.')
param storageDeleteLock bool = false

@description('CIDR ranges that may call the webhook; empty for everyone. TeleCMI documents none: ask it before you set this.')
param allowedAddresses string[] = []

@description('How long telemetry is kept, in days.')
@minValue(30)
@maxValue(730)
param telemetryRetentionDays int = 30

@description('Daily limit of telemetry in GB; -1 for none. What comes after the limit is lost.')
param telemetryDailyQuotaGb int = -1

@description('Address that alerts are mailed to; empty for none.')
param alertEmail string = ''

@description('Resource id of an action group that alerts are sent to; empty for none.')
param actionGroupId string = ''

@description('Percentage of webhook responses that may be 5xx in 15 minutes before an alert.')
@minValue(0)
@maxValue(100)
param serverErrorPercent int = 1

@description('Seconds from receipt to processed that the 95th percentile may reach before an alert.')
@minValue(1)
param slowProcessingSeconds int = 300

@description('Hours in which an hour without any event is an alarm, such as {"timeZone":"Asia/Kolkata","days":[1,2,3,4,5],"firstHour":9,"lastHour":17}; 0 is Sunday, the last hour is included; leave out for no such rule.')
param workingHours { timeZone: string, days: int[], firstHour: int, lastHour: int }?

var tags = { 'azd-env-name': environmentName }

// Known before anything is deployed, so that `what-if` can tell what would change.
var token = uniqueString(subscription().id, environmentName, location)
var storageAccountName = 'sttelecmi${token}'
var workspaceName = 'log-telecmi-${token}'
var applicationInsightsName = 'appi-telecmi-${token}'
var identityName = 'id-telecmi-${token}'

var eventsQueue = 'telecmi-events'
var forwardsQueue = 'telecmi-forwards'

var readyInstances = [
  { name: 'http', instanceCount: alwaysReadyHttp }
  { name: 'function:ProcessEvent', instanceCount: alwaysReadyProcessing }
  { name: 'function:ForwardEvent', instanceCount: alwaysReadyForwarding }
]

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: storageAccountName
    location: location
    tags: tags
    privateOnly: privateNetwork == 'on'
    deleteLock: storageDeleteLock
    queueNames: [eventsQueue, '${eventsQueue}-poison', forwardsQueue, '${forwardsQueue}-poison']
    tableNames: [
      'CallEvents'
      'DeadLetters'
      'ForwardClaims'
      'Destinations'
      'Deliveries'
      'CallIndex'
      'Reconciliations'
    ]
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: workspaceName
    transformationName: 'dcr-telecmi-${token}'
    applicationInsightsName: applicationInsightsName
    location: location
    tags: tags
    retentionDays: telemetryRetentionDays
    dailyQuotaGb: telemetryDailyQuotaGb
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    identityName: identityName
    location: location
    tags: tags
    storageAccountName: storageAccountName
    applicationInsightsName: applicationInsightsName
  }
  dependsOn: [storage, monitoring]
}

module network 'modules/network.bicep' = if (privateNetwork != 'off') {
  scope: group
  params: {
    name: 'vnet-telecmi-${token}'
    location: location
    tags: tags
    storageAccountName: storageAccountName
    addressSpace: networkAddressSpace
  }
  dependsOn: [storage]
}

module functionApp 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: 'func-telecmi-${token}'
    planName: 'plan-telecmi-${token}'
    location: location
    // azd finds the app by this tag; it is the service's name in azure.yaml.
    tags: union(tags, { 'azd-service-name': 'receiver' })
    identityName: identityName
    storageAccountName: storageAccountName
    packageContainerUri: storage.outputs.packageContainerUri
    applicationInsightsName: applicationInsightsName
    subnetId: network.?outputs.appSubnetId ?? ''
    allowedAddresses: allowedAddresses
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    alwaysReady: filter(readyInstances, ready => ready.instanceCount > 0)
    eventsQueue: eventsQueue
    forwardsQueue: forwardsQueue
    forwardUrl: forwardUrl
    forwardSecrets: forwardSecrets
    forwardAnsweredBy: forwardAnsweredBy
    forwardOncePerConversation: forwardOncePerConversation
    reconcileAppId: reconcileAppId
    reconcileSecret: reconcileSecret
    reconcileBackfill: reconcileBackfill
    reconcileSchedule: reconcileSchedule
    acceptedEvents: acceptedEvents
    appIds: appIds
    maxEventBytes: maxEventBytes
    enqueueDeadline: enqueueDeadline
    handlerDeadline: handlerDeadline
    retention: retention
    accessTokens: accessTokens
    traceSamplingRatio: traceSamplingRatio
  }
  dependsOn: [roles]
}

module watching 'modules/watching.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: workspaceName
    alertEmail: alertEmail
    actionGroupId: actionGroupId
    serverErrorPercent: serverErrorPercent
    slowProcessingSeconds: slowProcessingSeconds
    workingHours: workingHours
  }
  dependsOn: [monitoring]
}

output AZURE_RESOURCE_GROUP string = group.name
output TELECMI_FUNCTION_APP string = functionApp.outputs.name

@description('The webhook without its key, which only exists once the app runs: docs/deploy.md.')
output TELECMI_WEBHOOK string = 'https://${functionApp.outputs.hostName}/api/telecmi/events'
