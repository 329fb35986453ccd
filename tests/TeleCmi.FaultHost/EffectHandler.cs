using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.FaultHost;

/// <summary>
/// Writes a line for each run into a file of its process that outlives it, and does to each event what its <c>custom</c>
/// asks for: <c>slow:MILLISECONDS</c>, <c>fail:TIMES</c> or <c>fail:always</c>.
/// </summary>
internal sealed class EffectHandler(IConfiguration configuration, TimeProvider clock) : ICallEventHandler
{
    /// <summary>The setting with the file's path, to which the process id is appended.</summary>
    public const string FileSetting = "FaultHost:Effects";

    // .NET appends where the file ended when it was opened: two processes would write over each other's lines.
    private readonly string _file = $"{configuration[FileSetting] ?? throw new InvalidOperationException($"{FileSetting} is not set.")}.{Environment.ProcessId}";
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly Lock _writing = new();

    public string Name => "effect";

    public async Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        Write("begin", callEvent.Id);
        switch (callEvent.Notice.Custom?.Split(':'))
        {
            case ["fail", "always"]:
                throw new InvalidOperationException("The test wants it to fail.");
            case ["fail", var times] when _failures.AddOrUpdate(callEvent.Id, 1, (_, count) => count + 1) <= Number(times):
                throw new InvalidOperationException("The test wants it to fail now.");
            case ["slow", var milliseconds]:
                await Task.Delay(TimeSpan.FromMilliseconds(Number(milliseconds)), clock, cancellation);
                break;
            default:
                break;
        }

        Write("effect", callEvent.Id);
    }

    private void Write(string what, string eventId)
    {
        // One write per line, straight to the system: a line is there or not, whenever the process is killed.
        var line = Encoding.UTF8.GetBytes($"{what} {eventId}\n");
        lock (_writing)
        {
            using var file = new FileStream(_file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(line);
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
