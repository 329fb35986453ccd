using System.Reflection;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace TeleCmi.Infra.Tests;

/// <summary>
/// What <c>dotnet publish</c> of the app's project makes, as far as it does not need the worker's packages. The files that
/// those add are checked where the packages can be had: the job "app" of the workflow "ci".
/// </summary>
public sealed class PublishTests
{
    [Fact]
    public async Task PublishFolder_HoldsTheAppAndItsHostJson()
    {
        var folder = Directory.CreateTempSubdirectory("telecmi-publish").FullName;
        try
        {
            var configuration = typeof(PublishTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
            var result = await Tool.DotnetAsync("publish", "tests/TeleCmi.Functions.OnSurface", "--no-build", "-c", configuration, "-o", folder);
            result.OutputOfSuccess();

            (await File.ReadAllTextAsync(Path.Combine(folder, "host.json"), TestContext.Current.CancellationToken)).ReplaceLineEndings("\n").ShouldBe(Repository.Read("host.json"));
            File.Exists(Path.Combine(folder, "local.settings.json")).ShouldBeFalse();
            File.Exists(Path.Combine(folder, "TeleCmi.Functions.OnSurface.dll")).ShouldBeTrue();
            File.Exists(Path.Combine(folder, "TeleCmi.Pipeline.dll")).ShouldBeTrue();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // What the tools write about the app is checked in that job only, so here at least that it expects what there is.
    [Fact]
    public void PublishedFolder_IsExpectedToHaveEveryFunctionAndEveryQueue()
    {
        var workflow = Repository.Read(".github/workflows/ci.yml");

        workflow.ShouldContain($"sort == [{Quoted(App.FunctionNames)}]' functions.metadata");
        workflow.ShouldContain($"sort == [{Quoted(App.QueueTriggers.Select(trigger => trigger.QueueName))}]' functions.metadata");

        static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal).Select(name => $"\"{name}\""));
    }

    // Where the worker's packages are not restored, nothing else says that the lock file has become stale.
    [Fact]
    public void LockFile_HasTheVersionsThatArePinned()
    {
        var pinned = XDocument.Parse(Repository.Read("Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(package => (string)package.Attribute("Include")!, package => (string)package.Attribute("Version")!, StringComparer.Ordinal);
        var locked = JsonNode.Parse(Repository.Read("src/TeleCmi.Functions/packages.lock.json"))!["dependencies"]!["net10.0"]!.AsObject();
        var named = XDocument.Parse(Repository.Read("src/TeleCmi.Functions/TeleCmi.Functions.csproj")).Descendants("PackageReference")
            .Select(package => (string)package.Attribute("Include")!).ToList();

        named.ShouldNotBeEmpty();
        named.ShouldAllBe(package => locked.ContainsKey(package));
        locked.Where(package => pinned.TryGetValue(package.Key, out var version) && (string?)package.Value!["resolved"] != version)
            .Select(package => package.Key).ShouldBeEmpty("Run: dotnet restore src/TeleCmi.Functions");
    }

    // Core Tools publishes what it finds in a folder: documents and workflow name the same two commands.
    [Theory]
    [InlineData("docs/deploy.md")]
    [InlineData(".github/workflows/ci.yml")]
    public void App_IsPublishedIntoAFolderOfItsOwn(string file) =>
        Repository.Read(file).ShouldContain("dotnet publish src/TeleCmi.Functions -c Release -o ");

    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData(".github/workflows/ci.yml")]
    public void App_RunsUnderCoreToolsFromTheFolderOfItsProject(string file) =>
        Repository.Read(file).ShouldMatch(@"cd src/TeleCmi\.Functions\n *dotnet run\b");

    [Fact]
    public async Task Release_IsReadyToRunOnTheSystemOfFlexConsumption()
    {
        var result = await Tool.DotnetAsync(
            "msbuild", "src/TeleCmi.Functions/TeleCmi.Functions.csproj", "-p:Configuration=Release", "-getProperty:RuntimeIdentifier,PublishReadyToRun,SelfContained,PublishReadyToRunCrossgen2ExtraArgs");

        var properties = JsonNode.Parse(result.OutputOfSuccess())!["Properties"]!;
        ((string)properties["RuntimeIdentifier"]!).ShouldBe("linux-x64");
        ((string)properties["PublishReadyToRun"]!).ShouldBe("true");
        ((string)properties["SelfContained"]!).ShouldBe("false");
        ((string)properties["PublishReadyToRunCrossgen2ExtraArgs"]!).ShouldContain("System.Private.CoreLib");
    }
}
