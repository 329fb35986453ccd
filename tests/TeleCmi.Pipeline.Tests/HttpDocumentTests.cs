using System.Globalization;
using System.Text.RegularExpressions;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Pipeline.Tests;

/// <summary>docs/http.md has the responses of the code, and no others.</summary>
public sealed partial class HttpDocumentTests
{
    // The function key is checked by the platform.
    private const int WrongKey = 401;

    [Fact]
    public void Document_HasEveryStatusOfTheContract() => Status().Matches(Responses())
        .Select(match => int.Parse(match.Groups["status"].Value, CultureInfo.InvariantCulture))
        .Distinct()
        .ShouldBe(WebhookCase.All.Select(webhookCase => webhookCase.Status).Append(WrongKey).Distinct(), ignoreOrder: true);

    private static string Responses() => File.ReadAllText(Path.Combine(Repository.Find(), "docs", "http.md")).ReplaceLineEndings("\n").Split("\n## Responses\n")[1];

    [GeneratedRegex(@"`(?<status>\d{3})[ `]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Status();
}
