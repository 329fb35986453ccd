using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>Reads TeleCMI's call reports, an hour at a time: a page that moves while calls are added costs that hour again, not the day.</summary>
public sealed partial class CallReports
{
    /// <summary>The most records that a page has.</summary>
    public const int PageSize = 20;

    private const string ClientName = "telecmi-reports";
    private const int LargestPage = 1024 * 1024;

    private const int MostRetries = 6;
    private const int MostReads = 4;

    private static readonly TimeSpan Window = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly IHttpClientFactory _clients;
    private readonly ReconcileOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<CallReports> _logger;
    private readonly Lazy<ResiliencePipeline<ReportPage>> _retries;

    /// <summary>Takes the settings.</summary>
    public CallReports(IHttpClientFactory clients, IOptions<ReconcileOptions> options, TimeProvider clock, ILogger<CallReports> logger)
    {
        _clients = clients;
        _options = options.Value;
        _clock = clock;
        _logger = logger;

        // Making it takes longer than all else that a receiver's start needs of reconciliation, which most have off.
        _retries = new(MakeRetries);
    }

    // Its handler keeps the connections, and follows new addresses itself. A redirect would be given the secret.
    internal static void AddClient(IServiceCollection services) => services.AddHttpClient(ClientName, client =>
        {
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.MaxResponseContentBufferSize = LargestPage;
            client.DefaultRequestHeaders.UserAgent.ParseAdd("TeleCmi.Functions");
        })
        .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
        .RemoveAllLoggers();

