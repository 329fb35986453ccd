using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using TeleCmi.TestSupport;

namespace TeleCmi.LoadTest.Targets;

/// <summary>A target in a process of its own, so that what it costs can be told from what the load test costs.</summary>
internal sealed class TargetProcess : IAsyncDisposable
{
    private const string Ready = "ready ";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReplyDeadline = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly ConcurrentQueue<string> _errors = new();
    private readonly bool _knowsCommands;

    private TargetProcess(Process process, bool knowsCommands)
    {
        _process = process;
        _knowsCommands = knowsCommands;
        process.OutputDataReceived += (_, e) => _lines.Writer.TryWrite(e.Data ?? "");
        process.ErrorDataReceived += (_, e) => KeepError(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>The processor time that it has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts this program again as a target.</summary>
    public static Task<TargetProcess> StartOwnAsync(string name, params string[] arguments) =>
        StartAsync(new ProcessStartInfo("dotnet", [typeof(TargetProcess).Assembly.Location, TargetHost.Verb, name, .. arguments]), knowsCommands: true);

    /// <summary>Starts a script that listens on the port it is given.</summary>
    public static Task<TargetProcess> StartScriptAsync(string interpreter, string script)
    {
        var start = new ProcessStartInfo(interpreter, [Path.Combine(AppContext.BaseDirectory, "Targets", script), LoopbackPort.Free().ToString(CultureInfo.InvariantCulture)]);
        return StartAsync(start, knowsCommands: false);
    }

    /// <summary>Gives it a command, and waits for the reply.</summary>
    public async Task<string> AskAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        return await ReadAsync(ReplyDeadline);
    }

    /// <summary>The bytes that it has allocated since its start; 0 where it cannot tell.</summary>
    public async Task<long> AllocatedBytesAsync() => !_knowsCommands ? 0 :
        long.Parse(await AskAsync(TargetHost.AllocatedCommand), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            _process.StandardInput.Close();
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await _process.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
    }

    private static async Task<TargetProcess> StartAsync(ProcessStartInfo start, bool knowsCommands)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        var target = new TargetProcess(Process.Start(start)!, knowsCommands);
        try
        {
            string line;
            do
            {
                line = await target.ReadAsync(StartDeadline);
            }
            while (!line.StartsWith(Ready, StringComparison.Ordinal));

            target.Address = new Uri(line[Ready.Length..]);
            await target.WhenListeningAsync();
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    // The first lines say why it ended; an access log would never end.
    private void KeepError(string? line)
    {
        const int Lines = 5;
        if (!string.IsNullOrWhiteSpace(line) && _errors.Count < Lines)
        {
            _errors.Enqueue(line);
        }
    }

    private async Task WhenListeningAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (!await Azurite.IsListeningAsync(Address.Port, CancellationToken.None))
        {
            if (Stopwatch.GetElapsedTime(started) > StartDeadline)
            {
                throw new TimeoutException($"Nothing listens at {Address}.");
            }

            await Task.Delay(50);
        }
    }

    private async Task<string> ReadAsync(TimeSpan deadline)
    {
        var line = await _lines.Reader.ReadAsync().AsTask().WaitAsync(deadline);
        return line.Length > 0 || !_process.HasExited ? line : throw new InvalidOperationException($"The target has ended: {string.Join(' ', _errors)}");
    }
}
