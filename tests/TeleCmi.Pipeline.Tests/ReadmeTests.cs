using System.Net;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;
using YourCompany.Calls;

namespace TeleCmi.Pipeline.Tests;

public sealed class ReadmeTests(AzuriteFixture azurite)
{
    private const string Fence = "```";

    [Fact]
    public void TheHandlerInTheReadme_IsTheOneThatIsCompiledHere()
    {
        var repository = Repository.Find();
        var readme = File.ReadAllText(Path.Combine(repository, "README.md")).ReplaceLineEndings("\n");
        var compiled = File.ReadAllText(Path.Combine(repository, "tests", "TeleCmi.Pipeline.Tests", "ReadmeHandler.cs")).ReplaceLineEndings("\n");

        var blocks = readme.Split($"{Fence}csharp\n").Skip(1).Select(rest => rest.Split($"\n{Fence}")[0] + "\n");

        blocks.Where(block => block.Contains(nameof(ICallEventHandler))).ShouldHaveSingleItem().ShouldBe(compiled);
    }

    [Fact]
    public async Task TheHandlerInTheReadme_TellsTheCrmOfTheCustomerOnly()
    {
        using var crm = new RecordingCrm();
        using var client = new HttpClient(crm) { BaseAddress = new Uri("http://crm.invalid/") };
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services.AddSingleton(client).AddCallEventHandler<TellCrm>());

        foreach (var leg in (string[])["a", "b"])
        {
            await pipeline.Processor.ProcessAsync(PipelineUnderTest.EnvelopeOf(SampleNotices.AnsweredWith(("leg", leg)), DateTimeOffset.UnixEpoch), CancellationToken.None);
        }

        crm.Requests.ShouldBe(["http://crm.invalid/calls 2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:b:answered"]);
    }

    private sealed class RecordingCrm : HttpMessageHandler
    {
        public List<string> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add($"{request.RequestUri} {request.Headers.GetValues("Idempotency-Key").Single()}");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
        }
    }
}
