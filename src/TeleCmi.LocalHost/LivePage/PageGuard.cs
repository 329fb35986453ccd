using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>
/// Who may see the page: this machine with the page's key; another host's name only when the setting lists it, and then
/// with an access token as the password. Another site's page may neither read nor change anything.
/// </summary>
internal sealed class PageGuard(IOptions<LocalHostOptions> options, AccessTokens tokens, LivePageKey key)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private readonly HashSet<string> _hosts = new(options.Value.LivePageHosts, StringComparer.OrdinalIgnoreCase);

    /// <summary>Lets a request through, or responds to it. Middleware, because an endpoint filter runs only after the body has been read.</summary>
    public RequestDelegate Protect(RequestDelegate next) => context =>
    {
        var refusal = RefusalOf(context);
        if (refusal is not NotFound)
        {
            SetHeaders(context.Response.Headers);
        }

        return refusal?.ExecuteAsync(context) ?? next(context);
    };

    private IResult? RefusalOf(HttpContext context) =>
        (LocalRequest.Is(context) ? LocalRefusalOf(context) : RemoteRefusalOf(context))
        ?? (context.Request.Path != "/" && LocalRequest.IsFromAnotherSite(context.Request) ? TypedResults.StatusCode(StatusCodes.Status403Forbidden) : null);

    private IResult? LocalRefusalOf(HttpContext context)
    {
        var request = context.Request;

        // Cookies do not tell ports apart, and another receiver may run beside this one.
        var cookie = $"telecmi-page-{context.Connection.LocalPort}";
        if (request.Path == "/" && key.Is(request.Query["key"]))
        {
            context.Response.Cookies.Append(cookie, key.Value, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
            return TypedResults.Redirect("/");
        }

        if (key.Is(request.Cookies[cookie]) || key.Is(CredentialsOf(request, "Bearer")))
        {
            return null;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Text(
            "This page shows whole calls, so it needs the key of the receiver's last start: open the address that the receiver printed then, the line \"Watch it live\".",
            statusCode: StatusCodes.Status401Unauthorized);
    }

    private IResult? RemoteRefusalOf(HttpContext context)
    {
        // A tunnel may have put its own name there and the real one aside.
        if (context.Request.Headers["X-Forwarded-Host"] is [{ Length: > 0 } forwarded, ..])
        {
            context.Request.Host = new HostString(forwarded);
        }

        if (!_hosts.Contains(context.Request.Host.Host))
        {
            return TypedResults.NotFound();
        }

        if (tokens.IsValid(PasswordOf(context.Request)))
        {
            return null;
        }

        context.Response.Headers.WWWAuthenticate = "Basic realm=\"TeleCMI live page: any name, an access token as the password\", charset=\"UTF-8\"";
        return TypedResults.StatusCode(StatusCodes.Status401Unauthorized);
    }

    private static string? CredentialsOf(HttpRequest request, string scheme) =>
        AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header) && scheme.Equals(header.Scheme, StringComparison.OrdinalIgnoreCase)
            ? header.Parameter
            : null;

    private static string? PasswordOf(HttpRequest request)
    {
        var encoded = CredentialsOf(request, "Basic") ?? "";
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [_, var password]
            ? password
            : null;
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }
}
