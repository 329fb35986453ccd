using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace TeleCmi.TestSupport;

/// <summary>
/// Azurite, the storage emulator, as a child process that ends with this one: from the repository's locked npm package,
/// which is installed first if need be.
/// </summary>
public sealed partial class Azurite : IAsyncDisposable
{
    /// <summary>The first of the ports that <c>UseDevelopmentStorage=true</c> stands for.</summary>
    public const int DefaultPort = 10000;

    // The emulator's published account and key; they open nothing but an emulator.
    private const string DefaultAccount = "devstoreaccount1";
    private const string DefaultKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    private Azurite(Process process, AzuritePorts ports)
    {
        _process = process;
        Ports = ports;
    }

    /// <summary>Where it listens.</summary>
    public AzuritePorts Ports { get; }

    /// <summary>The connection string to it.</summary>
    public string ConnectionString => ConnectionStringFor(Ports);

    /// <summary>The processor time that it has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The connection string to an emulator on these ports.</summary>
    /// <param name="ports">Where it listens.</param>
    /// <param name="account">The account.</param>
    /// <param name="key">Its key.</param>
    public static string ConnectionStringFor(AzuritePorts ports, string account = DefaultAccount, string key = DefaultKey) => string.Create(
        CultureInfo.InvariantCulture,
        $"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint=http://127.0.0.1:{ports.Blob}/{account};QueueEndpoint=http://127.0.0.1:{ports.Queue}/{account};TableEndpoint=http://127.0.0.1:{ports.Table}/{account};");

    /// <summary>Whether something listens on a loopback port.</summary>
    public static async Task<bool> IsListeningAsync(int port, CancellationToken cancellation)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(2), cancellation);
            return true;
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Starts it, and returns when queues and tables answer.</summary>
    /// <param name="repository">The folder with the locked npm package.</param>
    /// <param name="ports">Where to listen; 0: any free port.</param>
    /// <param name="dataFolder">Where its data lives; null: in memory.</param>
    /// <param name="progress">Hears what takes time.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <param name="accounts">Accounts other than the usual one, as <c>name:key;name:key</c>.</param>
    /// <param name="requests">Hears the access log, a line for each request; null: there is none.</param>
    /// <exception cref="InvalidOperationException">It could not be installed or started; the message says why and what to do.</exception>
    public static async Task<Azurite> StartAsync(
        string repository,
        AzuritePorts ports,
        string? dataFolder,
        Action<string> progress,
        CancellationToken cancellation,
        string? accounts = null,
        Action<string>? requests = null)
    {
        var script = await AzuritePackage.InstallAsync(repository, progress, cancellation);
        string[] persistence = dataFolder is null ? ["--inMemoryPersistence"] : ["--location", dataFolder];
        string[] log = requests is null ? ["--silent"] : [];
        var start = new ProcessStartInfo("node")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        string[] arguments =
        [
            "--require", Path.Combine(AppContext.BaseDirectory, "azurite-child.cjs"), script,
            "--blobPort", Text(ports.Blob), "--queuePort", Text(ports.Queue), "--tablePort", Text(ports.Table),
            "--disableTelemetry", "--skipApiVersionCheck", .. log, .. persistence,
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        if (accounts is not null)
        {
            start.Environment["AZURITE_ACCOUNTS"] = accounts;
        }

        var process = Start(start);
        try
        {
            return new Azurite(process, await WhenListeningAsync(process, requests, cancellation));
        }
        catch
        {
            await StopAsync(process);
            throw;
        }
    }

    /// <summary>Asks it to save its data and end, and waits until it has.</summary>
    public ValueTask DisposeAsync() => new(StopAsync(_process));

    /// <summary>Ends it at once, as a crash would.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    internal static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                $"'{start.FileName}' could not be started, and Azurite needs it: install Node.js 22 or newer from https://nodejs.org.", e);
        }
    }

    private static async Task<AzuritePorts> WhenListeningAsync(Process process, Action<string>? requests, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(StartDeadline);
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            while (found.Count < 3)
            {
                var line = await process.StandardOutput.ReadLineAsync(deadline.Token)
                    ?? throw new InvalidOperationException($"Azurite did not start: {OneLine(await errors)}");
                if (Listening().Match(line) is { Success: true } match)
                {
                    found[match.Groups["service"].Value] = int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture);
                }
            }
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"Azurite did not start within {StartDeadline.TotalSeconds} s.", e);
        }

        // Whoever does not read a child's output stops it once the pipe is full.
        _ = requests is null
            ? process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None)
            : ReadLinesAsync(process.StandardOutput, requests);
        return new AzuritePorts(found["Blob"], found["Queue"], found["Table"]);
    }

    private static async Task ReadLinesAsync(StreamReader output, Action<string> hear)
    {
        while (await output.ReadLineAsync(CancellationToken.None) is { } line)
        {
            hear(line);
        }
    }

    private static async Task StopAsync(Process process)
    {
        using (process)
        {
            if (process.HasExited)
            {
                return;
            }

            process.StandardInput.Close();
            using var deadline = new CancellationTokenSource(StopDeadline);
            try
            {
                await process.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string OneLine(string text) => string.Join(' ', text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(3));

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Azurite (?<service>Blob|Queue|Table) service is successfully listening at http://[^:]+:(?<port>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}

/// <summary>The three ports of an Azurite.</summary>
/// <param name="Blob">The blob service, which this product does not use.</param>
/// <param name="Queue">The queue service.</param>
/// <param name="Table">The table service.</param>
public sealed record AzuritePorts(int Blob, int Queue, int Table)
{
    /// <summary>Any free ports.</summary>
    public static AzuritePorts Any { get; } = new(0, 0, 0);

    /// <summary>A port and the next two, as Azurite has them by default.</summary>
    public static AzuritePorts From(int first) => new(first, first + 1, first + 2);
}
