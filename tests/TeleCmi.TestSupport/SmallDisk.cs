using System.Diagnostics;
using System.Globalization;

namespace TeleCmi.TestSupport;

/// <summary>A disk of a few megabytes in memory, which can be full or read-only; only root on Linux may have one.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private SmallDisk()
    {
    }

    /// <summary>Why there can be none here; null when there can.</summary>
    public static string? WhyNot => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? null : "mounting a small disk needs root on Linux";

    public string Path => _folder.Path;

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    public static SmallDisk Mount(int megabytes)
    {
        var disk = new SmallDisk();
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m"), "tmpfs", disk.Path);
        return disk;
    }

    /// <summary>Leaves not a byte.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var block = 1 << 20; block > 0; block /= 16)
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[block]);
                }
            }
            catch (IOException)
            {
                // A smaller one may fit.
            }
        }
    }

    /// <summary>Makes space again.</summary>
    public void Free() => File.Delete(Ballast);

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", Path);

    public void Dispose()
    {
        // Lazily: a file that is still open must not keep the rest of the test from running.
        Run("umount", "-l", Path);
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }
}
