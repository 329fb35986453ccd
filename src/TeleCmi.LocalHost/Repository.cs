namespace TeleCmi.LocalHost;

/// <summary>The clone that this program was built in.</summary>
public static class Repository
{
    /// <summary>The repository's folder: the nearest one above the program with the npm lock file and host.json.</summary>
    /// <exception cref="StartupException">The program does not stand in a clone.</exception>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "package-lock.json")) && File.Exists(Path.Combine(folder.FullName, "host.json")))
            {
                return folder.FullName;
            }
        }

        throw new StartupException("Azurite is started from the repository's npm package, and this program does not stand in a clone: start Azurite yourself (with --skipApiVersionCheck), or pass --storage with the connection string of a storage account.");
    }
}
