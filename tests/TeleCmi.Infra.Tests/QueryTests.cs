using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Infra.Tests;

/// <summary>The queries ask for what the code emits, and are the ones that docs/operate.md explains.</summary>
public sealed partial class QueryTests(Deployments deployments) : IClassFixture<Deployments>
{
    [Fact]
    public async Task EveryQuery_IsValidForTheTablesOfAzureMonitor()
    {
        foreach (var (name, check) in await Queries.CheckAsync(Queries.OfTheWorkbook.Concat(DeployedAlerts()).Concat(DeployedTransformations())))
        {
            check.Faults.ShouldBeEmpty(name);
            check.Columns.ShouldNotBeEmpty(name);
        }
    }

    // A rule that fails for a week is switched off, and a workspace without telemetry may know none of the tables.
    [Fact]
    public async Task AlertQueries_SurviveTablesThatAreMissing()
    {
        foreach (var (name, check) in await Queries.CheckAsync(DeployedAlerts(), withTables: false))
        {
            check.Faults.ShouldBeEmpty(name);
        }
    }

    // A row of "now" is outside the rule's window by the time it is looked at.
    [Fact]
    public async Task AlertRows_LieInsideTheWindowOfTheirRule()
    {
        foreach (var (name, check) in await Queries.CheckAsync(DeployedAlerts()))
        {
            check.Calls.ShouldNotContain("now", name);
        }
    }

    [Fact]
    public async Task EveryMetricAndSpanInAQuery_IsOneThatTheCodeEmits()
    {
        var emitted = Instruments().Concat(Constants("Activity")).ToList();
        foreach (var (name, check) in await Queries.CheckAsync(Queries.All))
        {
            check.ComparedWith("Name").Except(emitted, StringComparer.Ordinal).ShouldBeEmpty(name);
        }
    }

    [Fact]
    public async Task EveryAttributeInAQuery_IsOneThatTheCodeSets()
    {
        var metrics = typeof(TelemetryNames).GetFields().Where(field => !field.Name.EndsWith("Tag", StringComparison.Ordinal)).Select(field => (string)field.GetRawConstantValue()!).ToList();
        foreach (var (name, check) in await Queries.CheckAsync(Queries.All))
        {
            var ofSpans = check.ComparedWith("Name").Intersect(Constants("Activity"), StringComparer.Ordinal).Any() || name == "journey";
            check.Properties.Except(ofSpans ? Constants("Tag") : metrics, StringComparer.Ordinal).ShouldBeEmpty(name);
        }
    }

    [Fact]
    public async Task EveryValueThatAQueryComparesAnAttributeWith_IsOneThatTheCodeSets()
    {
        var outcomes = Enum.GetNames<JournalOutcome>().Select(name => name.ToLowerInvariant()).Append(AcceptedStatus())
            .Concat(ReconcileStates.All.Select(state => state.Name())).Concat([ForwardOutcome.Delivered, ForwardOutcome.Retried]).ToList();
        var values = new Dictionary<string, IReadOnlyCollection<string>>(StringComparer.Ordinal)
        {
            [TelemetryNames.Outcome] = outcomes,
            [TelemetryNames.OutcomeTag] = outcomes,
            [TelemetryNames.EventKindTag] = [.. Enum.GetValues<EventKind>().Select(kind => kind.Name())],
            [TelemetryNames.AnsweredByTag] = [.. Enum.GetValues<AnsweredBy>().Where(answeredBy => answeredBy != default).Select(answeredBy => answeredBy.Name())],
            // Not from our code: no agent, and one that TeleCMI did not name.
            [TelemetryNames.AgentTag] = ["", "-"],
            [TelemetryNames.ConversationTag] = [],
            [TelemetryNames.LegTag] = ["a", "b"],
            [TelemetryNames.LegIdTag] = [],
        };

        foreach (var (name, check) in await Queries.CheckAsync(Queries.All))
        {
            foreach (var comparison in check.Comparisons.Where(comparison => check.Properties.Contains(comparison.Of, StringComparer.Ordinal)))
            {
                comparison.Values.Except(values[comparison.Of], StringComparer.Ordinal).ShouldBeEmpty($"{name}: {comparison.Of}");
            }
        }

        static string AcceptedStatus() =>
            (string)JsonNode.Parse(WebhookResponse.Accepted("an-id", EventKind.OutgoingAnswered).Body.Span)!["status"]!;
    }

