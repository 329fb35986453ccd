using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Infra.Tests;

/// <summary>The settings that the templates set, that the code reads and that docs/settings.md lists are the same.</summary>
public sealed partial class SettingsTests(Deployments deployments) : IClassFixture<Deployments>
{
    // Another way to say where storage is; the deployed app uses addresses and its identity.
    private static readonly string[] OtherWaysToStorage = ["TeleCmiStorage", "TeleCmiStorage__accountName"];

    [Fact]
    public void DeployedApp_HasEverySettingThatTheCodeReadsAndNoOther()
    {
        var deployed = deployments.Plain.AppSettings().Keys.Where(name => !IsThePlatforms(name) && !IsADestinations(name) && !IsTheReports(name));

        ShouldBeTheSame(deployed, SettingsTheCodeReads().Except(OtherWaysToStorage, StringComparer.Ordinal));
        deployments.Full.AppSettings().Keys.ShouldBe(deployments.Plain.AppSettings().Keys);
    }

    [Fact]
    public void Document_ListsEverySettingThatTheCodeReadsAndNoOther()
    {
        var listed = FirstColumn().Matches(Repository.Read("docs/settings.md")).SelectMany(match => Setting().Matches(match.Value)).Select(match => match.Groups["name"].Value);

        ShouldBeTheSame(listed, SettingsTheCodeReads().Except(["TeleCmiStorage__accountName"], StringComparer.Ordinal));
    }

    [Fact]
    public void WhatIsNotSetAtDeployment_HasTheDefaultThatTheCodeHas()
    {
        var deployed = deployments.Plain.AppSettings();
        var asDeployed = Bind(deployed.Where(setting => !setting.Value.StartsWith('[')).ToDictionary(StringComparer.Ordinal));
        var byDefault = new TeleCmiOptions();

        foreach (var property in typeof(TeleCmiOptions).GetProperties().Where(property => property.CanWrite && property.Name != nameof(TeleCmiOptions.AccessTokens)))
        {
            property.GetValue(asDeployed.Options).ShouldBe(property.GetValue(byDefault), property.Name);
        }

        asDeployed.Queues.Events.ShouldBe(new QueueOptions().Events);
        asDeployed.Queues.Forwards.ShouldBe(new QueueOptions().Forwards);
    }

