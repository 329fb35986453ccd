using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Infra.Tests;

/// <summary>The queries ask for what the code emits, and are the ones that docs/operate.md explains.</summary>
public sealed partial class QueryTests(Deployments deployments) : IClassFixture<Deployments>
{
    [Fact]
    public async Task Every_query_is_valid_for_the_tables_of_Azure_Monitor()
    {
        var deployed = deployments.Full.OfType("Microsoft.Insights/scheduledQueryRules")
            .ToDictionary(rule => (string)rule["name"]!, Query, StringComparer.Ordinal);

        foreach (var (name, check) in await Queries.CheckAsync(Queries.All.Where(query => !query.Key.StartsWith("alert:", StringComparison.Ordinal)).Concat(deployed)))
        {
            check.Faults.ShouldBeEmpty(name);
            check.Columns.ShouldNotBeEmpty(name);
        }
    }

    [Fact]
    public void Every_metric_and_span_in_a_query_is_one_that_the_code_emits()
    {
        var emitted = Instruments().Concat(Constants("Activity")).ToList();
        foreach (var (name, query) in Queries.All)
        {
            Queries.Values(query).Where(value => value.StartsWith("telecmi.", StringComparison.Ordinal))
                .Except(emitted, StringComparer.Ordinal).ShouldBeEmpty(name);
        }
    }

    [Fact]
    public void Every_attribute_in_a_query_is_one_that_the_code_sets()
    {
        var declared = Constants("");
        foreach (var (name, query) in Queries.All)
        {
            Queries.Properties(query).Except(declared, StringComparer.Ordinal).ShouldBeEmpty(name);
        }
    }

    [Fact]
    public void Every_value_that_a_query_compares_with_stands_in_the_code()
    {
        var code = string.Concat(Repository.Files("src", "*.cs").Select(Repository.Read));
        var outcomes = Queries.All.Values.SelectMany(Queries.Values)
            .Where(value => value.All(c => char.IsAsciiLetterLower(c) || c == '.') && value.Length > 0 && !value.StartsWith("telecmi.", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal);

        outcomes.ShouldAllBe(value => code.Contains($"\"{value}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_metric_that_the_code_emits_is_in_a_query() =>
        Instruments().Except(Queries.All.Values.SelectMany(Queries.Values), StringComparer.Ordinal).ShouldBeEmpty();

    [Fact]
    public void Addresses_in_queries_are_those_of_the_functions()
    {
        var prefix = $"/{(string)JsonNode.Parse(Repository.Read("host.json"))!["extensions"]!["http"]!["routePrefix"]!}/";
        var routes = Route().Matches(string.Concat(Repository.Files("src/TeleCmi.Functions", "*.cs").Select(Repository.Read)))
            .Select(match => prefix + match.Groups["route"].Value).ToList();
        var webhook = routes.Where(route => route.EndsWith("/events", StringComparison.Ordinal)).ToList();

        webhook.Count.ShouldBe(2);
        foreach (var query in Queries.All.Values.Where(query => query.Contains("Url", StringComparison.Ordinal)))
        {
            var parts = Queries.Values(query).Where(value => value.StartsWith('/')).ToList();
            parts.ShouldNotBeEmpty();
            routes.Where(route => parts.All(part => route.Contains(part, StringComparison.Ordinal))).ShouldBe(webhook);
        }

        ((string)deployments.Plain.Outputs["TELECMI_WEBHOOK"]!).ShouldContain($"{prefix}telecmi/events");
    }

    [Fact]
    public void Instances_stand_ready_for_functions_that_exist()
    {
        var ready = deployments.Full.Only("Microsoft.Web/sites")["properties"]!["functionAppConfig"]!["scaleAndConcurrency"]!["alwaysReady"]!.AsArray();
        foreach (var function in ready.Select(group => ((string)group!["name"]!).Split(':')).Where(name => name is ["function", _]))
        {
            Repository.Read($"src/TeleCmi.Functions/{function[1]}.cs").ShouldContain($"[Function(nameof({function[1]}))]");
        }
    }

    [Fact]
    public void The_document_for_operators_explains_every_query()
    {
        var explained = CodeBlock().Matches(Repository.Read("docs/operate.md")).Select(match => match.Groups["code"].Value.Trim());

        explained.ShouldBe(Queries.All.Values.Distinct(StringComparer.Ordinal), ignoreOrder: true);
    }

    [Fact]
    public async Task Alert_rules_watch_the_workspace_and_reach_whom_they_should()
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
    public void The_workbook_is_deployed_as_it_stands_and_looks_at_the_workspace()
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

    [GeneratedRegex("Route = \"(?<route>[^\"]+)\"", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Route();

    [GeneratedRegex("^```kusto\n(?<code>.*?)^```$", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex CodeBlock();
}
