using System.CommandLine;
using Spectre.Console;
using TeleCmi.LoadTest.Reports;

namespace TeleCmi.LoadTest.Runs;

/// <summary>Without a verb: the comparison, in full or in the quick form for CI.</summary>
internal static class ComparisonCommand
{
    private static readonly Plan Quick = new(
        Rounds: 3, Rate: 60, AtRate: TimeSpan.FromSeconds(1), Saturated: TimeSpan.FromSeconds(1), WarmUp: TimeSpan.FromSeconds(2), WithFlask: false);

    public static void AddTo(RootCommand root)
    {
        var quick = new Option<bool>("--quick") { Description = "About a minute; exit code 1 only when a bar is missed by far." };
        var rounds = new Option<int>("--rounds") { Description = "How often every target takes its turn.", DefaultValueFactory = _ => 11 };
        var rate = new Option<double>("--rate") { Description = "Events per second where the rate is fixed.", DefaultValueFactory = _ => 200 };
        var seconds = new Option<double>("--seconds") { Description = "Seconds at that rate, and at saturation, in each turn.", DefaultValueFactory = _ => 2 };
        var output = new Option<string>("--output") { Description = "The folder for the plot.", DefaultValueFactory = _ => "." };
        var data = new Option<string>("--data") { Description = "The folder in which the targets write: on the disk that is measured.", DefaultValueFactory = _ => Path.GetTempPath() };
        foreach (var option in new Option[] { quick, rounds, rate, seconds, output, data })
        {
            root.Add(option);
        }

        root.SetAction((parsed, _) =>
        {
            var turn = TimeSpan.FromSeconds(parsed.GetValue(seconds));
            var isQuick = parsed.GetValue(quick);
            var plan = isQuick ? Quick : new Plan(parsed.GetValue(rounds), parsed.GetValue(rate), turn, turn, WarmUp: TimeSpan.FromSeconds(8), WithFlask: true);
            return RunAsync(plan, isQuick, parsed.GetRequiredValue(output), Path.Combine(parsed.GetRequiredValue(data), $"telecmi-load-{Guid.NewGuid():N}"));
        });
    }

    private static async Task<int> RunAsync(Plan plan, bool isQuick, string output, string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            await using var contestants = await Contestants.StartAsync(folder, plan.WithFlask, Console.Error.WriteLine);
            var comparison = new Comparison(contestants, plan);
            var result = await ProgressBar.ShowAsync(comparison.Length, comparison.RunAsync);
            var bars = isQuick ? result.QuickBars : result.Bars;
            ComparisonReport.Print(result, bars, AnsiConsole.Console);
            if (!isQuick)
            {
                Directory.CreateDirectory(output);
                Plots.SaveLatencies(result, Path.Combine(output, "load-test.svg"));
            }

            return bars.All(bar => bar.IsMet) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
