@description('The Log Analytics workspace.')
param name string
param location string
param tags { *: string }
param retentionDays int
param dailyQuotaGb int

@description('The data collection rule that transforms what comes in; empty while there is none yet.')
param transformationId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyQuotaGb
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    defaultDataCollectionRuleResourceId: empty(transformationId) ? null : transformationId
  }
}

output id string = workspace.id
