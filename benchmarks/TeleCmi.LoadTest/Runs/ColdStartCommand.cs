using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Reports;
using TeleCmi.TestSupport;

namespace TeleCmi.LoadTest.Runs;

/// <summary>From the start of a process to its first 200: the LocalHost beside an empty web application, each published in the same ways.</summary>
internal static class ColdStartCommand
{
    private const string OurProject = "src/TeleCmi.LocalHost";
    private const string EmptyProject = "benchmarks/TeleCmi.EmptyHost";
    private const double Bar = 1.25;

    // The bar is for the first, the way of docs/service.md. In one image with the framework, its generic code is compiled for our types too.
    private static readonly Form[] Forms =
    [
        new("composite", IsSelfContained: true, ["-p:PublishReadyToRun=true", "-p:PublishReadyToRunComposite=true"]),
        new("ReadyToRun", IsSelfContained: false, ["-p:PublishReadyToRun=true"]),
        new("JIT", IsSelfContained: false, []),
    ];

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
            var programs = new List<Program>();
            foreach (var form in Forms)
            {
                programs.Add(new($"empty WebApplication, {form.Name}", await PublishAsync(repository, EmptyProject, folder, form)));
                programs.Add(new($"LocalHost, {form.Name}", await PublishAsync(repository, OurProject, folder, form)));
            }

            await ProgressBar.ShowAsync((runs + 1) * programs.Count, progress => MeasureAsync(programs, runs, folder, progress));
            return Report(programs);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(List<Program> programs, int runs, string folder, Action<double, string> progress)
    {
        // The first turn reads the files into memory, makes the store, and does not count.
        for (var run = 0; run <= runs; run++)
        {
            foreach (var program in programs)
            {
                var took = await StartAsync(program.Command, Path.Combine(folder, $"data of {program.Name}"), run);
                if (run > 0)
                {
                    program.Took.Add(took.TotalMilliseconds);
                }

                progress(1, program.Name);
            }
        }

        return runs;
    }

    private static async Task<TimeSpan> StartAsync(IReadOnlyList<string> command, string data, long number)
    {
        var address = new Uri($"http://127.0.0.1:{LoopbackPort.Free()}/api/telecmi/events");
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), "--urls", address.GetLeftPart(UriPartial.Authority), "--data", data])
        {
            WorkingDirectory = Path.GetDirectoryName(command[^1]),
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
    private static async Task<string[]> PublishAsync(string repository, string project, string folder, Form form)
    {
        var name = Path.GetFileName(project);
        var target = Path.Combine(folder, $"{name}-{form.Name}");
        Console.Error.WriteLine($"Publishing {name}, {form.Name} ...");
        var start = new ProcessStartInfo("dotnet",
        [
            "publish", Path.Combine(repository, project), "--nologo", "-v", "quiet", "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", form.IsSelfContained ? "true" : "false",
            "--artifacts-path", Path.Combine(folder, "artifacts", form.Name), "-o", target,
            .. form.Properties, "-p:RestoreLockedMode=false", "-p:NuGetLockFilePath=obj/cold-start.lock.json",
        ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var publish = Process.Start(start)!;
        var said = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        if (publish.ExitCode != 0)
        {
            throw new InvalidOperationException($"{name} could not be published: {said}");
        }

        var program = Path.Combine(target, name);
        return form.IsSelfContained ? [OperatingSystem.IsWindows() ? $"{program}.exe" : program] : ["dotnet", $"{program}.dll"];
    }

    private static int Report(List<Program> programs)
    {
        var table = Tables.New("From process start to the first 200", "median ms", "fastest ms", "ratio of medians", "ratio of fastest");
        for (var i = 0; i < programs.Count; i++)
        {
            var (program, empty) = (programs[i], programs[i - (i % 2)]);
            table.AddRow(program.Name, Text(program.Median, "F0"), Text(program.Took.Min(), "F0"), Text(program.Median / empty.Median, "F2"), Text(program.Took.Min() / empty.Took.Min(), "F2"));
        }

        AnsiConsole.Write(table);
        var ratio = programs[1].Median / programs[0].Median;
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"LocalHost / empty, {Forms[0].Name}: {ratio:F2} (bar: at most {Bar}) {(ratio <= Bar ? "met" : "MISSED")}");
        return ratio <= Bar ? 0 : 1;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Form(string Name, bool IsSelfContained, IReadOnlyList<string> Properties);

    private sealed record Program(string Name, IReadOnlyList<string> Command)
    {
        public List<double> Took { get; } = [];

        public double Median => ComparisonResult.Median(Took);
    }
}
