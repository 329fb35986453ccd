using System.Text.RegularExpressions;

namespace TeleCmi.Pipeline.Tests;

/// <summary>The folders of the pipeline depend on each other in one direction.</summary>
public sealed partial class FolderOrderTests
{
    // Each may use those before it.
    private static readonly string[] Order = ["Telemetry", "Storage", "Journaling", "DeadLetters", "Calls", "Forwarding", "Processing", "Receiving", "Reconciling"];

    // The only file that may use them all: what puts them together.
    private const string Wiring = "PipelineServices.cs";

    private static readonly string Pipeline = Path.Combine(Repository.Find(), "src", "TeleCmi.Pipeline");

    [Fact]
    public void Folders_AreThoseOfTheOrder() => Directory.GetDirectories(Pipeline).Select(Path.GetFileName).Except(["bin", "obj"]).ShouldBeSubsetOf(Order);

    [Fact]
    public void Document_ListsTheFoldersInThisOrder() => DocumentedFolder().Matches(File.ReadAllText(Path.Combine(Repository.Find(), "docs", "architecture.md")))
        .Select(match => match.Groups["name"].Value)
        .ShouldBe(Order);

    [Fact]
    public void Types_LieInTheNamespaceOfTheirFolder() =>
        Sources().Where(source => Namespace().Match(source.Code).Groups["name"].Value != $"TeleCmi.Pipeline.{source.Folder}".TrimEnd('.')).Select(source => source.File).ShouldBeEmpty();

    [Fact]
    public void Folder_UsesOnlyThoseBelowIt() => Uses()
        .Where(use => use.File != Wiring && Array.IndexOf(Order, use.Used) > Array.IndexOf(Order, use.Folder))
        .Select(use => $"{use.File} uses {use.Used}")
        .ShouldBeEmpty();

    [Fact]
    public void Uses_AreFound() => Uses().Where(use => use.File == Wiring).Select(use => use.Used).ShouldBe(Order, ignoreOrder: true);

    private static IEnumerable<(string File, string Folder, string Used)> Uses() =>
        from source in Sources()
        from used in Use().Matches(source.Code).Select(match => match.Groups["name"].Value).Distinct()
        select (source.File, source.Folder, used);

    private static IEnumerable<(string File, string Folder, string Code)> Sources() =>
        from path in Directory.EnumerateFiles(Pipeline, "*.cs", SearchOption.AllDirectories)
        let file = Path.GetRelativePath(Pipeline, path).Replace('\\', '/')
        where !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal)
        select (file, file.Contains('/') ? file[..file.IndexOf('/')] : "", NotCode().Replace(File.ReadAllText(path), ""));

    // Whole, as in a using directive, or from the pipeline's own namespace, as in Forwarding.ForwardQueue.
    [GeneratedRegex(@"(?<![\w.])(?:(?:TeleCmi\.)?Pipeline\.)?(?<name>Telemetry|Storage|Journaling|DeadLetters|Calls|Forwarding|Processing|Receiving|Reconciling)(?=\.[A-Z]|;)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Use();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Namespace();

    // 1. `Telemetry`: …
    [GeneratedRegex(@"^\d+\. `(?<name>\w+)`:", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DocumentedFolder();

    // Comments and plain texts.
    [GeneratedRegex(@"//.*$|""(?:[^""\\\n]|\\.)*""", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotCode();
}
