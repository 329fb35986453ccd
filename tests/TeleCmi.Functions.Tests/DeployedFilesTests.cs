using System.Reflection;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions.Tests;

public sealed class DeployedFilesTests
{
    [Fact]
    public void HostJson_DecodesWhatTheReceiverPutsIntoTheQueue() =>
        Queues.GetProperty("messageEncoding").GetString().ShouldBe("base64");

    [Fact]
    public void HostJson_GivesAnEventFiveTriesWithAPauseBetween()
    {
        Queues.GetProperty("maxDequeueCount").GetInt32().ShouldBe(5);
        Time("visibilityTimeout").ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void HostJson_TakesBatchesAndPollsOften()
    {
        var batch = Queues.GetProperty("batchSize").GetInt32();
        batch.ShouldBeInRange(1, 32);
        Queues.GetProperty("newBatchThreshold").GetInt32().ShouldBeInRange(1, batch);
        Time("maxPollingInterval").ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void HostJson_HasTheTelemetryModeAndTheRoutePrefixAndNoExtensionBundle()
    {
        HostJson.GetProperty("version").GetString().ShouldBe("2.0");
        HostJson.GetProperty("telemetryMode").GetString().ShouldBe("OpenTelemetry");
        HostJson.GetProperty("extensions").GetProperty("http").GetProperty("routePrefix").GetString().ShouldBe("api");
        HostJson.TryGetProperty("extensionBundle", out _).ShouldBeFalse("a compiled app must not have one: Core Tools refuses to start");
    }

    [Fact]
    public async Task SampleSettings_StartTheAppAsTheyAre()
    {
        var settings = SampleSettings();
        settings["Logging__LogLevel__Default"] = "None";

        await using var app = await RunningApp.StartAsync(settings);

        app.Services.GetRequiredService<IOptions<AzureStorageOptions>>().Value.ConnectionString.ShouldBe("UseDevelopmentStorage=true");
        var queues = app.Services.GetRequiredService<PipelineQueues>();
        queues.Events.Name.ShouldBe(settings["TeleCmiEventsQueue"]);
        queues.Forwards.Name.ShouldBe(settings["TeleCmiForwardsQueue"]);
    }

    [Fact]
    public void SampleSettings_AreInTheClearAndNameTheWorkerAndTheHostsOwnStorage()
    {
        Read("local.settings.sample.json").GetProperty("IsEncrypted").GetBoolean().ShouldBeFalse();
        SampleSettings()["FUNCTIONS_WORKER_RUNTIME"].ShouldBe("dotnet-isolated");
        SampleSettings()["AzureWebJobsStorage"].ShouldBe("UseDevelopmentStorage=true");
    }

    // %Name%: a setting that the platform looks up; without it the trigger never listens.
    [Fact]
    public void SampleSettings_HaveEverySettingThatATriggerNames()
    {
        var named = typeof(ReceiveEvent).Assembly.GetTypes().SelectMany(type => type.GetMethods()).SelectMany(method => method.GetParameters())
            .Select(parameter => parameter.GetCustomAttribute<QueueTriggerAttribute>()).OfType<QueueTriggerAttribute>()
            .SelectMany(trigger => trigger.QueueName.Split('%').Where((_, i) => i % 2 == 1).Append(trigger.Connection!))
            .Distinct(StringComparer.Ordinal).ToList();

        named.ShouldNotBeEmpty();
        named.Except(SampleSettings().Keys, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void HostJson_GoesAlongWithTheAppAndLocalSettingsNeverDo()
    {
        Linked("host.json").ShouldBe(("PreserveNewest", "PreserveNewest"));
        Linked("local.settings.json").ShouldBe(("PreserveNewest", "Never"));
    }

    private static JsonElement HostJson => Read("host.json");

    private static JsonElement Queues => HostJson.GetProperty("extensions").GetProperty("queues");

    private static TimeSpan Time(string name) => TimeSpan.ParseExact(Queues.GetProperty(name).GetString()!, "c", null);

    private static Dictionary<string, string> SampleSettings() =>
        Read("local.settings.sample.json").GetProperty("Values").EnumerateObject().ToDictionary(value => value.Name, value => value.Value.GetString()!, StringComparer.Ordinal);

    private static (string? ToOutput, string? ToPublish) Linked(string file)
    {
        var item = XDocument.Load(PathOf("TeleCmi.Functions.csproj")).Descendants("None").Single(none => (string?)none.Attribute("Link") == file);
        return ((string?)item.Attribute("CopyToOutputDirectory"), (string?)item.Attribute("CopyToPublishDirectory"));
    }

    private static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllText(PathOf(file))).RootElement;

    private static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "Deployed", file);
}
