using System.Diagnostics;
using System.Text.RegularExpressions;
using OpenTelemetry;

namespace TeleCmi.Functions;

/// <summary>
/// Takes the webhook's secrets out of every URL in a span: the key in <c>?code=</c>, which has leaked into telemetry
/// before (Azure/azure-functions-host issue 11602), and the access token in the path. Queries are dropped whole, since
/// by GET they carry the call's phone numbers. The worker's own spans carry no URL; those of an instrumentation that is
/// added to this app do.
/// </summary>
internal sealed partial class SecretRedaction : BaseProcessor<Activity>
{
    private static readonly string[] UrlTags = ["url.full", "url.path", "url.query", "http.url", "http.target"];

    public override void OnEnd(Activity data)
    {
        foreach (var tag in UrlTags)
        {
            if (data.GetTagItem(tag) is string url)
            {
                data.SetTag(tag, tag == "url.query" ? "REDACTED" : Redact(url));
            }
        }

        data.DisplayName = Redact(data.DisplayName);
    }

    public static string Redact(string url) => Token().Replace(Query().Replace(url, "?REDACTED"), "telecmi/REDACTED/events");

    [GeneratedRegex(@"\?.+$", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Query();

    [GeneratedRegex("telecmi/[^/?{]+/events", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
