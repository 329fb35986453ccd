using System.Reflection;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The page itself: files in this assembly, so that there is nothing to deploy or to find.</summary>
internal static class PageFiles
{
    private const string Prefix = "live-page/";

    public static IEnumerable<PageFile> All
    {
        get
        {
            var assembly = Assembly.GetExecutingAssembly();
            foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
            {
                using var stream = assembly.GetManifestResourceStream(resource)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                yield return new PageFile(resource[Prefix.Length..], TypeOf(resource), bytes);
            }
        }
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new InvalidOperationException($"The page has a file of an unknown type: {name}."),
    };
}

internal sealed record PageFile(string Name, string ContentType, ReadOnlyMemory<byte> Bytes)
{
    public const string Index = "index.html";

    public async Task SendAsync(HttpContext context)
    {
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = Bytes.Length;
        await context.Response.Body.WriteAsync(Bytes, context.RequestAborted);
    }
}
