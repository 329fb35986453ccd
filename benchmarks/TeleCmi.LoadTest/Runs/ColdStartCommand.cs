using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Reports;
using TeleCmi.LoadTest.Targets;
using TeleCmi.TestSupport;

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
        var command = new Command("cold-start", "Publishes both programs, and starts them in turns.") { runs };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(runs)));
        return command;
    }

    private static async Task<int> RunAsync(int runs)
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
            await ProgressBar.ShowAsync((runs + 1) * programs.Length, progress => MeasureAsync(programs, runs, folder, progress));
            return Report(programs);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(Program[] programs, int runs, string folder, Action<double, string> progress)
    {
        // The first turn reads the files into memory and does not count.
        for (var run = 0; run <= runs; run++)
        {
            foreach (var program in programs)
            {
                var took = await StartAsync(program.Library, Path.Combine(folder, $"data-{run}"), run);
                if (run > 0)
                {
                    program.Took.Add(took.TotalMilliseconds);
                }

                progress(1, program.Name);
            }
        }

        return runs;
    }

    private static async Task<TimeSpan> StartAsync(string library, string data, long number)
    {
        var address = new Uri($"http://127.0.0.1:{TargetProcess.FreePort()}/api/telecmi/events");
        var start = new ProcessStartInfo("dotnet", [library, "--urls", address.GetLeftPart(UriPartial.Authority), "--data", data])
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

    private static async Task WhenAcknowledgedAsync(Uri address, long number, long began)
    {
        using var sender = new HttpSender(address);
        while (!await sender.TryConnectAsync() || !await sender.SendAsync(number))
        {
            if (Stopwatch.GetElapsedTime(began) > StartDeadline)
            {
                throw new TimeoutException($"No response at {address}.");
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

    private static int Report(Program[] programs)
    {
        var table = Tables.New("From process start to the first 200", "median ms", "fastest ms", "ratio of medians", "ratio of fastest");
        for (var i = 0; i < programs.Length; i++)
        {
            var (program, empty) = (programs[i], programs[i - (i % 2)]);
            table.AddRow(program.Name, Text(program.Median, "F0"), Text(program.Took.Min(), "F0"), Text(program.Median / empty.Median, "F2"), Text(program.Took.Min() / empty.Took.Min(), "F2"));
        }

        AnsiConsole.Write(table);
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
