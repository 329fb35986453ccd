using System.CommandLine;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi backup</c>: copies the embedded store while it is in use.</summary>
internal static class BackupCommand
{
    public static Command Create(CommandRunner runner)
    {
        var file = CommonOptions.ParsedArgument("file", "Where to; readable by you alone.", CommonOptions.NotEmpty);
        var force = new Option<bool>("--force") { Description = "Overwrite the file." };
        var command = new Command("backup", "Copies the embedded store while the receiver runs. To restore, stop the receiver and copy the file back.") { file, force };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var store = connection.EmbeddedStore
                ?? throw new CliException("Only the embedded store is a file. Back up a storage account with its own means.", ExitCodes.Usage);
            var copy = parsed.GetRequiredValue(file);
            if (File.Exists(copy) && !parsed.GetValue(force))
            {
                throw new CliException($"{copy} is there already: choose another name, or say --force.", ExitCodes.Usage);
            }

            await store.BackupAsync(copy, parsed.GetValue(force), cancellation);
            terminal.Note($"{store.File} was copied to {copy}.");
            return ExitCodes.Fine;
        });
        return command;
    }
}
