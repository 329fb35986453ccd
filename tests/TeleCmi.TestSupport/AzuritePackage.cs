using System.Diagnostics;
using System.Text.Json;

namespace TeleCmi.TestSupport;

/// <summary>The npm package of Azurite, in the version that the repository's lock file names.</summary>
internal static class AzuritePackage
{
    private static readonly TimeSpan InstallDeadline = TimeSpan.FromMinutes(5);

    /// <summary>Installs the package unless that version is there.</summary>
    /// <returns>The path of Azurite's script.</returns>
    public static async Task<string> InstallAsync(string repository, Action<string> progress, CancellationToken cancellation)
    {
        var package = Path.Combine(repository, "node_modules", "azurite");
        var script = Path.Combine(package, "dist", "src", "azurite.js");
        if (File.Exists(script) && InstalledVersion(package) == LockedVersion(repository))
        {
            return script;
        }

        progress("Installing Azurite from npm (once, about half a minute) ...");
        await RunNpmAsync(repository, cancellation);
        return File.Exists(script)
            ? script
            : throw new InvalidOperationException("npm has installed no Azurite: run 'npm ci' in the repository's folder and see what it says.");
    }

    private static async Task RunNpmAsync(string repository, CancellationToken cancellation)
    {
        // On Windows npm is a script, which only the shell starts.
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe", ["/c", "npm", "ci", "--no-audit", "--no-fund"])
            : new ProcessStartInfo("npm", ["ci", "--no-audit", "--no-fund"]);
        start.WorkingDirectory = repository;
        using var npm = Azurite.Start(start);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(InstallDeadline);
        try
        {
            await npm.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            npm.Kill(entireProcessTree: true);
            throw new InvalidOperationException("npm did not finish installing Azurite: run 'npm ci' in the repository's folder, then try again.", e);
        }

        if (npm.ExitCode != 0)
        {
            throw new InvalidOperationException("npm could not install Azurite (see above): check the network and run 'npm ci' in the repository's folder.");
        }
    }

    private static string? InstalledVersion(string package) =>
        Read(Path.Combine(package, "package.json"), root => root.GetProperty("version").GetString());

    private static string? LockedVersion(string repository) =>
        Read(Path.Combine(repository, "package.json"), root => root.GetProperty("devDependencies").GetProperty("azurite").GetString());

    private static string? Read(string file, Func<JsonElement, string?> select)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        return select(json.RootElement);
    }
}
