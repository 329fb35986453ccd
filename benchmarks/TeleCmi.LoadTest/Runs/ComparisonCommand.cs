using System.CommandLine;
using Spectre.Console;
using TeleCmi.LoadTest.Reports;

namespace TeleCmi.LoadTest.Runs;

/// <summary>Without a verb: the comparison, in full or in the quick form for CI.</summary>
internal static class ComparisonCommand
{
    private static readonly Plan Quick = new()
    {
        Rounds = 3,
        Rate = 60,
        AtRate = TimeSpan.FromSeconds(1.5),
        Saturated = TimeSpan.FromSeconds(2),
        WarmUp = TimeSpan.FromSeconds(5),
        WithScripts = false,
    };

    public static void AddTo(RootCommand root)
    {
        var quick = new Option<bool>("--quick") { Description = "Under two minutes; exit code 1 only when a bar is missed by far." };
        var rounds = new Option<int>("--rounds") { Description = "How often every target takes its turn.", DefaultValueFactory = _ => 11 };
        var rate = new Option<double>("--rate") { Description = "Events per second where the rate is fixed.", DefaultValueFactory = _ => 200 };
        var atRate = new Option<double>("--seconds") { Description = "Seconds at that rate in each turn; times the rate, it is the queue's greatest depth.", DefaultValueFactory = _ => 2 };
        var saturated = new Option<double>("--saturated") { Description = "Seconds at saturation in each turn.", DefaultValueFactory = _ => 2 };
        var output = new Option<string>("--output") { Description = "The folder for the JSON and the plot.", DefaultValueFactory = _ => "." };
        foreach (var option in new Option[] { quick, rounds, rate, atRate, saturated, output })
        {
            root.Add(option);
        }

        root.SetAction((parsed, _) => RunAsync(
            parsed.GetValue(quick)
                ? Quick
                : new Plan
                {
                    Rounds = parsed.GetValue(rounds),
                    Rate = parsed.GetValue(rate),
                    AtRate = TimeSpan.FromSeconds(parsed.GetValue(atRate)),
                    Saturated = TimeSpan.FromSeconds(parsed.GetValue(saturated)),
                    WarmUp = TimeSpan.FromSeconds(15),
                },
            parsed.GetValue(quick),
            parsed.GetRequiredValue(output)));
    }

    private static async Task<int> RunAsync(Plan plan, bool isQuick, string output)
    {
        await using var contestants = await Contestants.StartAsync(plan.WithScripts, Console.Error.WriteLine);
        var comparison = new Comparison(contestants, plan);
        var result = await ProgressBar.ShowAsync(comparison.Length, comparison.RunAsync);
        var bars = isQuick ? result.QuickBars : result.Bars;
        ComparisonReport.Print(result, bars, AnsiConsole.Console);
        if (!isQuick)
        {
            Directory.CreateDirectory(output);
            await ComparisonReport.WriteJsonAsync(result, bars, Path.Combine(output, "load-test.json"));
            Plots.SaveLatencies(result, Path.Combine(output, "load-test.svg"));
        }

        return bars.All(bar => bar.IsMet) ? 0 : 1;
    }
}
