using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Azure.Storage.Queues;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Reports;
using TeleCmi.LoadTest.Targets;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LoadTest.Runs;

/// <summary>From the start of a process to its first 200: the LocalHost beside an empty web application, each with and without ReadyToRun.</summary>
internal static class ColdStartCommand
{
    private const string OurProject = "src/TeleCmi.LocalHost";
    private const string EmptyProject = "benchmarks/TeleCmi.EmptyHost";
    private const double Bar = 1.25;

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var runs = new Option<int>("--runs") { Description = "Starts of each program.", DefaultValueFactory = _ => 15 };
        var output = new Option<string>("--output") { Description = "The folder for the JSON.", DefaultValueFactory = _ => "." };
        var command = new Command("cold-start", "Publishes both programs, and starts them in turns.") { runs, output };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(runs), parsed.GetRequiredValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(int runs, string output)
    {
        var repository = Repository.Find();
        var folder = Directory.CreateTempSubdirectory("telecmi-cold-start-").FullName;
        try
        {
            Program[] programs =
            [
                new("empty WebApplication, ReadyToRun", await PublishAsync(repository, EmptyProject, folder, readyToRun: true)),
                new("LocalHost, ReadyToRun", await PublishAsync(repository, OurProject, folder, readyToRun: true)),
                new("empty WebApplication, JIT", await PublishAsync(repository, EmptyProject, folder, readyToRun: false)),
                new("LocalHost, JIT", await PublishAsync(repository, OurProject, folder, readyToRun: false)),
            ];
            await using var azurite = await Azurite.StartAsync(repository, AzuritePorts.Any, dataFolder: null, Console.Error.WriteLine, CancellationToken.None);
            await WarmUpAsync(azurite.ConnectionString);
            await ProgressBar.ShowAsync((runs + 1) * programs.Length, progress => MeasureAsync(programs, runs, azurite.ConnectionString, progress));
            return await ReportAsync(programs, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(Program[] programs, int runs, string storage, Action<double, string> progress)
    {
        var queue = new QueueClient(storage, new StorageOptions().EventsQueue);
        await queue.CreateIfNotExistsAsync();

        // The first turn reads the files into memory and does not count.
        for (var run = 0; run <= runs; run++)
        {
            foreach (var program in programs)
            {
                // The event of the turn before is not to be worked on while the next program starts.
                await queue.ClearMessagesAsync();
                var took = await StartAsync(program.Library, storage, run);
                if (run > 0)
                {
                    program.Took.Add(took.TotalMilliseconds);
                }

                progress(1, program.Name);
            }
        }

        return runs;
    }

    private static async Task<TimeSpan> StartAsync(string library, string storage, long number)
    {
        var address = new Uri($"http://127.0.0.1:{TargetProcess.FreePort()}/api/telecmi/events");
        var start = new ProcessStartInfo("dotnet", [library, "--urls", address.GetLeftPart(UriPartial.Authority), "--storage", storage])
        {
            WorkingDirectory = Path.GetDirectoryName(library),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await WhenAcknowledgedAsync(address, number, began);
            return Stopwatch.GetElapsedTime(began);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    // Azurite's own code is slow until it has run for a while, and its start is not what is measured.
    private static async Task WarmUpAsync(string storage)
    {
        const int Messages = 300;
        var queue = new QueueClient(storage, "warm-up");
        await queue.CreateIfNotExistsAsync();
        for (var i = 0; i < Messages; i++)
        {
            await queue.SendMessageAsync("warm-up");
        }
    }

    private static async Task WhenAcknowledgedAsync(Uri address, long number, long began)
    {
        using var sender = new HttpSender(address, NumberedText.Body);
        while (!await sender.TryConnectAsync() || !await sender.SendAsync(number))
        {
            if (Stopwatch.GetElapsedTime(began) > StartDeadline)
            {
                throw new TimeoutException($"No answer at {address}.");
            }

            await Task.Delay(1);
        }
    }

    // Built apart from the clone's own output and lock files, which know no runtime identifier.
    private static async Task<string> PublishAsync(string repository, string project, string folder, bool readyToRun)
    {
        var name = Path.GetFileName(project);
        var target = Path.Combine(folder, $"{name}-{(readyToRun ? "r2r" : "jit")}");
        Console.Error.WriteLine($"Publishing {name}{(readyToRun ? " with ReadyToRun" : "")} ...");
        var start = new ProcessStartInfo("dotnet",
        [
            "publish", Path.Combine(repository, project), "--nologo", "-v", "quiet", "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false",
            "--artifacts-path", Path.Combine(folder, "artifacts"), "-o", target,
            $"-p:PublishReadyToRun={readyToRun}", "-p:RestoreLockedMode=false", "-p:NuGetLockFilePath=obj/cold-start.lock.json",
        ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var publish = Process.Start(start)!;
        var said = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0
            ? Path.Combine(target, $"{name}.dll")
            : throw new InvalidOperationException($"{name} could not be published: {said}");
    }

    private static async Task<int> ReportAsync(Program[] programs, string output)
    {
        var table = Tables.New("From process start to the first 200", "median ms", "fastest ms", "ratio of medians", "ratio of fastest");
        for (var i = 0; i < programs.Length; i++)
        {
            var (program, empty) = (programs[i], programs[i - (i % 2)]);
            table.AddRow(program.Name, Text(program.Median, "F0"), Text(program.Took.Min(), "F0"), Text(program.Median / empty.Median, "F2"), Text(program.Took.Min() / empty.Took.Min(), "F2"));
        }

        AnsiConsole.Write(table);
        Directory.CreateDirectory(output);
        await File.WriteAllTextAsync(
            Path.Combine(output, "cold-start.json"),
            JsonSerializer.Serialize(programs.Select(program => new { program.Name, unit = "ms", program.Median, program.Took }), Json.Options));
        var ratio = programs[1].Median / programs[0].Median;
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"LocalHost / empty, ReadyToRun: {ratio:F2} (bar: at most {Bar}) {(ratio <= Bar ? "met" : "MISSED")}");
        return ratio <= Bar ? 0 : 1;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Program(string Name, string Library)
    {
        public List<double> Took { get; } = [];

        public double Median => ComparisonResult.Median(Took);
    }
}
