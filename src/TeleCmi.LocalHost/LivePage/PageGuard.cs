using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>
/// Who may see the page: this machine by its own name; another host's name only when the setting lists it, and then with
/// an access token as the password. Another site's page may neither read nor change anything.
/// </summary>
internal sealed class PageGuard(IOptions<LocalHostOptions> options, AccessTokens tokens)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private readonly HashSet<string> _hosts = new(LocalHostOptions.Split(options.Value.LivePageHosts), StringComparer.OrdinalIgnoreCase);

    /// <summary>Lets a request through, or answers it.</summary>
    public RequestDelegate Guard(Func<HttpContext, Task> next) => context =>
    {
        var refusal = RefusalOf(context);
        if (refusal is { } status)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }

        SetHeaders(context.Response.Headers);
        return next(context);
    };

    private int? RefusalOf(HttpContext context)
    {
        var host = context.Request.Host.Value ?? "";
        if (!LocalRequest.Is(context))
        {
            // A tunnel may have put its own name there and the real one aside.
            host = context.Request.Headers["X-Forwarded-Host"] is [{ Length: > 0 } forwarded, ..] ? forwarded : host;
            if (!_hosts.Contains(new HostString(host).Host))
            {
                return StatusCodes.Status404NotFound;
            }

            if (!tokens.IsValid(PasswordOf(context.Request.Headers.Authorization)))
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"TeleCMI live page: any name, an access token as the password\", charset=\"UTF-8\"";
                return StatusCodes.Status401Unauthorized;
            }
        }

        return IsFromElsewhere(context.Request, host) ? StatusCodes.Status403Forbidden : null;
    }

    private static bool IsFromElsewhere(HttpRequest request, string host)
    {
        var isDocument = request.Path == "/";
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is not ("" or "same-origin" or "none") && !isDocument)
        {
            return true;
        }

        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(host, StringComparison.OrdinalIgnoreCase)))
        {
            return true;
        }

        // A form can send neither this type nor, without being asked about first, anything else that it names.
        return !HttpMethods.IsGet(request.Method) && !request.HasJsonContentType();
    }

    private static string? PasswordOf(string? authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header)
            || !"Basic".Equals(header.Scheme, StringComparison.OrdinalIgnoreCase)
            || header.Parameter is not { } parameter)
        {
            return null;
        }

        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
        {
            return null;
        }

        var credentials = Encoding.UTF8.GetString(bytes, 0, length);
        return credentials[(credentials.IndexOf(':', StringComparison.Ordinal) + 1)..];
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
