namespace TeleCmi.TestSupport;

/// <summary>The clone that this program was built in.</summary>
public static class Repository
{
    /// <summary>The repository's folder: the nearest one above the program with the npm lock file and host.json.</summary>
    /// <exception cref="InvalidOperationException">The program does not stand in a clone.</exception>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "package-lock.json")) && File.Exists(Path.Combine(folder.FullName, "host.json")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("These tests do not stand in a clone of the repository.");
    }
}
