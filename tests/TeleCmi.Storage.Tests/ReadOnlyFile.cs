using System.ComponentModel;
using System.Diagnostics;

namespace TeleCmi.Storage.Tests;

/// <summary>A file that nobody may write for a while, not even root where the file system can say so.</summary>
public sealed class ReadOnlyFile : IDisposable
{
    private readonly string _file;

    private ReadOnlyFile(string file) => _file = file;

    /// <returns>Null when this user may write it all the same.</returns>
    public static async Task<ReadOnlyFile?> MakeAsync(string file)
    {
        System.IO.File.SetAttributes(file, FileAttributes.ReadOnly);
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows() && !await ChangeAsync("+i", file))
        {
            return null;
        }

        return new ReadOnlyFile(file);
    }

    public void Dispose()
    {
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            ChangeAsync("-i", _file).GetAwaiter().GetResult();
        }

        System.IO.File.SetAttributes(_file, FileAttributes.Normal);
    }

    private static async Task<bool> ChangeAsync(string attribute, string file)
    {
        try
        {
            using var chattr = Process.Start("chattr", [attribute, file]);
            await chattr.WaitForExitAsync();
            return chattr.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
