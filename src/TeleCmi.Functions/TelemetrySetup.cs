using System.Globalization;
using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Trace;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Functions;

/// <summary>Traces, metrics and logs to Application Insights, when it is configured; log lines to the host's log in either case.</summary>
internal static class TelemetrySetup
{
    public const string ConnectionStringSetting = "APPLICATIONINSIGHTS_CONNECTION_STRING";
    public const string AuthenticationSetting = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";
    public const string SamplingRatioSetting = "TeleCmi:TraceSamplingRatio";

    /// <summary>Adds the telemetry that the settings ask for.</summary>
    /// <exception cref="InvalidOperationException">The sampling ratio is invalid.</exception>
    public static void AddTelemetry(this FunctionsApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var samplingRatio = SamplingRatio(configuration[SamplingRatioSetting]);

        // Without a place to send it to, telemetry would only take time at the start; the host has the log lines anyway.
        if (configuration[ConnectionStringSetting] is { Length: > 0 } connectionString)
        {
            builder.AddExporter(connectionString, samplingRatio);
        }
    }

    // By itself, so that the exporter's code is loaded only where it is used.
    private static void AddExporter(this FunctionsApplicationBuilder builder, string connectionString, float samplingRatio)
    {
        builder.UseMiddleware<InvocationLogScope>();
        builder.Services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            .WithMetrics(metrics => metrics.AddMeter(TelemetryNames.Source))
            .WithTracing(tracing => tracing.AddSource(TelemetryNames.Source).AddProcessor(new SecretRedaction()))
            .UseAzureMonitorExporter(exporter =>
            {
                exporter.ConnectionString = connectionString;
                exporter.Credential = Credential(builder.Configuration[AuthenticationSetting]);

                // Unless told otherwise the exporter keeps 5 traces a second and drops the logs of the others.
                exporter.TracesPerSecond = null;
                exporter.SamplingRatio = samplingRatio;
            });
    }

    /// <summary>The share of traces that is kept, from above 0 to 1; all of them where nothing is set.</summary>
    /// <exception cref="InvalidOperationException">The setting is something else.</exception>
    public static float SamplingRatio(string? setting) =>
        string.IsNullOrWhiteSpace(setting) ? 1
        : float.TryParse(setting, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ratio) && ratio is > 0 and <= 1 ? ratio
        : throw new InvalidOperationException("TeleCmi__TraceSamplingRatio: write the share of traces to keep, above 0 and at most 1, such as 0.25.");

    /// <summary>The identity that the platform's own setting names: <c>Authorization=AAD;ClientId=…</c>.</summary>
    public static TokenCredential? Credential(string? setting)
    {
        if (string.IsNullOrWhiteSpace(setting))
        {
            return null;
        }

        const string ClientId = "ClientId=";
        var clientId = setting.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault(part => part.StartsWith(ClientId, StringComparison.OrdinalIgnoreCase))?[ClientId.Length..];
        return string.IsNullOrEmpty(clientId)
            ? new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned)
            : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId));
    }
}
