@description('Where telemetry goes: a Log Analytics workspace and the Application Insights component on top of it.')
param workspaceName string
param transformationName string
param applicationInsightsName string
param location string
param tags { *: string }

@description('How long telemetry is kept, in days.')
param retentionDays int

@description('Daily ingestion limit in GB; -1 for none. What comes after the limit is lost.')
param dailyQuotaGb int

// The tables that Application Insights writes for this app. Unless each is told otherwise it keeps 90 days, whatever
// the workspace says.
var tableNames = [
  'AppDependencies'
  'AppExceptions'
  'AppMetrics'
  'AppPerformanceCounters'
  'AppRequests'
  'AppTraces'
]

var transformations = {
  AppMetrics: loadTextContent('../transformations/app-metrics.kql')
  AppRequests: loadTextContent('../transformations/app-requests.kql')
}

// First without the transformation, which names the workspace and so can only be made after it, then with it.
module workspaceAlone 'workspace.bicep' = {
  name: 'telecmi-workspace'
  params: {
    name: workspaceName
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyQuotaGb: dailyQuotaGb
    transformationId: ''
  }
}

module workspaceWithTransformation 'workspace.bicep' = {
  name: 'telecmi-workspace-transformation'
  params: {
    name: workspaceName
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyQuotaGb: dailyQuotaGb
    transformationId: transformation.id
  }
  // One change of a workspace at a time.
  dependsOn: [tables]
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource transformation 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: transformationName
  location: location
  tags: tags
  kind: 'WorkspaceTransforms'
  properties: {
    dataSources: {}
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspaceAlone.outputs.id
        }
      ]
    }
    dataFlows: [
      for table in items(transformations): {
        streams: ['Microsoft-Table-${table.key}']
        destinations: ['workspace']
        // Azure Monitor wants it on one line.
        transformKql: join(split(trim(replace(table.value, '\r', '')), '\n'), ' ')
      }
    ]
  }
}

@batchSize(1)
resource tables 'Microsoft.OperationalInsights/workspaces/tables@2025-02-01' = [
  for table in tableNames: {
    parent: workspace
    name: table
    properties: {
      plan: 'Analytics'
      retentionInDays: retentionDays
      totalRetentionInDays: retentionDays
    }
    dependsOn: [workspaceAlone]
  }
]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceWithTransformation.outputs.id
    DisableLocalAuth: true
  }
}
