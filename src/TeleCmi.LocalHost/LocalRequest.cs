using System.Net;

namespace TeleCmi.LocalHost;

/// <summary>
/// Tells a request of this machine from one that comes through a tunnel or by another host's name. A tunnel connects
/// from this machine too, and some rewrite the Host header, but they all say for whom they speak.
/// </summary>
internal static class LocalRequest
{
    private static readonly string[] SpokenForBy =
        ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-Host", "X-Real-IP", "CF-Connecting-IP"];

    public static bool Is(HttpContext context) =>
        context.Connection is { LocalIpAddress: { } local, RemoteIpAddress: { } remote }
        && IPAddress.IsLoopback(local)
        && IPAddress.IsLoopback(remote)
        && IsLoopbackName(context.Request.Host.Host)
        && !IsSpokenFor(context.Request.Headers);

    private static bool IsSpokenFor(IHeaderDictionary headers)
    {
        foreach (var name in SpokenForBy)
        {
            if (headers.ContainsKey(name))
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
