using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests.Documents;

/// <summary>The commands of README and docs do what the documents say, on a fresh data folder.</summary>
public sealed partial class DocumentedCommandsTests : IDisposable
{
    private const string Address = "http://127.0.0.1:7071";
    private static readonly string[] Programs =
        ["dotnet", "curl", "telecmi", "az", "azd", "func", "gh", "git", "npm", "npx", "node", "ngrok", "devtunnel", "systemctl", "cd", "cp", "openssl", "docker", "$"];

    // They change nothing, so they can wait until the receiver has processed what was sent.
    private static readonly string[] Reading = ["status", "list", "show", "agents", "callbacks"];

    private readonly TemporaryFolder _data = new();
    private readonly TemporaryFolder _work = new();
    private readonly HttpClient _client = new();
    private string _address = Address;

    public static TheoryData<string> Documents => [.. FilesOf()];

    public static TheoryData<string> DocumentsWithCommands => [.. FilesOf().Where(file => DocumentedCommand.In(Path.Combine(Repository.Find(), file)).Count > 0)];

    public void Dispose()
    {
        _client.Dispose();
        _data.Dispose();
        _work.Dispose();
    }

    [Theory]
    [MemberData(nameof(DocumentsWithCommands))]
    public async Task Commands_DoWhatTheDocumentSays(string document)
    {
        var commands = DocumentedCommand.In(Path.Combine(Repository.Find(), document));
        HostProcess? receiver = null;
        try
        {
            foreach (var command in commands)
            {
                if (command.KeepsRunning)
                {
                    await (receiver?.DisposeAsync() ?? ValueTask.CompletedTask);
                    receiver = HostProcess.LocalHost(Settings, [.. ArgumentsOf(command), "--urls", "http://127.0.0.1:0"]);
                    _address = (await receiver.Address).GetLeftPart(UriPartial.Authority);
                }
                else
                {
                    await CheckAsync(document, command);
                }
            }
        }
        finally
        {
            await (receiver?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Commands_StandInAShellBlock(string document) => DocumentBlock.In(Path.Combine(Repository.Find(), document))
        .Where(block => block.Language is not ("sh" or "console" or "powershell") && block.Lines is [var first, ..] && Programs.Contains(first.Split(' ')[0]))
        .Select(block => $"{document}, line {block.FirstLine}: write sh, console or powershell behind the fence")
        .ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_LeadToFiles(string document)
    {
        var file = Path.Combine(Repository.Find(), document);
        Link().Matches(File.ReadAllText(file))
            .Select(match => match.Groups["path"].Value)
            .Where(path => !path.Contains(':', StringComparison.Ordinal) && !Path.Exists(Path.Combine(Path.GetDirectoryName(file)!, path)))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Readme_HasCommandsThatRun_AndAtMost200Lines()
    {
        var readme = Path.Combine(Repository.Find(), "README.md");
        DocumentedCommand.In(readme).Count.ShouldBeGreaterThanOrEqualTo(4);
        File.ReadAllLines(readme).Length.ShouldBeLessThanOrEqualTo(200);
    }

    private static IEnumerable<string> FilesOf()
    {
        var root = Repository.Find();
        return Directory.EnumerateFiles(root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md"))
            .Append(Path.Combine(root, "benchmarks", "README.md"))
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);
    }

    private Dictionary<string, string?> Settings => new(StringComparer.Ordinal) { ["LocalHost__Data"] = _data.Path };

    private async Task CheckAsync(string document, DocumentedCommand command)
    {
        var place = $"{document}, line {command.Line}: {string.Join(' ', command.Words)}";
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            var (exitCode, output) = command.Words[0] == "curl" ? await CurlAsync(command) : await RunAsync(command, place);
            var isAsSaid = exitCode == command.ExitCode && (command.Output is null || Stable(output) == Stable(command.Output));
            if (isAsSaid)
            {
                return;
            }

            if (deadline.Elapsed > TimeSpan.FromSeconds(30) || !command.Words.Intersect(Reading).Any())
            {
                exitCode.ShouldBe(command.ExitCode, $"{place}\n{output}");
                Stable(output).ShouldBe(Stable(command.Output ?? output), $"{place}\n{output}");
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }

    // As dotnet run would, without building again.
    private async Task<(int ExitCode, string Output)> RunAsync(DocumentedCommand command, string place)
    {
        var program = command.Words switch
        {
            ["telecmi", ..] => "TeleCmi.Cli",
            ["dotnet", "run", "--project", var project, "--", ..] when project.StartsWith("src/", StringComparison.Ordinal) => project["src/".Length..],
            _ => throw new InvalidOperationException($"{place}: the test cannot run this. Write 'skip: <why>' behind the fence, or teach the test."),
        };
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{program}.dll"), .. ArgumentsOf(command)])
        {
            WorkingDirectory = _work.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in Settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (process.ExitCode, await output + await errors);
    }

    private IEnumerable<string> ArgumentsOf(DocumentedCommand command) =>
        command.Words.Skip(command.Words[0] == "telecmi" ? 1 : command.Words.Index().First(word => word.Item == "--").Index + 1)
            .Select(word => word.Replace(Address, _address, StringComparison.Ordinal));

    private async Task<(int ExitCode, string Output)> CurlAsync(DocumentedCommand command)
    {
        var address = command.Words.Single(word => word.StartsWith("http", StringComparison.Ordinal)).Replace(Address, _address, StringComparison.Ordinal);
        var body = command.Words.SkipWhile(word => word != "-d").Skip(1).FirstOrDefault();
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, address);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _client.SendAsync(request);
        return (0, await response.Content.ReadAsStringAsync());
    }

    // Without what is another one each time: the port, folders, times, ids, measured numbers, and the padding of columns.
    private string Stable(string output)
    {
        var text = output.Replace(_address, Address, StringComparison.Ordinal).Replace(_data.Path, ".telecmi", StringComparison.Ordinal).ReplaceLineEndings("\n");
        text = Varying().Replace(text, "~");
        return string.Join('\n', text.Split('\n').Select(line => Blanks().Replace(line, " ").Trim()).Where(line => line.Length > 0));
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\d/\S+|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?)?|\b\d\d:\d\d\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-Za-z]{32,}|\d+\.\d+|\d+/s\b|\b\d+ s ago", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Varying();

    [GeneratedRegex(@"\]\((?<path>[^)#]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blanks();
}
