using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace TeleCmi.LivePage.Tests;

/// <summary>A CRM that events are forwarded to.</summary>
internal sealed class Destination : IAsyncDisposable
{
    private readonly WebApplication _app;
    private volatile int _status = 200;

    private Destination(WebApplication app) => _app = app;

    public int Status
    {
        set => _status = value;
    }

    public string[] Settings =>
    [
        "--TeleCmi:Forward:0:Url", _app.Urls.First(),
        "--TeleCmi:Forward:0:Name", "crm",
        "--TeleCmi:Forward:0:Secrets", $"whsec_{Convert.ToBase64String(new byte[32])}",
        "--TeleCmi:Forward:0:AllowHttp", "true",
    ];

    public static async Task<Destination> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var destination = new Destination(app);
        app.Run(context =>
        {
            context.Response.StatusCode = destination._status;
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return destination;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
