using System.CommandLine;
using Spectre.Console;
using TeleCmi.LoadTest.Runs;
using TeleCmi.LoadTest.Targets;

if (Console.IsOutputRedirected)
{
    // A table in a file or a pipe has no terminal to fit into.
    AnsiConsole.Profile.Width = 240;
}

var root = new RootCommand("Measures the receiver side by side with the least that could do its work. Load goes to this machine only.")
{
    ColdStartCommand.Create(),
    MemoryCommand.Create(),
    TargetCommand.Create(),
};
ComparisonCommand.AddTo(root);
return await root.Parse(args).InvokeAsync();
