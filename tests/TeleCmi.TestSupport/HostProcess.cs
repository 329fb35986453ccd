using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace TeleCmi.TestSupport;

/// <summary>A host as a process of its own, with everything it prints.</summary>
public sealed partial class HostProcess : IAsyncDisposable
{
    private const string AddressMark = "Webhook: ";
    private const int Sigkill = 9;

    private static readonly string Dotnet = Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static readonly Lazy<string[]> Launcher = new(FindLauncher);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, e) => Note(e.Data, _output);
        _process.ErrorDataReceived += (_, e) => Note(e.Data, _errors);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("The host ended before it listened."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The webhook's address, once it listens.</summary>
    public Task<Uri> Address => _address.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public string Output => string.Join('\n', _output);

    public string Errors => string.Join('\n', _errors);

    /// <summary>The product.</summary>
    public static HostProcess LocalHost(IReadOnlyDictionary<string, string?>? environment = null, params string[] arguments) =>
        Start("TeleCmi.LocalHost.dll", environment, arguments);

    /// <summary>The product with handlers that can be watched.</summary>
    public static HostProcess FaultHost(params string[] arguments) => Start("TeleCmi.FaultHost.dll", null, ["host", .. arguments]);

    /// <summary>The Functions app, without the platform's host; it has no address of its own.</summary>
    public static HostProcess FunctionsApp(IReadOnlyDictionary<string, string?> environment) => Start("TeleCmi.Functions.OnSurface.dll", environment, []);

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code, when it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>How much memory it holds now, in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync(TimeSpan? deadline = null)
    {
        await _process.WaitForExitAsync().WaitAsync(deadline ?? TimeSpan.FromSeconds(120));
        return _process.ExitCode;
    }

    /// <summary>Ends it and everything that it started without a warning: SIGKILL to the process group, or TerminateProcess.</summary>
    public async Task KillAsync()
    {
        if (IsGroup && !_process.HasExited)
        {
            _ = kill(-_process.Id, Sigkill);
        }
        else if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
    }

    /// <summary>Sends a signal to the process group: SIGTERM as a service manager does, SIGINT as Ctrl+C, SIGHUP as a terminal that is closed.</summary>
    public void Signal(PosixSignal signal) => kill(IsGroup ? -_process.Id : _process.Id, signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGTERM => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(signal)),
    }).ShouldBe(0);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    // With setsid the process leads a group of its own, so that a signal meets all of it and nobody else.
    private static bool IsGroup => OperatingSystem.IsLinux();

    private static string[] FindLauncher()
    {
        if (!IsGroup)
        {
            return [];
        }

        // nohup and a shell's background jobs make their children ignore signals, and only another program can undo that. Not every env can.
        string[] reset = [Program("env"), "--default-signal=HUP,INT,TERM"];
        using var attempt = Process.Start(new ProcessStartInfo(reset[0], [reset[1], "true"]) { RedirectStandardError = true, UseShellExecute = false })!;
        return attempt.WaitForExit(TimeSpan.FromSeconds(30)) && attempt.ExitCode == 0 ? [.. reset, Program("setsid")] : [Program("setsid")];
    }

    // As a path, for a test may give its host a PATH of its own, and env looks there.
    private static string Program(string name) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, name)).First(File.Exists);

    private static HostProcess Start(string program, IReadOnlyDictionary<string, string?>? environment, string[] arguments)
    {
        string[] command = [.. Launcher.Value, Dotnet, "exec", Path.Combine(AppContext.BaseDirectory, program), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        return new HostProcess(start);
    }

    private void Note(string? line, ConcurrentQueue<string> lines)
    {
        if (line is null)
        {
            return;
        }

        lines.Enqueue(line);
        if (line.StartsWith(AddressMark, StringComparison.Ordinal))
        {
            _address.TrySetResult(new Uri(line[AddressMark.Length..].Split(' ')[0]));
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int processId, int signal);
}
