using Microsoft.Extensions.Hosting;
using TeleCmi.FaultHost;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline;

var builder = LocalHostApp.CreateBuilder(args);
builder.Services.AddCallEventHandler<EffectHandler>();
await using var app = LocalHostApp.Build(builder);
await app.StartAsync();
Console.WriteLine($"Webhook: {app.Urls.First()}/api/telecmi/events");
await app.WaitForShutdownAsync();
