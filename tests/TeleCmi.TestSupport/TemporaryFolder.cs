using TeleCmi.Storage.Sqlite;

namespace TeleCmi.TestSupport;

/// <summary>A folder for one test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("telecmi-").FullName;

    /// <summary>The storage setting of the embedded store that a host with <c>--data</c> keeps here.</summary>
    public string Store => $"sqlite:{DataFolder.FileIn(Path)}";

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // On Windows a process that was just killed may still hold a file.
        }
    }
}
