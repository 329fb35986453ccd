using Spectre.Console;

namespace TeleCmi.LoadTest.Reports;

/// <summary>A progress bar on stderr, so that stdout holds results only.</summary>
internal static class ProgressBar
{
    public static async Task<T> ShowAsync<T>(double length, Func<Action<double, string>, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("starting", maxValue: length);
                return await work((done, what) =>
                {
                    task.Increment(done);
                    task.Description = Markup.Escape(what);
                });
            });
    }
}
