@description('What tells a person: the workbook, the alert rules and whom they reach.')
param location string
param tags { *: string }
param workspaceName string

@description('Address that alerts are mailed to; empty for none.')
param alertEmail string

@description('Resource id of an action group that exists already; empty for none.')
param actionGroupId string

@description('Percentage of webhook responses that may be 5xx in 15 minutes.')
param serverErrorPercent int

@description('Seconds from receipt to processed that the 95th percentile may reach.')
param slowProcessingSeconds int

@description('Hours (the last one included) in which an hour without any event is an alarm; null for no such rule. Days: 0 is Sunday.')
param workingHours { timeZone: string, days: int[], firstHour: int, lastHour: int }?

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

var rules = [
  {
    name: 'dead-letters'
    title: 'TeleCmi: an event is in the dead letters'
    severity: 1
    query: loadTextContent('../alerts/dead-letters.kql')
    measure: 'DeadLetters'
    aggregation: 'Total'
    threshold: 0
    window: 'PT15M'
  }
  {
    name: 'server-errors'
    title: 'TeleCmi: the webhook responds with 5xx'
    severity: 1
    query: loadTextContent('../alerts/server-errors.kql')
    measure: 'ErrorPercent'
    aggregation: 'Maximum'
    threshold: serverErrorPercent
    window: 'PT15M'
  }
  {
    name: 'slow-processing'
    title: 'TeleCmi: events wait too long'
    severity: 2
    query: loadTextContent('../alerts/slow-processing.kql')
    measure: 'P95Seconds'
    aggregation: 'Maximum'
    threshold: slowProcessingSeconds
    window: 'PT15M'
  }
  {
    name: 'not-processed'
    title: 'TeleCmi: accepted, but not processed for 15 minutes'
    severity: 1
    query: loadTextContent('../alerts/not-processed.kql')
    measure: null
    aggregation: 'Count'
    threshold: 0
    window: 'PT6H'
  }
  {
    name: 'missing-calls'
    title: 'TeleCmi: TeleCMI knows calls that are not here'
    severity: 1
    query: loadTextContent('../alerts/missing-calls.kql')
    measure: 'Calls'
    aggregation: 'Total'
    threshold: 0
    window: 'PT2H'
  }
  {
    name: 'destination-failing'
    title: 'TeleCmi: a destination has failed for 15 minutes'
    severity: 1
    query: loadTextContent('../alerts/destination-failing.kql')
    measure: null
    aggregation: 'Count'
    threshold: 0
    window: 'PT6H'
  }
  {
    name: 'completeness'
    title: 'TeleCmi: notices of calls are missing'
    severity: 2
    query: loadTextContent('../alerts/completeness.kql')
    measure: null
    aggregation: 'Count'
    threshold: 0
    window: 'PT6H'
  }
]

var silence = workingHours == null
  ? []
  : [
      {
        name: 'silence'
        title: 'TeleCmi: no event in working hours'
        severity: 2
        query: reduce(
          [
            { name: 'timeZone', value: workingHours!.timeZone }
            { name: 'days', value: join(map(workingHours!.days, day => string(day)), ', ') }
            { name: 'firstHour', value: string(workingHours!.firstHour) }
            { name: 'lastHour', value: string(workingHours!.lastHour) }
          ],
          loadTextContent('../alerts/silence.kql'),
          (query, part) => replace(query, '{${part.name}}', part.value)
        )
        measure: null
        aggregation: 'Count'
        threshold: 0
        window: 'PT1H'
      }
    ]

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'telecmi-mail'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'telecmi'
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in concat(rules, silence): {
    name: 'telecmi-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: 'What to do: docs/operate.md, "${rule.name}".'
      severity: rule.severity
      enabled: true
      scopes: [workspace.id]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      autoMitigate: true
      // Before the first telemetry Azure Monitor may not know the tables' columns yet.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.measure
            timeAggregation: rule.aggregation
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: concat(empty(alertEmail) ? [] : [mail.id], empty(actionGroupId) ? [] : [actionGroupId])
      }
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'telecmi')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'TeleCMI events'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspace.id
    serializedData: replace(loadTextContent('../workbook.json'), '{workspaceId}', workspace.id)
  }
}
