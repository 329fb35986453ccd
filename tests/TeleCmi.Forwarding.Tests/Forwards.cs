using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

/// <summary>A receiver with destinations on this machine, and events for them.</summary>
internal static class Forwards
{
    public const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    public const string OldSecret = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";

    /// <summary>The settings of one destination.</summary>
    public static string[] Destination(int number, string name, Uri url, params string[] settings) =>
    [
        .. settings.Prepend($"Name={name}").Prepend($"Url={url.AbsoluteUri}").Prepend($"Secrets={Secret}")
            .Select(setting => string.Create(CultureInfo.InvariantCulture, $"--TeleCmi:Forward:{number}:{setting}")),
    ];

    public static Task<ReceiverHost> StartAsync(
        IEnumerable<string> settings, RetrySchedule? schedule = null, string? storage = null, IStore? store = null, Action<IServiceCollection>? configure = null) =>
        ReceiverHost.StartAsync(settings, storage, store, configure: services =>
        {
            services.AddSingleton(schedule ?? Schedule(retries: 3));
            configure?.Invoke(services);
        });

    /// <summary>So many retries, without a delay.</summary>
    public static RetrySchedule Schedule(int retries) => new([.. Enumerable.Repeat(TimeSpan.Zero, retries)]);

    /// <summary>The customer's answer, or the agent's, in a call of its own.</summary>
    public static byte[] Answered(string call, string leg = "b", string? conversation = null, int app = 2223343) =>
        SampleNotices.AnsweredWith(("leg", leg), ("cmiuuid", call), ("conversation_uuid", conversation ?? call), ("app_id", app));

    public static string IdOf(string call, string leg = "b") => EventStream.IdOf(call, leg);

    /// <summary>Sends an event, which the receiver must accept.</summary>
    public static async Task AcceptsAsync(this ReceiverHost host, byte[] body, string? traceParent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, host.Events) { Content = new ByteArrayContent(body) };
        request.Headers.Add("traceparent", traceParent is null ? [] : [traceParent]);
        using var response = await host.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }
}
