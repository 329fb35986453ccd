using System.CommandLine;
using Spectre.Console;
using TeleCmi.LoadTest.Runs;
using TeleCmi.LoadTest.Targets;

if (Console.IsOutputRedirected)
{
    // A table in a file or a pipe has no terminal to fit into.
    AnsiConsole.Profile.Width = 240;
}

var root = new RootCommand("Measures the receiver side by side with what limits it. Load goes to this machine only.")
{
    CallsCommand.Create(),
    ColdStartCommand.Create(),
    ForwardLatencyCommand.Create(),
    TargetCommand.Create(),
};
ComparisonCommand.AddTo(root);
return await root.Parse(args).InvokeAsync();
