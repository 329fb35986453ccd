namespace TeleCmi.TestSupport;

/// <summary>What the FaultHost's handler wrote down, whichever process it ran in.</summary>
public sealed class EffectFile(TemporaryFolder folder)
{
    private const string Name = "effects";

    /// <summary>The host's setting that names the file.</summary>
    public string Setting => $"--FaultHost:Effects={Path.Combine(folder.Path, Name)}";

    /// <summary>The id of each run that began.</summary>
    public IReadOnlyList<string> Begun => Read("begin ");

    /// <summary>The id of each run that came to its effect.</summary>
    public IReadOnlyList<string> Done => Read("effect ");

    private List<string> Read(string mark) =>
        [.. Directory.GetFiles(folder.Path, $"{Name}.*").SelectMany(ReadLines).Where(line => line.StartsWith(mark, StringComparison.Ordinal)).Select(line => line[mark.Length..])];

    private static string[] ReadLines(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n');
    }
}
