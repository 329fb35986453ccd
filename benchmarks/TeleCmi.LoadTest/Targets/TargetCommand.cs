using System.CommandLine;

namespace TeleCmi.LoadTest.Targets;

/// <summary>The verb by which this program starts itself as a target.</summary>
internal static class TargetCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name");
        var storage = new Option<string>("--storage") { Required = true };
        var file = new Option<string>("--file") { Required = true };
        var forward = new Option<string>("--forward");
        var command = new Command(TargetHost.Verb) { name, storage, file, forward };
        command.Hidden = true;
        command.SetAction((parsed, _) => TargetHost.RunAsync(parsed.GetRequiredValue(name), parsed.GetRequiredValue(storage), parsed.GetRequiredValue(file), parsed.GetValue(forward)));
        return command;
    }
}
