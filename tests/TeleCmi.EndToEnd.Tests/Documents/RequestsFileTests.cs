using System.Net.Http.Headers;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests.Documents;

/// <summary>The requests of docs/requests.http get the responses that it names.</summary>
public sealed class RequestsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Requests_GetTheResponsesThatTheFileNames()
    {
        await using var receiver = HostProcess.LocalHost(null, "--data", _folder.Path, "--urls", "http://127.0.0.1:0");
        var host = (await receiver.Address).GetLeftPart(UriPartial.Authority);
        using var client = new HttpClient();
        var file = (await File.ReadAllTextAsync(Path.Combine(Repository.Find(), "docs", "requests.http"))).ReplaceLineEndings("\n");
        var sections = file.Split("\n### ").Skip(1).ToArray();
        sections.Length.ShouldBeGreaterThan(5);
        foreach (var section in sections)
        {
            var (title, status, request) = Read(section, host);
            using (request)
            {
                using var response = await client.SendAsync(request);
                $"{(int)response.StatusCode}".ShouldBe(status, title);
            }
        }
    }

    // A title with the status, the request line, headers, and after an empty line the body.
    private static (string Title, string Status, HttpRequestMessage Request) Read(string section, string host)
    {
        var (head, body) = section.Split("\n\n", 2) is [var first, var rest] ? (first, rest.Trim()) : (section, "");
        var lines = head.Trim().Split('\n');
        var title = lines[0].Split(" => ");
        var line = lines[1].Split(' ', 2);
        var request = new HttpRequestMessage(new HttpMethod(line[0]), line[1].Replace("{{host}}", host, StringComparison.Ordinal));
        if (body.Length > 0)
        {
            request.Content = new StringContent(body, MediaTypeHeaderValue.Parse(lines.Single(header => header.StartsWith("Content-Type: ", StringComparison.Ordinal))["Content-Type: ".Length..]));
        }

        return (title[0], title[1], request);
    }
}
