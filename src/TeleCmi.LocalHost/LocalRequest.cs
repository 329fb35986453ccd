using System.Net;

namespace TeleCmi.LocalHost;

/// <summary>
/// Tells a request of this machine from one that comes through a tunnel or proxy, or by another host's name. A tunnel
/// connects from this machine too, and some rewrite the Host header; most say for whom they speak, but one that adds no
/// header cannot be told from a local request: there only access tokens and the page's key help.
/// </summary>
internal static class LocalRequest
{
    private static readonly string[] ProxyHeaders = ["Forwarded", "Via", "X-Real-IP", "True-Client-IP"];

    private static readonly string[] ProxyPrefixes = ["X-Forwarded-", "X-Original-", "CF-", "Tailscale-"];

    public static bool Is(HttpContext context) =>
        context.Connection is { LocalIpAddress: { } local, RemoteIpAddress: { } remote }
        && IPAddress.IsLoopback(local)
        && IPAddress.IsLoopback(remote)
        && IsLoopbackName(context.Request.Host.Host)
        && !IsProxied(context.Request.Headers);

    /// <summary>Whether a browser sends the request on behalf of another site's page.</summary>
    public static bool IsFromAnotherSite(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "none" or "same-origin")
        || (request.Headers.Origin.ToString() is { Length: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)));

    private static bool IsProxied(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
        {
            if (ProxyHeaders.Contains(name, StringComparer.OrdinalIgnoreCase)
                || Array.Exists(ProxyPrefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
