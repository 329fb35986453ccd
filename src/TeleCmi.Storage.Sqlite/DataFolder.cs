namespace TeleCmi.Storage.Sqlite;

/// <summary>Where the embedded store is kept when no setting names a file; the same for the receiver and the operator's tool.</summary>
public static class DataFolder
{
    private const string FileName = "telecmi.db";
    private const string Solution = "TeleCmi.Functions.slnx";

    /// <summary>The store's file.</summary>
    /// <param name="folder">The folder that was asked for; null or empty: <see cref="Default"/>.</param>
    public static string FileIn(string? folder) => Path.Combine(Path.GetFullPath(string.IsNullOrWhiteSpace(folder) ? Default() : folder), FileName);

    /// <summary><c>.telecmi</c> in the clone that this program was built in, otherwise <c>telecmi</c> in the user's data folder.</summary>
    public static string Default()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Solution)))
            {
                return Path.Combine(folder.FullName, ".telecmi");
            }
        }

        return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "telecmi");
    }
}
