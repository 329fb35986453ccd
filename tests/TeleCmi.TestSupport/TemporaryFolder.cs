namespace TeleCmi.TestSupport;

/// <summary>A folder for one test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("telecmi-").FullName;

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
