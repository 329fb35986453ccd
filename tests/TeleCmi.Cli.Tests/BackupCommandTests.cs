using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Cli.Tests;

public sealed class BackupCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telecmi-");

    private string Copy => Path.Combine(_folder.FullName, "copy.db");

    private string File => Path.Combine(_folder.FullName, "telecmi.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Backup_OfAStoreInUse_IsAWholeStore()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        var original = new Operator { Store = store };
        await original.WriteAsync(Notices.Answered("leg-1"), Notices.Answered("leg-2", leg: "b"));
        await original.KeepRejectedAsync("rejected");

        var result = await RunAsync($"sqlite:{File}", Copy);
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Error.ShouldContain("was copied to");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.GetUnixFileMode(Copy).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var copied = new Operator { Store = null };
        var journal = await copied.RunAsync("journal", "export", "--storage", $"sqlite:{Copy}");
        journal.ExitCode.ShouldBe(ExitCodes.Fine, journal.Error);
        journal.Out.ShouldBe((await original.RunAsync("journal", "export")).Out);
        journal.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
        (await copied.RunAsync("dead-letters", "list", "--json", "--storage", $"sqlite:{Copy}")).Json.GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Backup_ToAFileThatIsThere_IsRefusedUntilForced()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await new Operator { Store = store }.WriteAsync(Notices.Answered());
        await System.IO.File.WriteAllTextAsync(Copy, "mine");

        var refused = await RunAsync($"sqlite:{File}", Copy);
        refused.ExitCode.ShouldBe(ExitCodes.Usage);
        refused.Error.ShouldContain("--force");
        (await System.IO.File.ReadAllTextAsync(Copy)).ShouldBe("mine");

        (await RunAsync($"sqlite:{File}", Copy, "--force")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await new Operator { Store = null }.RunAsync("journal", "list", "--json", "--storage", $"sqlite:{Copy}")).Json.GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Backup_OfAStorageAccount_IsRefused()
    {
        var result = await RunAsync("UseDevelopmentStorage=true", Copy);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("Only the embedded store is a file.");
        System.IO.File.Exists(Copy).ShouldBeFalse();
    }

    [Fact]
    public async Task Backup_IntoAFolderThatIsNotThere_FailsAndNamesIt()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await new Operator { Store = store }.WriteAsync(Notices.Answered());
        var result = await RunAsync($"sqlite:{File}", Path.Combine(_folder.FullName, "none", "copy.db"));
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("none");
    }

    private static Task<CliResult> RunAsync(string storage, params string[] args) => new Operator { Store = null }.RunAsync(["backup", "--storage", storage, .. args]);
}
