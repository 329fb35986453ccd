using System.Diagnostics;
using System.Net;
using System.Runtime.Loader;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests;

/// <summary>README's handler, put where README says, builds and does its work.</summary>
public sealed class ReadmeTests : IDisposable
{
    private const string Section = "## Add a handler";
    private const string Fence = "```";

    // In the clone, because a project finds its package versions in the folders above it.
    private readonly string _copy = Path.Combine(Repository.Find(), "artifacts", $"readme-{Guid.NewGuid():N}");

    [Fact]
    public async Task Handler_PastedFromTheReadme_TellsTheCrmOfTheCustomerOnly()
    {
        using var crm = new Crm();
        var (handler, registration) = ReadReadme();
        registration.ShouldContain("https://crm.example.com/", Case.Sensitive, "where the test puts its own CRM");
        CopyHandlers(handler, registration.Replace("https://crm.example.com/", crm.Address, StringComparison.Ordinal));
        await BuildAsync();
        await using var pipeline = new PipelineUnderTest(AddHandlers);

        var requests = crm.ReceiveAsync();
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.Answered));
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("leg", "b"))));
        crm.Stop();

        var (path, key, body) = (await requests).ShouldHaveSingleItem();
        path.ShouldBe("POST /api/calls");
        key.ShouldBe("2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:b:answered");
        body.ShouldBe("""{"user":"202_2222223","to":"442000000001","conversationUuid":"ccd826f9-67a4-4467-acfb-a53093ff5c9d"}""");
        (await pipeline.JournalRowsAsync()).ShouldAllBe(row => row.Text("Handler_tell_crm") == "done");
    }

    public void Dispose()
    {
        if (Directory.Exists(_copy))
        {
            Directory.Delete(_copy, recursive: true);
        }
    }

    // The section's two code blocks: the handler's file, and the line that registers it.
    private static (string Handler, string Registration) ReadReadme()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Find(), "README.md")).ReplaceLineEndings("\n");
        var section = readme.Split($"\n{Section}\n")[1].Split("\n## ")[0];
        var blocks = section.Split($"{Fence}csharp\n").Skip(1).Select(rest => rest.Split($"\n{Fence}")[0] + "\n").ToArray();
        blocks.Length.ShouldBe(2);
        return (blocks[0], blocks[1]);
    }

    private void CopyHandlers(string handler, string registration)
    {
        var handlers = Path.Combine(Repository.Find(), "src", "TeleCmi.Handlers");
        Directory.CreateDirectory(_copy);
        File.WriteAllText(Path.Combine(_copy, "TellCrm.cs"), handler);
        File.Copy(Path.Combine(handlers, "packages.lock.json"), Path.Combine(_copy, "packages.lock.json"));
        Change("TeleCmi.Handlers.csproj", "../TeleCmi.Pipeline/", Path.Combine(Repository.Find(), "src", "TeleCmi.Pipeline") + Path.DirectorySeparatorChar);
        Change("Handlers.cs", "        return services;\n", $"{registration}        return services;\n");

        void Change(string file, string old, string now)
        {
            var text = File.ReadAllText(Path.Combine(handlers, file)).ReplaceLineEndings("\n");
            text.Split(old).Length.ShouldBe(2, $"{file} has one {old}");
            File.WriteAllText(Path.Combine(_copy, file), text.Replace(old, now, StringComparison.Ordinal));
        }
    }

    private async Task BuildAsync()
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = _copy, UseShellExecute = false, RedirectStandardOutput = true };

        // The pipeline is built already: it is what these tests run on.
        string[] arguments = ["build", "--output", "out", "-p:BuildProjectReferences=false", "-nodeReuse:false", "-v:quiet", "--configuration", Configuration];
        Array.ForEach(arguments, start.ArgumentList.Add);
        using var build = Process.Start(start)!;
        var output = await build.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(5));
        await build.WaitForExitAsync();
        build.ExitCode.ShouldBe(0, output);
    }

    // The pipeline that it uses is the one that is loaded here.
    private void AddHandlers(IServiceCollection services) => new AssemblyLoadContext("readme")
        .LoadFromStream(new MemoryStream(File.ReadAllBytes(Path.Combine(_copy, "out", "TeleCmi.Handlers.dll"))))
        .GetType("TeleCmi.Handlers.Handlers").ShouldNotBeNull()
        .GetMethod("AddHandlers").ShouldNotBeNull()
        .Invoke(null, [services]);

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    /// <summary>A CRM on this machine that says yes to everything.</summary>
    private sealed class Crm : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Crm()
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Address);
            _listener.Start();
        }

        public string Address { get; }

        /// <summary>What came until it is stopped.</summary>
        public async Task<List<(string Path, string? Key, string Body)>> ReceiveAsync()
        {
            var requests = new List<(string, string?, string)>();
            while (_listener.IsListening)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    using var body = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                    requests.Add(($"{context.Request.HttpMethod} {context.Request.Url!.AbsolutePath}", context.Request.Headers["Idempotency-Key"], await body.ReadToEndAsync()));
                    context.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    break;
                }
            }

            return requests;
        }

        public void Stop() => _listener.Stop();

        public void Dispose() => _listener.Close();
    }
}