    [Fact]
    public void Destination_IsDeployedAsItWasAskedForAndNoneWithoutAnAddress()
    {
        Destinations(deployments.Plain, secrets: "").ShouldBeEmpty();

        var destination = Destinations(deployments.Full, Deployments.ForwardSecret).ShouldHaveSingleItem();
        destination.Url.AbsoluteUri.ShouldBe("https://crm.example.com/hooks");
        destination.Secrets.Count.ShouldBe(1);
        destination.OncePerConversation.ShouldBeTrue();

        static IReadOnlyList<ForwardDestination> Destinations(Deployment deployment, string secrets) => new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(deployment.AppSettings()
                    .Where(setting => IsADestinations(setting.Key))
                    .Select(setting => KeyValuePair.Create<string, string?>(setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value)))
                .AddInMemoryCollection([new("TeleCmi:Forward:0:Secrets", secrets)])
                .Build())
            .AddForwardTest()
            .BuildServiceProvider()
            .GetRequiredService<ForwardDestinations>().All;
    }

    [Fact]
    public void Calls_AreReconciledAsItWasAskedForAndNotWithoutASecret()
    {
        Reports(deployments.Plain, secret: "").IsOn.ShouldBeFalse();
        deployments.Plain.AppSettings()[Disabled].ShouldBe("True");
        deployments.Full.AppSettings()[Disabled].ShouldBe("False");

        var asked = Reports(deployments.Full, Deployments.ReconcileSecret);
        asked.IsOn.ShouldBeTrue();
        asked.AppId.ShouldBe("2223343");
        asked.Backfill.ShouldBeTrue();
        deployments.Full.AppSettings()["TeleCmi__Reconcile__Secret"].ShouldBe("[parameters('reconcileSecret')]");

        // With the settings of the receiver that they must fit.
        static ReconcileOptions Reports(Deployment deployment, string secret) => new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(deployment.AppSettings()
                    .Where(setting => IsTheReports(setting.Key) || setting.Key == "TeleCmi__AcceptedEvents")
                    .Select(setting => KeyValuePair.Create<string, string?>(setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value)))
                .AddInMemoryCollection([new("TeleCmi:Reconcile:Secret", secret)])
                .Build())
            .AddTeleCmiPipeline()
            .BuildServiceProvider()
            .GetRequiredService<IOptions<ReconcileOptions>>().Value;
    }

    private static string Disabled => $"AzureWebJobs.{App.FunctionNames.Single(name => name == nameof(TeleCmi.Functions.ReconcileCalls))}.Disabled";

    [Fact]
    public void Document_ListsEverySettingOfTheReportsAndNoOther()
    {
        var listed = FirstColumn().Matches(Repository.Read("docs/reconcile.md")).SelectMany(match => ReportSetting().Matches(match.Value)).Select(match => match.Groups["name"].Value);

        listed.ShouldBe(ReconcileOptions.Known, ignoreOrder: true);
    }

    [Fact]
    public void QueuesAndTables_AreMadeUnderTheNamesThatTheAppUses()
    {
        var settings = deployments.Plain.AppSettings();

        Names("Microsoft.Storage/storageAccounts/queueServices/queues").ShouldBe(
            App.QueueTriggers.Select(trigger => settings.Aggregate(trigger.QueueName, (name, setting) => name.Replace($"%{setting.Key}%", setting.Value, StringComparison.Ordinal))),
            ignoreOrder: true);
        Names("Microsoft.Storage/storageAccounts/tableServices/tables").ShouldBe(
            App.ConstantsOf(typeof(TeleCmiOptions).Assembly, name => name == "TableName"), ignoreOrder: true);

        IEnumerable<string> Names(string type) =>
            deployments.Plain.OfType(type).Select(resource => ((string)resource["name"]!).Split('/')[^1]);
    }

    private static void ShouldBeTheSame(IEnumerable<string> there, IEnumerable<string> read)
    {
        var (thereList, readList) = (there.ToList(), read.ToList());
        readList.Except(thereList, StringComparer.Ordinal).ShouldBeEmpty("The code reads these, but they are missing here.");
        thereList.Except(readList, StringComparer.Ordinal).ShouldBeEmpty("These are here, but the code does not read them.");
    }

    private static bool IsADestinations(string name) => name.StartsWith("TeleCmi__Forward__", StringComparison.Ordinal);

    private static bool IsTheReports(string name) => name.StartsWith("TeleCmi__Reconcile__", StringComparison.Ordinal);

    private static bool IsThePlatforms(string name) =>
        new[] { "AzureWebJobsStorage__", "AzureWebJobs.", "WEBSITE_", "OTEL_" }.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    private static HashSet<string> SettingsTheCodeReads()
    {
        var values = typeof(TeleCmiOptions).GetProperties().Where(property => property.CanWrite)
            .ToDictionary(property => $"TeleCmi__{property.Name}", property => TextOf(property.GetValue(new TeleCmiOptions())), StringComparer.Ordinal);
        return [.. Bind(values).Read.Select(key => key.Replace(":", "__", StringComparison.Ordinal)), .. App.Settings];
    }

    private static string TextOf(object? value) => value is IEnumerable<string> list ? string.Join(',', list) : string.Create(CultureInfo.InvariantCulture, $"{value}");

    private static (TeleCmiOptions Options, QueueOptions Queues, IReadOnlySet<string> Read) Bind(Dictionary<string, string> settings)
    {
        var recorder = new Recorder(settings);
        var configuration = new ConfigurationRoot([recorder]);
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging().AddTeleCmiPipeline().AddAzureStorage()
            // Read, not judged: the addresses that only Azure knows are missing here.
            .RemoveAll<IValidateOptions<AzureStorageOptions>>()
            .BuildServiceProvider();
        _ = services.GetRequiredService<IOptions<AzureStorageOptions>>().Value;
        return (services.GetRequiredService<IOptions<TeleCmiOptions>>().Value, services.GetRequiredService<IOptions<QueueOptions>>().Value, recorder.Read);
    }

    [GeneratedRegex(@"^\|[^|]*\|", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex FirstColumn();

    [GeneratedRegex("`(?<name>(TeleCmi|APPLICATIONINSIGHTS_)\\w+)`", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Setting();

    [GeneratedRegex("`TeleCmi__Reconcile__(?<name>\\w+)`", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ReportSetting();

    private sealed class Recorder : ConfigurationProvider
    {
        public Recorder(Dictionary<string, string> settings)
        {
            foreach (var (name, value) in settings)
            {
                Data[name.Replace("__", ":", StringComparison.Ordinal)] = value;
            }
        }

        public HashSet<string> Read { get; } = new(StringComparer.Ordinal);

        public override bool TryGet(string key, out string? value)
        {
            if (key != TeleCmiOptions.SectionName)
            {
                Read.Add(key);
            }

            return base.TryGet(key, out value);
        }
    }
}