    [Fact]
    public async Task EveryMetricThatTheCodeEmits_IsInAQuery()
    {
        var checks = await Queries.CheckAsync(Queries.All);

        Instruments().Except(checks.Values.SelectMany(check => check.ComparedWith("Name")), StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task AddressesInQueries_AreThoseOfTheFunctions()
    {
        var prefix = $"/{(string)JsonNode.Parse(Repository.Read("host.json"))!["extensions"]!["http"]!["routePrefix"]!}/";
        var routes = App.HttpTriggers.Select(trigger => prefix + trigger.Route).ToList();
        var webhook = routes.Where(route => route.EndsWith("/events", StringComparison.Ordinal)).ToList();

        webhook.Count.ShouldBe(2);
        var checks = (await Queries.CheckAsync(Queries.All)).Values.Where(check => check.Comparisons.Any(comparison => comparison.Of == "Url")).ToList();
        checks.ShouldNotBeEmpty();
        foreach (var check in checks)
        {
            routes.Where(route => check.ComparedWith("Url").All(part => route.Contains(part, StringComparison.Ordinal))).ShouldBe(webhook);
        }

        ((string)deployments.Plain.Outputs["TELECMI_WEBHOOK"]!).ShouldContain($"{prefix}telecmi/events");
    }

    [Fact]
    public void Instances_StandReadyForFunctionsThatExist()
    {
        var ready = deployments.Full.Only("Microsoft.Web/sites")["properties"]!["functionAppConfig"]!["scaleAndConcurrency"]!["alwaysReady"]!.AsArray()
            .Select(group => ((string)group!["name"]!).Split(':')).Where(name => name is ["function", _]).Select(name => name[1]).ToList();

        ready.ShouldNotBeEmpty();
        ready.Except(App.FunctionNames, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("https://app.example/api/telecmi/a-token-of-20-letters/events", "https://app.example/api/telecmi/REDACTED/events")]
    [InlineData("https://app.example/API/TeleCmi/a-token-of-20-letters/Events?to=4915112345678", "https://app.example/API/TeleCmi/REDACTED/events")]
    [InlineData("https://app.example/api/telecmi/events?code=key&to=4915112345678", "https://app.example/api/telecmi/events")]
    [InlineData("https://app.example/api/telecmi/health", "https://app.example/api/telecmi/health")]
    public void TokenAndQueryOfARequest_AreBlankedBeforeTheyAreKept(string url, string kept)
    {
        // The steps are those of the query, in .NET; the pattern is the query's own.
        var query = DeployedTransformations()["AppRequests"];
        var pattern = Pattern().Match(query).Groups["pattern"].Value;
        query.ShouldBe($"""source | extend Url = tostring(split(Url, "?")[0]) | extend BeforeToken = extract("{pattern}", 1, Url) | extend Url = iff(isempty(BeforeToken), Url, strcat(BeforeToken, "REDACTED/events")) | project-away BeforeToken""");

        var path = url.Split('?')[0];
        var beforeToken = Regex.Match(path, pattern, RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;
        (beforeToken.Length == 0 ? path : beforeToken + "REDACTED/events").ShouldBe(kept);
    }

    [Theory]
    [InlineData("http.server.active_requests", false)]
    [InlineData("kestrel.active_connections", false)]
    [InlineData("dotnet.gc.collections", false)]
    [InlineData("httpx", true)]
    [InlineData("your.own.metric", true)]
    public void MetricsOfAnIdleHost_AreDroppedAndOthersKept(string metric, bool kept) =>
        Regex.IsMatch(metric, Pattern().Match(DeployedTransformations()["AppMetrics"]).Groups["pattern"].Value, RegexOptions.None, TimeSpan.FromSeconds(1)).ShouldBe(!kept);

    [Fact]
    public void MetricsOfTheApp_AreKept()
    {
        var dropped = Pattern().Match(DeployedTransformations()["AppMetrics"]).Groups["pattern"].Value;

        Instruments().Where(metric => Regex.IsMatch(metric, dropped, RegexOptions.None, TimeSpan.FromSeconds(1))).ShouldBeEmpty();
    }

    [Fact]
    public void DocumentForOperators_ExplainsEveryQuery()
    {
        var explained = CodeBlock().Matches(Repository.Read("docs/operate.md")).Select(match => match.Groups["code"].Value.Trim());

        explained.ShouldBe(Queries.All.Values.Distinct(StringComparer.Ordinal), ignoreOrder: true);
    }

    [Fact]
    public async Task AlertRules_WatchTheWorkspaceAndReachWhomTheyShould()
    {
        var rules = deployments.Full.OfType("Microsoft.Insights/scheduledQueryRules");
        var checks = await Queries.CheckAsync(rules.ToDictionary(rule => (string)rule["name"]!, Query, StringComparer.Ordinal));
        foreach (var rule in rules)
        {
            var name = (string)rule["name"]!;
            var properties = rule["properties"]!;
            properties["scopes"]!.AsArray().ShouldHaveSingleItem();
            ((string)properties["scopes"]![0]!).ShouldBe((string)deployments.Full.Only("Microsoft.OperationalInsights/workspaces")["id"]!);
            properties["actions"]!["actionGroups"]!.AsArray().Count.ShouldBe(2, name);
            ((bool)properties["enabled"]!).ShouldBeTrue();
            checks[name].Columns.Contains("TimeGenerated", StringComparer.Ordinal).ShouldBeTrue(name);
            if (properties["criteria"]!["allOf"]![0]!["metricMeasureColumn"] is { } measure)
            {
                checks[name].Columns.Contains((string)measure!, StringComparer.Ordinal).ShouldBeTrue(name);
            }

            Repository.Read("docs/operate.md").ShouldContain($"`{name["telecmi-".Length..]}`");
        }

        Threshold("telecmi-server-errors").ShouldBe(7);
        Threshold("telecmi-slow-processing").ShouldBe(42);
        rules.Count.ShouldBe(Repository.Files("infra/alerts", "*.kql").Count);
        deployments.Plain.OfType("Microsoft.Insights/scheduledQueryRules").Select(rule => (string)rule["name"]!)
            .ShouldBe(rules.Select(rule => (string)rule["name"]!).Except(["telecmi-silence"], StringComparer.Ordinal));

        int Threshold(string name) =>
            (int)rules.Single(rule => (string)rule["name"]! == name)["properties"]!["criteria"]!["allOf"]![0]!["threshold"]!;
    }

    [Fact]
    public void Workbook_IsDeployedAsItStandsAndLooksAtTheWorkspace()
    {
        var deployed = deployments.Plain.Only("Microsoft.Insights/workbooks")["properties"]!;
        var workspace = (string)deployments.Plain.Only("Microsoft.OperationalInsights/workspaces")["id"]!;
        var content = JsonNode.Parse((string)deployed["serializedData"]!)!;

        ((string)deployed["sourceId"]!).ShouldBe(workspace);
        ((string)content["fallbackResourceIds"]![0]!).ShouldBe(workspace);
        foreach (var tile in Queries.Workbook["items"]!.AsArray().Where(item => (int)item!["type"]! == 3))
        {
            ((string)tile!["content"]!["version"]!).ShouldBe("KqlItem/1.0");
            ((string)tile["content"]!["resourceType"]!).ShouldBe("microsoft.operationalinsights/workspaces");
            ((string)tile["content"]!["timeContextFromParameter"]!).ShouldBe("TimeRange");
        }
    }

    private Dictionary<string, string> DeployedAlerts() =>
        deployments.Full.OfType("Microsoft.Insights/scheduledQueryRules").ToDictionary(rule => (string)rule["name"]!, Query, StringComparer.Ordinal);

    private Dictionary<string, string> DeployedTransformations() =>
        deployments.Plain.Only("Microsoft.Insights/dataCollectionRules")["properties"]!["dataFlows"]!.AsArray().ToDictionary(
            flow => ((string)flow!["streams"]!.AsArray().ShouldHaveSingleItem()!)["Microsoft-Table-".Length..],
            flow => (string)flow!["transformKql"]!,
            StringComparer.Ordinal);

    private static string Query(JsonNode rule) => (string)rule["properties"]!["criteria"]!["allOf"]![0]!["query"]!;

    private static List<string> Instruments()
    {
        var names = new List<string>();
        using var provider = new ServiceCollection().AddMetrics().AddSingleton<TeleCmiMetrics>().BuildServiceProvider();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == TelemetryNames.Source)
                {
                    names.Add(instrument.Name);
                }
            },
        };
        listener.Start();
        _ = provider.GetRequiredService<TeleCmiMetrics>();
        names.ShouldNotBeEmpty();
        return names;
    }

    private static List<string> Constants(string suffix) =>
        [.. typeof(TelemetryNames).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.IsLiteral && field.Name.EndsWith(suffix, StringComparison.Ordinal))
            .Select(field => (string)field.GetRawConstantValue()!)];

    [GeneratedRegex("extract\\(\"(?<pattern>[^\"]+)\"", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();

    [GeneratedRegex("^```kusto\n(?<code>.*?)^```$", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex CodeBlock();
}
