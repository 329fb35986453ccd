using System.Diagnostics;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Trace;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Functions.Tests;

public sealed class TelemetryTests
{
    // Nothing listens there, and nothing is waited for.
    private const string ConnectionString = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/";

    [Theory]
    [InlineData("url.full", "https://app.example/api/telecmi/events?code=the-key&to=4915112345678", "https://app.example/api/telecmi/events?REDACTED")]
    [InlineData("url.full", "https://app.example/api/telecmi/the-token-in-the-path/events", "https://app.example/api/telecmi/REDACTED/events")]
    [InlineData("url.full", "https://app.example/API/TeleCmi/the-token-in-the-path/Events?a=b\n?c", "https://app.example/API/telecmi/REDACTED/events?REDACTED")]
    [InlineData("url.path", "/api/telecmi/the-token-in-the-path/events", "/api/telecmi/REDACTED/events")]
    [InlineData("url.query", "code=the-key&to=4915112345678", "REDACTED")]
    [InlineData("http.url", "https://app.example/api/telecmi/events?code=the-key", "https://app.example/api/telecmi/events?REDACTED")]
    [InlineData("http.target", "/api/telecmi/events?code=the-key", "/api/telecmi/events?REDACTED")]
    [InlineData("url.full", "https://app.example/api/telecmi/health", "https://app.example/api/telecmi/health")]
    [InlineData("http.route", "api/telecmi/{accessToken}/events", "api/telecmi/{accessToken}/events")]
    public async Task SecretsInTheUrlsOfASpan_AreCoveredBeforeItLeaves(string tag, string value, string covered)
    {
        await using var app = await RunningApp.StartAsync(WithApplicationInsights());
        using var source = new ActivitySource(TelemetryNames.Source);

        var span = source.StartActivity("a request").ShouldNotBeNull();
        span.SetTag(tag, value);
        span.Stop();

        span.GetTagItem(tag).ShouldBe(covered);
    }

    [Fact]
    public async Task SecretsInTheNameOfASpan_AreCovered()
    {
        await using var app = await RunningApp.StartAsync(WithApplicationInsights());
        using var source = new ActivitySource(TelemetryNames.Source);

        var span = source.StartActivity("GET /api/telecmi/the-token-in-the-path/events?code=the-key").ShouldNotBeNull();
        span.Stop();

        span.DisplayName.ShouldBe("GET /api/telecmi/REDACTED/events?REDACTED");
    }

    [Fact]
    public async Task LogLinesOfAFunction_NameTheirInvocationWithApplicationInsights()
    {
        await using var app = await RunningApp.StartAsync(WithApplicationInsights(), services => services.AddLogging(logging => logging.AddFakeLogging()));
        var invocation = new WebhookCall.Invocation();

        FunctionExecutionDelegate function = _ =>
        {
            app.Services.GetRequiredService<ILogger<TelemetryTests>>().Log(LogLevel.Warning, default, "A line", exception: null, (line, _) => line);
            return Task.CompletedTask;
        };
        foreach (var middleware in app.Services.GetServices<IFunctionsWorkerMiddleware>())
        {
            var next = function;
            function = context => middleware.Invoke(context, next);
        }

        await function(invocation);

        // As the worker looks for it (GrpcFunctionsHostLogWriter): without it the host drops the line.
        app.Services.GetFakeLogCollector().GetSnapshot().Single(record => record.Message == "A line").Scopes
            .OfType<IEnumerable<KeyValuePair<string, object>>>().SelectMany(scope => scope)
            .ShouldContain(pair => pair.Key == "AzureFunctions_InvocationId" && Equals(pair.Value, invocation.InvocationId));
    }

    // The worker's OpenTelemetry defaults tell the host that the app sends its telemetry itself.
    [Fact]
    public async Task WithoutApplicationInsights_TelemetryIsLeftToTheHost()
    {
        await using var app = await RunningApp.StartAsync();

        app.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities.ShouldBeEmpty();
        app.Services.GetService<TracerProvider>().ShouldBeNull();
    }

    [Fact]
    public async Task WithApplicationInsights_TheAppTellsTheHostThatItSendsItsTelemetryItself()
    {
        await using var app = await RunningApp.StartAsync(WithApplicationInsights());

        app.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities["WorkerOpenTelemetryEnabled"].ShouldBe("True");
    }

    [Theory]
    [InlineData(null, 1f)]
    [InlineData("", 1f)]
    [InlineData("1", 1f)]
    [InlineData("0.25", 0.25f)]
    [InlineData("0.001", 0.001f)]
    public void SamplingRatio_IsTheShareOfTracesToKeep(string? setting, float ratio) =>
        TelemetrySetup.SamplingRatio(setting).ShouldBe(ratio);

    [Theory]
    [InlineData("0")]
    [InlineData("-0.5")]
    [InlineData("1.01")]
    [InlineData("0,25")]
    [InlineData("25%")]
    [InlineData("NaN")]
    [InlineData("half")]
    public void SamplingRatio_OutsideItsRangeIsRefused(string setting) =>
        Should.Throw<InvalidOperationException>(() => TelemetrySetup.SamplingRatio(setting)).Message.ShouldContain("TeleCmi__TraceSamplingRatio");

    [Theory]
    [InlineData(null, 1f)]
    [InlineData("0.25", 0.25f)]
    public async Task Exporter_KeepsTheShareOfTracesThatIsSetAndNotARate(string? ratio, float expected)
    {
        var settings = WithApplicationInsights();
        settings["TeleCmi__TraceSamplingRatio"] = ratio ?? "";

        await using var app = await RunningApp.StartAsync(settings);

        var exporter = app.Services.GetRequiredService<IOptionsMonitor<AzureMonitorExporterOptions>>().CurrentValue;
        exporter.SamplingRatio.ShouldBe(expected);
        exporter.TracesPerSecond.ShouldBeNull();
        exporter.Credential.ShouldBeNull();
    }

    [Theory]
    [InlineData("Authorization=AAD")]
    [InlineData("Authorization=AAD;ClientId=11111111-2222-3333-4444-555555555555")]
    [InlineData(" authorization=aad ; clientid=11111111-2222-3333-4444-555555555555 ; ")]
    public void AuthenticationString_MakesTheExporterUseAManagedIdentity(string setting) =>
        TelemetrySetup.Credential(setting).ShouldBeOfType<ManagedIdentityCredential>();

    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    public void WithoutAnAuthenticationString_TheConnectionStringIsEnough(string? setting) =>
        TelemetrySetup.Credential(setting).ShouldBeNull();

    private static Dictionary<string, string> WithApplicationInsights()
    {
        var settings = RunningApp.Settings();
        settings["APPLICATIONINSIGHTS_CONNECTION_STRING"] = ConnectionString;
        settings.Remove("Logging__LogLevel__Default");
        settings["Logging__Console__LogLevel__Default"] = "None";
        return settings;
    }
}
