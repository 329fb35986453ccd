using System.CommandLine;

namespace TeleCmi.LoadTest.Targets;

/// <summary>The verb by which this program starts itself as a target.</summary>
internal static class TargetCommand
{
    public static Command Create()
    {
        var kind = new Argument<string>("kind");
        var storage = new Option<string>("--storage") { Required = true };
        var queue = new Option<string>("--queue") { DefaultValueFactory = _ => "" };
        var command = new Command(TargetHost.Verb) { Hidden = true };
        command.Add(kind);
        command.Add(storage);
        command.Add(queue);
        command.SetAction((parsed, _) => TargetHost.RunAsync(parsed.GetRequiredValue(kind), parsed.GetRequiredValue(storage), parsed.GetRequiredValue(queue)));
        return command;
    }
}
