#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var secret = Environment.GetEnvironmentVariable("TELECMI_SECRET") ?? "";
if (!secret.StartsWith("whsec_", StringComparison.Ordinal))
{
    Console.Error.WriteLine("TELECMI_SECRET: set it to the secret of this destination, whsec_ and Base64.");
    return 1;
}

var key = Convert.FromBase64String(secret["whsec_".Length..]);
var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:5001", .. args]);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var app = builder.Build();
app.MapPost("/", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer);
    var body = buffer.ToArray();
    if (!IsGenuine(request.Headers, body))
    {
        Console.WriteLine("refused");
        return Results.Unauthorized();
    }

    using var message = JsonDocument.Parse(body);
    Console.WriteLine($"verified {request.Headers["webhook-id"]} {message.RootElement.GetProperty("type")}");
    return Results.NoContent(); // Before this: store the id; if it is there already, the work is done.
});
await app.StartAsync();
Console.WriteLine($"listening {new Uri(app.Urls.First()).Port}");
await app.WaitForShutdownAsync();
return 0;

// Whether the sender knows the secret and the request is fresh. The body is what came, byte for byte.
bool IsGenuine(IHeaderDictionary headers, byte[] body)
{
    if (!long.TryParse(headers["webhook-timestamp"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300)
    {
        return false;
    }

    byte[] signed = [.. Encoding.UTF8.GetBytes($"{headers["webhook-id"]}.{headers["webhook-timestamp"]}."), .. body];
    var expected = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    return headers["webhook-signature"].ToString().Split(' ').Any(signature =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), expected));
}