    /// <summary>Reads some reports, from the earliest hour on.</summary>
    /// <param name="reports">Which.</param>
    /// <param name="from">The first moment.</param>
    /// <param name="to">The moment after the last.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="ReportException">TeleCMI refuses, or does not respond as documented however often it is asked.</exception>
    public async IAsyncEnumerable<ReportWindow> ReadAsync(
        IReadOnlyCollection<CallReport> reports, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var start = from; start < to; start += Window)
        {
            var end = start + Window < to ? start + Window : to;
            foreach (var report in reports)
            {
                yield return await ReadAsync(report, start, end, cancellation);
            }
        }
    }

    private async Task<ReportWindow> ReadAsync(CallReport report, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var all = new HashSet<ReportRecord>();
        for (var read = 1; ; read++)
        {
            var (seen, count, isStable) = await ReadPagesAsync(report, from, to, cancellation);
            all.UnionWith(seen);
            if (isStable || read == MostReads)
            {
                return new ReportWindow(report, from, to, all, isStable ? null : count);
            }

            Log.Changed(_logger, report.Name, from, to, count);
        }
    }

    private async Task<(HashSet<ReportRecord> Seen, long Count, bool IsStable)> ReadPagesAsync(
        CallReport report, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var seen = new HashSet<ReportRecord>();
        long? first = null;
        for (var number = 1; ; number++)
        {
            var page = await RetryAsync(token => ReadPageAsync(report, from, to, number, token), report, cancellation);
            first ??= page.Count;
            var before = seen.Count;
            seen.UnionWith(page.Records);

            // A server that never runs out of pages, or repeats one, does not hold this up for ever.
            if (page.Count != first || seen.Count == before || (long)number * PageSize >= page.Count)
            {
                return (seen, page.Count, page.Count == first && seen.Count == page.Count);
            }
        }
    }

    private async Task<ReportPage> RetryAsync(Func<CancellationToken, Task<ReportPage>> read, CallReport report, CancellationToken cancellation)
    {
        try
        {
            return await _retries.Value.ExecuteAsync(static async (read, token) => await read(token), read, cancellation);
        }
        catch (TimeoutRejectedException)
        {
            throw new ReportException($"{report.Name} did not respond within {_options.Timeout}, {MostRetries + 1} times: try again later.");
        }
        catch (HttpRequestException e)
        {
            throw new ReportException($"{report.Name} cannot be read: {e.Message}");
        }
    }

    private async Task<ReportPage> ReadPageAsync(CallReport report, DateTimeOffset from, DateTimeOffset to, int page, CancellationToken cancellation)
    {
        using var client = _clients.CreateClient(ClientName);
        using var content = new ReadOnlyMemoryContent(RequestOf(from, to, page)) { Headers = { ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json) } };
        using var response = await client.PostAsync(new Uri(_options.Address, report.Name), content, cancellation);
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500)
        {
            throw new PassingFaultException($"{report.Name} responded with {(int)response.StatusCode}.", RetryAfterOf(response));
        }

        var json = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (!ReportPage.TryRead(report, json, out var read))
        {
            throw response.IsSuccessStatusCode
                ? new PassingFaultException($"{report.Name} did not respond with a report.", retryAfter: null)
                : Refused(report, (int)response.StatusCode);
        }

        return read.Code is 200 && response.IsSuccessStatusCode ? read : throw Refused(report, read.Code is 200 ? (int)response.StatusCode : read.Code);
    }

    private ReadOnlyMemory<byte> RequestOf(DateTimeOffset from, DateTimeOffset to, int page)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(body);
        writer.WriteStartObject();
        writer.WriteNumber("appid"u8, long.Parse(_options.AppId, CultureInfo.InvariantCulture));
        writer.WriteString("secret"u8, _options.Secret);
        writer.WriteNumber("start_date"u8, from.ToUnixTimeMilliseconds());

        // Whether the end is included is not documented, so the next hour begins one millisecond later.
        writer.WriteNumber("end_date"u8, to.ToUnixTimeMilliseconds() - 1);
        writer.WriteNumber("page"u8, page);
        writer.WriteNumber("limit"u8, PageSize);
        writer.WriteEndObject();
        writer.Flush();
        return body.WrittenMemory;
    }

    // What the server says beside the code is not repeated: it may repeat the secret.
    private static ReportException Refused(CallReport report, int code) => new(code switch
    {
        401 or 403 or 404 => $"TeleCMI does not accept the app id or the secret ({report.Name} responded with {code}): check {ReconcileOptions.SettingPrefix}{nameof(ReconcileOptions.AppId)} and {ReconcileOptions.SettingPrefix}{nameof(ReconcileOptions.Secret)}.",
        400 => $"TeleCMI finds a parameter missing or wrong ({report.Name} responded with 400): the report may have changed; see docs/reconcile.md.",
        _ => $"{report.Name} responded with {code}, which TeleCMI does not document: check {ReconcileOptions.SettingPrefix}{nameof(ReconcileOptions.Url)}.",
    });

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var wait = response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - _clock.GetUtcNow()) : null;
        return wait > LongestWait ? throw new ReportException($"TeleCMI asks to wait for {wait}: try again later.")
            : wait < TimeSpan.Zero ? TimeSpan.Zero
            : wait;
    }

    private ResiliencePipeline<ReportPage> MakeRetries() => new ResiliencePipelineBuilder<ReportPage> { TimeProvider = _clock }
        .AddRetry(new RetryStrategyOptions<ReportPage>
        {
            MaxRetryAttempts = MostRetries,
            Delay = TimeSpan.FromSeconds(1),
            MaxDelay = TimeSpan.FromSeconds(30),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = new PredicateBuilder<ReportPage>().Handle<TimeoutRejectedException>().Handle<HttpRequestException>().Handle<PassingFaultException>(),
            DelayGenerator = attempt => ValueTask.FromResult((attempt.Outcome.Exception as PassingFaultException)?.RetryAfter),
            OnRetry = attempt =>
            {
                Log.Retried(_logger, attempt.AttemptNumber + 1, attempt.Outcome.Exception?.Message ?? "", attempt.RetryDelay);
                return ValueTask.CompletedTask;
            },
        })
        .AddTimeout(_options.Timeout)
        .Build();

    private static partial class Log
    {
        [LoggerMessage(EventId = 77, Level = LogLevel.Warning, Message = "Request {Attempt} for a call report failed: {Reason} Next in {Delay}.")]
        public static partial void Retried(ILogger logger, int attempt, string reason, TimeSpan delay);

        [LoggerMessage(EventId = 78, Level = LogLevel.Information, Message = "Report {Report} from {From:O} to {To:O} changed while it was read ({Count} records now); it is read again.")]
        public static partial void Changed(ILogger logger, string report, DateTimeOffset from, DateTimeOffset to, long count);
    }

    // Worth another request.
    private sealed class PassingFaultException(string message, TimeSpan? retryAfter) : ReportException(message)
    {
        public TimeSpan? RetryAfter { get; } = retryAfter;
    }
}

/// <summary>The reports cannot be read; the message says why, without the secret.</summary>
public class ReportException(string message) : IOException(message);

/// <summary>An hour, or less, of one report.</summary>
/// <param name="Report">Which.</param>
/// <param name="From">The first moment.</param>
/// <param name="To">The moment after the last.</param>
/// <param name="Records">The records that were seen.</param>
/// <param name="Unstable">How many there should be, when the report kept changing while it was read; null when all were seen.</param>
public sealed record ReportWindow(CallReport Report, DateTimeOffset From, DateTimeOffset To, IReadOnlyCollection<ReportRecord> Records, long? Unstable);
